//! `[evaluate.x]`: one model, or each instance of a matrix or of folds, on parts of one dataset.

use toml::Spanned;

use super::{corners, dataset::Dataset, fold, model, split::Split};
use crate::{
    config::{
        build::{Builder, Draft, FoldOf, Made, Origin, Outcome},
        data_path::{DataPath, ModelSource},
        fields::Fields,
        file::Span,
        names::{PackName, SplitName},
        reference::Reference,
        values::FoldChoice,
    },
    name::nfc,
    record::Part,
    seed::Seed,
    settings::{
        Checkpoint, Count, FeatureLeaks, Normalize, Tta,
        declare::{Described, OneOrMore, Shape, Table, Word, WrittenOneOrMore, fields, plain},
    },
};

/// Evaluate one model on parts of one data set.
#[derive(Clone, Debug)]
pub struct Evaluate {
    /// The model.
    pub model: ModelSource,
    /// The pack: of the model's own training unless `data` says another.
    pub data: String,
    /// The dataset behind it.
    pub dataset: String,
    /// The split: of the model's own training unless `split` says another.
    pub split: String,
    /// The fold, of the model's own training unless `fold` says another.
    pub fold: Option<u32>,
    /// The parts, in order and once each.
    pub on: Vec<Part>,
    /// Whether the test part is evaluated only where there is one: nobody asked for it, and a list may have none.
    pub test_if_there: bool,
    /// Further views of each image, over which probabilities are averaged; none by default.
    pub tta: Vec<Tta>,
    /// Images in a step; cannot change the result beyond rounding, but is part of it.
    pub batch_size: Count,
    /// Whether the model's features are compared too, and from which cosine on they are alike.
    pub leaks: Option<FeatureLeaks>,
}

impl Made for Evaluate {
    fn outside(&self) -> Vec<&DataPath> {
        self.model.outside().into_iter().collect()
    }
}

plain! {
    Part: Shape::Word(Part::ALL.map(|part| Word { name: part.name(), doc: "" }).to_vec())
}

fields! {
    /// Figures and predictions of a model on parts of a data set.
    pub(crate) struct Given read as GivenRead {
        /// Which state of a stage.
        #[unset = "\"best\""]
        checkpoint: Option<Checkpoint>,
        /// Who is judged.
        model: model::ModelText<true>,
        /// Of a file alone: needed where it does not say it.
        normalize: Option<Normalize>,
        /// Of a file alone: the classes in the order of its outputs.
        #[accepts = "a list of class names in the order of the model's outputs"]
        classes: Option<Vec<String>>,
        /// On which photographs; needed for a file.
        #[unset = "the model's own"]
        data: Option<PackName>,
        /// Who is in which part; needed for a file.
        #[unset = "the model's own"]
        split: Option<SplitName>,
        /// Which fold validates.
        #[accepts = "the number of a fold, from 0"]
        #[unset = "the model's own"]
        fold: Option<u32>,
        /// On what.
        #[accepts = ON]
        #[unset = "the parts there are"]
        on: Option<OneOrMore<Part>>,
        /// Further views of each image, over which probabilities are averaged.
        #[accepts = "a list of `\"horizontal_flip\"` and `\"five_crop\"`, or one of them"]
        tta: OneOrMore<Tta> = OneOrMore(Vec::new()),
        /// Images in a pass.
        batch_size: Count = Count::known(32),
        /// Look for copies by the model's features too.
        #[accepts = "a table such as `{ cosine = 0.98 }`"]
        leaks: Option<FeatureLeaks>,
        /// Nothing is drawn here; accepted as on any stage.
        #[unset = "the file's"]
        seed: Option<Seed>,
    }
}

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// An evaluate as written.
struct Written {
    header: Span,
    model: model::WrittenModel,
    checkpoint: Option<Spanned<Checkpoint>>,
    classes: Option<Vec<String>>,
    data: Option<Reference>,
    split: Option<Reference>,
    fold: Option<Spanned<u32>>,
    on: Option<Spanned<Vec<Spanned<Part>>>>,
    tta: Vec<Tta>,
    /// Where `five_crop` stands.
    corners_at: Option<Span>,
    given: Given,
}

const ON: &str = "a list of `\"train\"`, `\"validation\"` and `\"test\"`, or one of them";

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let read = GivenRead::take(fields);
    let model = model::read(fields, read.model.as_ref(), read.checkpoint.as_ref());
    let classes = classes(fields, &read);
    check_model(fields, model.as_ref());
    let data = fields.follow(read.data.as_ref());
    let split = fields.follow(read.split.as_ref());
    let on = read.on.as_ref().map(WrittenOneOrMore::items);
    if let Some(on) = &on {
        check_parts(fields, on);
    }
    let tta = tta(fields, &read);
    let views = read.tta.as_ref().map(WrittenOneOrMore::items);
    let mut views = views.into_iter().flat_map(Spanned::into_inner);
    let corners = views.find(|view| *view.get_ref() == Tta::FiveCrop);
    fields.finish()?;
    Some(Box::new(Written {
        header: fields.header(),
        model: model?,
        checkpoint: read.checkpoint.clone(),
        classes,
        data,
        split,
        fold: read.fold.clone(),
        on,
        tta,
        corners_at: corners.map(|view| view.span()),
        given: read.settle()?,
    }))
}

