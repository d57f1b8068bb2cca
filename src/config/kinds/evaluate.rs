//! `[evaluate.x]`: one model, or each instance of a matrix or of folds, on parts of one dataset.

use toml::Spanned;

use super::{
    super::{
        Evaluate, Settings,
        build::{Builder, FoldOf, Origin, Outcome},
        files::Span,
        reference::Reference,
        values::FoldChoice,
    },
    Fields, Kind, fold, model, training,
};
use crate::{
    name::nfc,
    record::EvaluatePart,
    settings::{Checkpoint, Count, FeatureLeaks, Normalize, Tta},
};

/// An evaluate as written.
pub(crate) struct Draft {
    header: Span,
    model: model::Draft,
    checkpoint: Option<Spanned<Checkpoint>>,
    normalize: Option<Normalize>,
    classes: Option<Vec<String>>,
    data: Option<Reference>,
    split: Option<Reference>,
    fold: Option<Spanned<u32>>,
    on: Option<Spanned<Vec<Spanned<EvaluatePart>>>>,
    tta: Vec<Tta>,
    batch_size: Count,
    leaks: Option<FeatureLeaks>,
}

const ON: &str = "a list of `\"train\"`, `\"validation\"` and `\"test\"`";
const PARTS: [EvaluatePart; 3] = [
    EvaluatePart::Train,
    EvaluatePart::Validation,
    EvaluatePart::Test,
];

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let header = fields.header();
    let model = model::read(fields, &Kind::ANSWERING);
    let place = fields.place("normalize");
    let normalize = training::normalize(fields);
    let is_file = matches!(model.model, Some(model::Draft::File(_)));
    if let (Some(model::Draft::Stage(_)), Some(at)) = (&model.model, place.clone()) {
        let help = "leave it out: a stage's model is evaluated with the normalisation that it was trained with";
        fields.tell(&at, "`normalize` in an evaluation of a stage", Some(help));
    }
    let classes_at = fields.place("classes");
    let classes = classes(fields);
    if let (Some(model::Draft::Stage(_)), Some(at)) = (&model.model, classes_at) {
        let help = "leave it out: a stage's model knows its classes";
        fields.tell(&at, "`classes` in an evaluation of a stage", Some(help));
    }
    model::need_normalize(fields, &model.model, place.is_some());
    if is_file {
        fields.miss(
            "data",
            "the name of a preprocess stage, because a model file does not bring its data",
        );
        fields.miss(
            "split",
            "the name of a split stage, because a model file does not bring its data",
        );
    }
    let data = fields.reference("data", &[Kind::Preprocess]);
    let split = fields.reference("split", &[Kind::Split]);
    let fold = fields.take("fold", "the number of a fold, from 0");
    let on = parts(fields);
    let tta = tta(fields);
    let batch_size = training::batch_size(fields);
    let leaks = fields.take::<FeatureLeaks>("leaks", "a table such as `{ cosine = 0.98 }`");
    // Nothing is drawn here; a seed is accepted as on any stage.
    fields.seed();
    fields.finish()?;
    Some(Draft {
        header,
        model: model.model?,
        checkpoint: model.checkpoint,
        normalize: normalize.map(Spanned::into_inner),
        classes,
        data,
        split,
        fold,
        on,
        tta,
        batch_size: batch_size.map_or(Count::known(32), Spanned::into_inner),
        leaks: leaks.map(Spanned::into_inner),
    })
}

/// Class names in the order of a model file's outputs, NFC, each once.
fn classes(fields: &mut Fields<'_, '_>) -> Option<Vec<String>> {
    let accepts = "a list of class names in the order of the model's outputs";
    let written = fields.take::<Vec<Spanned<String>>>("classes", accepts)?;
    let mut classes: Vec<String> = Vec::new();
    for name in written.get_ref() {
        let class = nfc(name.get_ref());
        if classes.contains(&class) {
            let message = format!("the class `{class}` is named twice");
            fields.tell(&name.span(), message, Some("name each class once"));
        }
        classes.push(class);
    }
    Some(classes)
}

