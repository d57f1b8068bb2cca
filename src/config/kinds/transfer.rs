//! `[transfer.x]`: from another model, with a new head.

use toml::Spanned;

use super::{
    super::{
        ModelSource, Settings, Transfer,
        build::{Builder, Outcome},
        reference::Reference,
    },
    Fields, Kind, fold, model, network, training,
};
use crate::{
    settings::{Checkpoint, GradualUnfreezing, Resize, TrainLayers},
    text::count,
};

/// A transfer as written.
pub(crate) struct Draft {
    model: model::Draft,
    checkpoint: Option<Spanned<Checkpoint>>,
    data: fold::Draft,
    train_layers: Option<Spanned<TrainLayers>>,
    gradual_unfreezing: Option<GradualUnfreezing>,
    drops: network::Drops,
    training: training::Draft,
}

const TRAIN_LAYERS: &str = "`\"all\"`, `\"head\"` or `{ from = \"layer3\" }`";

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let model = model::read(fields, &Kind::MODELS);
    let data = fold::read(fields);
    let train_layers = fields.take("train_layers", TRAIN_LAYERS);
    let gradual = fields.take("gradual_unfreezing", "`{ epochs = 2 }`");
    let drops = network::drops(fields, None);
    model::need_normalize(fields, &model.model, fields.has("normalize"));
    let training = training::read(fields);
    check_unfreezing(fields, gradual.as_ref(), train_layers.as_ref(), &training);
    fields.finish()?;
    Some(Draft {
        model: model.model?,
        checkpoint: model.checkpoint,
        data: data.draft()?,
        train_layers,
        gradual_unfreezing: gradual.map(Spanned::into_inner),
        drops,
        training: training.draft()?,
    })
}

fn check_unfreezing(
    fields: &mut Fields<'_, '_>,
    gradual: Option<&Spanned<GradualUnfreezing>>,
    layers: Option<&Spanned<TrainLayers>>,
    training: &training::Read,
) {
    let Some(gradual) = gradual else {
        return;
    };
    if layers.is_some_and(|layers| *layers.get_ref() == TrainLayers::Head) {
        let message = "`gradual_unfreezing` of a transfer that trains the head alone";
        let help = "leave it out, or let `train_layers` reach further";
        fields.tell(&gradual.span(), message, Some(help));
    }
    let (every, Some(epochs)) = (gradual.get_ref().epochs.get(), training.epochs()) else {
        return;
    };
    if every >= epochs {
        let message = format!(
            "`gradual_unfreezing` after {} in a training of {epochs}: nothing but the head would be trained",
            count(every, "epoch")
        );
        let help = "set its `epochs` lower, or train longer";
        fields.tell(&gradual.span(), message, Some(help));
    }
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let training = &self.training;
        let model = match &self.model {
            model::Draft::File(file) => {
                let normalize = training.normalized.then_some(training.training.normalize);
                Some(model::of_file(file, normalize, None))
            }
            model::Draft::Stage(reference) => builder
                .one(reference)
                .and_then(|number| model::of_stage(builder, number, self.checkpoint.as_ref())),
        };
        let (found, folds) = self.data.build(builder)?;
        training.check(builder, found.resize)?;
        let model = model?;
        if let model::Draft::Stage(reference) = &self.model {
            check_test(builder, reference, &found)?;
            self.check_network(builder, reference, &model, found.resize)?;
        }
        let train_layers = self.train_layers.as_ref();
        let train_layers = train_layers
            .map(|layers| *layers.get_ref())
            .unwrap_or_default();
        let outcome = |fold: fold::Fold| {
            let settings = Transfer {
                model: model.clone(),
                data: builder.id(found.data),
                dataset: builder.id(found.dataset),
                split: builder.id(found.split),
                fold: fold.fold,
                train_layers,
                gradual_unfreezing: self.gradual_unfreezing,
                stochastic_depth: self.drops.stochastic_depth(),
                dropout: self.drops.dropout(),
                keep_normalize: !training.normalized,
                training: Box::new(training.training.clone()),
                save: training.save,
            };
            Outcome {
                after: fold.varied,
                ..Outcome::plain(Settings::Transfer(settings), found.origin(fold.fold))
            }
        };
        Some(folds.into_iter().map(outcome).collect())
    }
}

impl Draft {
    /// What the network of the source has not, where the file says which it is.
    fn check_network(
        &self,
        builder: &mut Builder<'_>,
        reference: &Reference,
        model: &ModelSource,
        resize: Resize,
    ) -> Option<()> {
        let ModelSource::Stage { id, .. } = model else {
            return Some(());
        };
        let Some(arch) = network::arch_of(builder, id) else {
            return Some(());
        };
        network::check_layers(builder, self.train_layers.as_ref(), arch)?;
        self.drops.check(builder, arch)?;
        let training = &self.training.training;
        network::check_size(builder, &reference.span, arch, training, resize)
    }
}

/// A test part that is drawn is that of one split: under another split a model may have been trained on its images.
fn check_test(builder: &mut Builder<'_>, model: &Reference, found: &fold::Found) -> Option<()> {
    let source = builder.one(model)?;
    let origin = builder.built[source].origin;
    if origin.dataset != Some(found.dataset) || origin.split == Some(found.split) {
        return Some(());
    }
    let draws = match builder.settings(found.split) {
        Settings::Split(split) => split.test.is_some(),
        _ => false,
    };
    if !draws {
        return Some(());
    }
    let message = format!(
        "`{}` was trained on another split of this dataset, so that images which `{}` draws for its test part are among those that it was trained on",
        builder.id(source),
        builder.id(found.split)
    );
    let help = "train both on one split";
    builder.tell(&model.span, message, Some(help));
    None
}
