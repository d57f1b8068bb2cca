//! `[train.x]`: from scratch.

use super::{fold, training};
use crate::{
    config::{
        build::{Builder, Draft, Made, Outcome},
        data_path::Network,
        fields::Fields,
    },
    settings::{
        Arch, Save, Training,
        declare::{Described, Table, fields},
    },
};

/// Train from scratch.
#[derive(Clone, Debug)]
pub struct Train {
    /// The preprocess instance (`data = …`).
    pub data: String,
    /// The dataset behind it.
    pub dataset: String,
    /// The split instance; it is of the same dataset.
    pub split: String,
    /// The fold that validates, where the split has folds.
    pub fold: Option<u32>,
    /// The architecture.
    pub arch: Arch,
    /// Whether each residual block begins as the identity: the weight of its last BatchNorm is 0 at first (torchvision's name).
    pub zero_init_residual: bool,
    /// How to train.
    pub training: Box<Training>,
    /// When to save the state of a running training; in no key.
    pub save: Save,
}

impl Made for Train {
    fn network(&self) -> Network<'_> {
        Network::Built(self.arch)
    }
}

fields! {
    /// A network from scratch.
    pub(crate) struct Given read as GivenRead {
        /// The network, as in torchvision.
        arch: Arch,
        /// Each residual block begins as the identity: the weight of its last BatchNorm is 0 at first (torchvision's setting of that name).
        zero_init_residual: bool = false,
    }
}

/// Its settings, in the order in which they are read.
pub(crate) fn tables() -> Vec<Table> {
    let saving = training::Saving::table();
    vec![
        fold::Given::table(),
        Given::table(),
        Training::table(),
        saving,
    ]
}

/// A train as written.
struct Written {
    data: fold::Draft,
    given: Given,
    training: training::Draft,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let data = fold::read(fields);
    let given = GivenRead::take(fields);
    let training = training::read(fields);
    fields.finish()?;
    Some(Box::new(Written {
        data: data.draft()?,
        given: given.settle()?,
        training: training.draft()?,
    }))
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let (found, folds) = self.data.build(builder)?;
        self.training.check(builder, found.resize)?;
        let outcome = |fold: fold::Fold| {
            let settings = Train {
                data: builder.id(found.data),
                dataset: builder.id(found.dataset),
                split: builder.id(found.split),
                fold: fold.fold,
                arch: self.given.arch,
                zero_init_residual: self.given.zero_init_residual,
                training: Box::new(self.training.training.clone()),
                save: self.training.save,
            };
            Outcome {
                after: fold.varied,
                ..Outcome::plain(settings, found.origin(fold.fold))
            }
        };
        Some(folds.into_iter().map(outcome).collect())
    }
}