fn parts(fields: &mut Fields<'_, '_>) -> Option<Spanned<Vec<Spanned<EvaluatePart>>>> {
    let on = fields.take::<Vec<Spanned<EvaluatePart>>>("on", ON)?;
    if on.get_ref().is_empty() {
        let help = format!("expected {ON}");
        fields.tell(&on.span(), "no part to evaluate on", Some(&help));
    }
    for (i, part) in on.get_ref().iter().enumerate() {
        let name = part.get_ref().name();
        if on.get_ref()[..i]
            .iter()
            .any(|p| p.get_ref() == part.get_ref())
        {
            let message = format!("`{name}` is named twice");
            fields.tell(&part.span(), message, Some("name each part once"));
        }
    }
    Some(on)
}

/// The kinds of views, each once, in the order of [`Tta::ALL`]: their order changes nothing.
fn tta(fields: &mut Fields<'_, '_>) -> Vec<Tta> {
    let accepts = "a list of `\"horizontal_flip\"` and `\"five_crop\"`";
    let Some(written) = fields.take::<Vec<Spanned<Tta>>>("tta", accepts) else {
        return Vec::new();
    };
    let written = written.get_ref();
    for (i, item) in written.iter().enumerate() {
        if written[..i].iter().any(|t| t.get_ref() == item.get_ref()) {
            let message = format!("`{}` is named twice", item.get_ref().name());
            fields.tell(&item.span(), message, Some("name each kind of view once"));
        }
    }
    let named = |tta: &Tta| written.iter().any(|t| t.get_ref() == tta);
    Tta::ALL.into_iter().filter(named).collect()
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        match &self.model {
            model::Draft::File(file) => {
                let model = model::of_file(file, self.normalize, self.classes.clone());
                let outcome = self.outcome(builder, model, Origin::default())?;
                Some(vec![outcome])
            }
            model::Draft::Stage(reference) => {
                let mut outcomes = Vec::new();
                let models = builder.many(reference)?;
                // One instance that was named needs no telling apart.
                let named = reference.selector.is_some() && models.len() == 1;
                for number in models {
                    let model = model::of_stage(builder, number, self.checkpoint.as_ref())?;
                    let origin = builder.built[number].origin;
                    let before = if named {
                        Vec::new()
                    } else {
                        builder.built[number].instance.varied.clone()
                    };
                    outcomes.push(Outcome {
                        before,
                        rank: number,
                        ..self.outcome(builder, model, origin)?
                    });
                }
                Some(outcomes)
            }
        }
    }

    fn outcome(
        &self,
        builder: &mut Builder<'_>,
        model: super::super::ModelSource,
        own: Origin,
    ) -> Option<Outcome> {
        let data = self.choose(builder, self.data.as_ref(), own.data, "data");
        let split = self.choose(builder, self.split.as_ref(), own.split, "split");
        let (data, split) = (data?, split?);
        let span = [&self.split, &self.data].into_iter().flatten().next();
        let span = span.map_or(self.header.clone(), |reference| reference.span.clone());
        let found = fold::together(builder, data, split, &span)?;
        let fold = match (&self.fold, own.fold) {
            (Some(fold), _) => FoldOf::One(*fold.get_ref()),
            (None, fold) if own.split == Some(split) => fold,
            (None, _) => FoldOf::None,
        };
        let (on, test_if_there) = self.on(builder, &found, fold)?;
        let fold = self.check_fold(builder, &found, fold, &on)?;
        let as_trained =
            own.split == Some(found.split) && own.fold == fold.map_or(FoldOf::None, FoldOf::One);
        let draws_test = |split: usize| match builder.settings(split) {
            Settings::Split(split) => split.test.is_some(),
            _ => false,
        };
        // A given test part is the same under every split, one that is drawn is that of its split alone.
        let same_test = own.split == Some(found.split) || !draws_test(found.split);
        if own.dataset == Some(found.dataset)
            && !as_trained
            && !(on == [EvaluatePart::Test] && same_test)
        {
            let message = "the model was trained on another split or fold of this dataset, so its training images are among these parts";
            let help = if same_test {
                "leave `split` and `fold` out, or evaluate it with `on = [\"test\"]`"
            } else {
                "leave `split` out: the test part of another split holds images that this model was trained on"
            };
            builder.tell(&span, message, Some(help));
            return None;
        }
        let settings = Evaluate {
            model,
            data: builder.id(found.data),
            dataset: builder.id(found.dataset),
            split: builder.id(found.split),
            fold,
            on,
            test_if_there,
            tta: self.tta.clone(),
            batch_size: self.batch_size,
            leaks: self.leaks,
        };
        let origin = found.origin(fold);
        Some(Outcome::plain(Settings::Evaluate(settings), origin))
    }

    /// What is written, else what the model was trained on.
    fn choose(
        &self,
        builder: &mut Builder<'_>,
        written: Option<&Reference>,
        own: Option<usize>,
        key: &str,
    ) -> Option<usize> {
        if let Some(reference) = written {
            return builder.one(reference);
        }
        if own.is_none() {
            let message = format!(
                "the candidates behind this model were trained with different `{key}`, so which one it brings is known only after the run"
            );
            let help = format!("say it: `{key} = …`");
            builder.tell(&self.header, message, Some(&help));
        }
        own
    }

    /// The parts in order: as written, else all that there are; and whether test is among them only if there is one.
    fn on(
        &self,
        builder: &mut Builder<'_>,
        found: &fold::Found,
        fold: FoldOf,
    ) -> Option<(Vec<EvaluatePart>, bool)> {
        let drawn = match builder.settings(found.split) {
            Settings::Split(split) => split.test.is_some(),
            _ => false,
        };
        let (given, listed) = match builder.settings(found.dataset) {
            Settings::Dataset(dataset) => (dataset.test.is_some(), dataset.manifest.is_some()),
            _ => (false, false),
        };
        let has_test = given || listed || drawn;
        let Some(on) = &self.on else {
            let there = |part: &EvaluatePart| match part {
                EvaluatePart::Test => has_test,
                _ => !(fold == FoldOf::Varies && has_test),
            };
            let parts = PARTS.into_iter().filter(there).collect();
            return Some((parts, listed && !drawn));
        };
        let asked = on.get_ref();
        if let Some(test) = asked.iter().find(|p| *p.get_ref() == EvaluatePart::Test)
            && !has_test
        {
            let message = format!(
                "the dataset `{}` has no test part",
                builder.id(found.dataset)
            );
            let help = "give the dataset `test = \"…\"` or the split `test = 0.1`, or leave `\"test\"` out";
            builder.tell(&test.span(), message, Some(help));
            return None;
        }
        let wanted = |part: &EvaluatePart| asked.iter().any(|p| p.get_ref() == part);
        Some((PARTS.into_iter().filter(wanted).collect(), false))
    }

    fn check_fold(
        &self,
        builder: &mut Builder<'_>,
        found: &fold::Found,
        fold: FoldOf,
        on: &[EvaluatePart],
    ) -> Option<Option<u32>> {
        let folds = fold::folds(builder, found.split);
        let span = match &self.fold {
            Some(fold) => fold.span(),
            None => self
                .split
                .as_ref()
                .map_or(self.header.clone(), |split| split.span.clone()),
        };
        match (fold, folds) {
            (FoldOf::None, None) => Some(None),
            (FoldOf::One(fold), Some(folds)) if fold < folds => Some(Some(fold)),
            // The test part is the same whichever fold validates.
            (FoldOf::None | FoldOf::Varies, Some(_)) if on == [EvaluatePart::Test] => Some(None),
            (FoldOf::Varies, _) => {
                let message = "the candidates behind this model were trained on different folds, so which images validated it is known only after the run";
                let help = "evaluate it `on = [\"test\"]`, or evaluate the folds themselves";
                let span = self.on.as_ref().map_or(span, Spanned::span);
                builder.tell(&span, message, Some(help));
                None
            }
            (fold, folds) => {
                let choice = match fold {
                    FoldOf::One(fold) => Some(FoldChoice::One(fold)),
                    _ => None,
                };
                let name = builder.id(found.split);
                fold::refuse(builder, &span, choice.as_ref(), folds, &name, "");
                None
            }
        }
    }
}
