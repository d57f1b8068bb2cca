//! `[transfer.x]`: from another model, with a new head.

use toml::Spanned;

use super::{
    super::{
        Settings, Transfer,
        build::{Builder, Outcome},
    },
    Fields, Kind, augment, fold, model, training,
};
use crate::settings::{Checkpoint, TrainLayers};

/// A transfer as written.
pub(crate) struct Draft {
    model: model::Draft,
    checkpoint: Option<Spanned<Checkpoint>>,
    data: fold::Draft,
    train_layers: TrainLayers,
    training: training::Draft,
}

const TRAIN_LAYERS: &str = "`\"all\"`, `\"head\"` or `{ from = \"layer3\" }`";

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let model = model::read(fields, &Kind::MODELS);
    let data = fold::read(fields);
    let train_layers = fields.take("train_layers", TRAIN_LAYERS);
    model::need_normalize(fields, &model.model, fields.has("normalize"));
    let training = training::read(fields);
    fields.finish()?;
    Some(Draft {
        model: model.model?,
        checkpoint: model.checkpoint,
        data: data.draft()?,
        train_layers: train_layers.map(Spanned::into_inner).unwrap_or_default(),
        training: training.draft()?,
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let training = &self.training;
        let model = match &self.model {
            model::Draft::File(path) => {
                let normalize = training.normalized.then_some(training.training.normalize);
                Some(model::of_file(path, normalize, None))
            }
            model::Draft::Stage(reference) => builder
                .one(reference)
                .and_then(|number| model::of_stage(builder, number, self.checkpoint.as_ref())),
        };
        let (found, folds) = self.data.build(builder)?;
        augment::check(builder, &training.augment, found.resize)?;
        let model = model?;
        let outcome = |fold: fold::Fold| {
            let settings = Transfer {
                model: model.clone(),
                data: builder.id(found.data),
                dataset: builder.id(found.dataset),
                split: builder.id(found.split),
                fold: fold.fold,
                train_layers: self.train_layers,
                keep_normalize: !training.normalized,
                training: training.training.clone(),
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