/// What only a file takes, and what a file needs.
fn check_model(fields: &mut Fields<'_, '_>, model: Option<&model::WrittenModel>) {
    let normalize = fields.place("normalize");
    model::need_normalize(fields, model, normalize.is_some());
    match model {
        Some(model::WrittenModel::Stage(_)) => {
            if let Some(at) = normalize {
                let help = "leave it out: a stage's model is evaluated with the normalisation that it was trained with";
                fields.tell(&at, "`normalize` in an evaluation of a stage", Some(help));
            }
            if let Some(at) = fields.place("classes") {
                let help = "leave it out: a stage's model knows its classes";
                fields.tell(&at, "`classes` in an evaluation of a stage", Some(help));
            }
        }
        Some(model::WrittenModel::File(_)) => {
            for (key, kind) in [("data", "preprocess"), ("split", "split")] {
                fields.miss(key, &|| {
                    format!(
                        "the name of a {kind} stage, because a model file does not bring its data"
                    )
                });
            }
        }
        None => {}
    }
}

/// Class names in the order of a model file's outputs, NFC, each once.
fn classes(fields: &mut Fields<'_, '_>, read: &GivenRead) -> Option<Vec<String>> {
    let mut classes: Vec<String> = Vec::new();
    for name in read.classes.as_ref()?.get_ref() {
        let class = nfc(name.get_ref());
        if classes.contains(&class) {
            let message = format!("the class `{class}` is named twice");
            fields.tell(&name.span(), message, Some("name each class once"));
        }
        classes.push(class);
    }
    Some(classes)
}

/// Refuses a list of parts that names none, or one twice.
fn check_parts(fields: &mut Fields<'_, '_>, on: &Spanned<Vec<Spanned<Part>>>) {
    if on.get_ref().is_empty() {
        let help = format!("expected {ON}");
        fields.tell(&on.span(), "no part to evaluate on", Some(&help));
    }
    refuse_twice(fields, on.get_ref(), |part| part.name(), "part");
}

/// Refuses items that a list names twice.
fn refuse_twice<T: PartialEq>(
    fields: &mut Fields<'_, '_>,
    items: &[Spanned<T>],
    name: impl Fn(&T) -> &'static str,
    what: &str,
) {
    for (i, item) in items.iter().enumerate() {
        if items[..i].iter().any(|p| p.get_ref() == item.get_ref()) {
            let message = format!("`{}` is named twice", name(item.get_ref()));
            let help = format!("name each {what} once");
            fields.tell(&item.span(), message, Some(&help));
        }
    }
}

/// The kinds of views, each once, in the order of [`Tta::ALL`]: their order changes nothing.
fn tta(fields: &mut Fields<'_, '_>, read: &GivenRead) -> Vec<Tta> {
    let Some(written) = read.tta.as_ref().map(WrittenOneOrMore::items) else {
        return Vec::new();
    };
    let written = written.get_ref();
    refuse_twice(fields, written, |tta| tta.name(), "kind of view");
    let named = |tta: &Tta| written.iter().any(|t| t.get_ref() == tta);
    Tta::ALL.into_iter().filter(named).collect()
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        match &self.model {
            model::WrittenModel::File(file) => {
                let model = model::of_file(file, self.given.normalize, self.classes.clone());
                let outcome = self.outcome(builder, model, Origin::default())?;
                Some(vec![outcome])
            }
            model::WrittenModel::Stage(reference) => {
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
                        builder.built[number].varied.clone()
                    };
                    let outcome = self.outcome(builder, model, origin)?;
                    if let Some(at) = &self.corners_at {
                        corners::check(builder, at, number, outcome.origin.data)?;
                    }
                    outcomes.push(Outcome {
                        before,
                        rank: number,
                        ..outcome
                    });
                }
                Some(outcomes)
            }
        }
    }
}

impl Written {
    fn outcome(
        &self,
        builder: &mut Builder<'_>,
        model: ModelSource,
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
        let drawn = builder.get::<Split>(found.split)?.test.is_some();
        // A given test part is the same under every split, one that is drawn is that of its split alone.
        let same_test = own.split == Some(found.split) || !drawn;
        if own.dataset == Some(found.dataset) && !as_trained && !(on == [Part::Test] && same_test) {
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
            batch_size: self.given.batch_size,
            leaks: self.given.leaks,
        };
        let origin = found.origin(fold);
        Some(Outcome::plain(settings, origin))
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
    ) -> Option<(Vec<Part>, bool)> {
        let drawn = builder.get::<Split>(found.split)?.test.is_some();
        let dataset = builder.get::<Dataset>(found.dataset)?;
        let (given, listed) = (dataset.test.is_some(), dataset.manifest.is_some());
        let has_test = given || listed || drawn;
        let Some(on) = &self.on else {
            let there = |part: &Part| match part {
                Part::Test => has_test,
                _ => !(fold == FoldOf::Varies && has_test),
            };
            let parts = Part::ALL.into_iter().filter(there).collect();
            return Some((parts, listed && !drawn));
        };
        let asked = on.get_ref();
        if let Some(test) = asked.iter().find(|p| *p.get_ref() == Part::Test)
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
        let wanted = |part: &Part| asked.iter().any(|p| p.get_ref() == part);
        Some((Part::ALL.into_iter().filter(wanted).collect(), false))
    }

    fn check_fold(
        &self,
        builder: &mut Builder<'_>,
        found: &fold::Found,
        fold: FoldOf,
        on: &[Part],
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
            (FoldOf::None | FoldOf::Varies, Some(_)) if on == [Part::Test] => Some(None),
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
