//! `[train.x]`: from scratch.

use toml::Spanned;

use super::{fold, network, training};
use crate::{
    config::{
        build::{Builder, Draft, Made, Outcome},
        data_path::Network,
        fields::Fields,
    },
    settings::{
        NetworkSettings, Save, Training,
        declare::{Described, Table},
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
    /// The network with its own settings.
    pub network: NetworkSettings,
    /// How to train.
    pub training: Box<Training>,
    /// When to save the state of a running training; in no key.
    pub save: Save,
}

impl Made for Train {
    fn training(&self) -> Option<&Training> {
        Some(&self.training)
    }

    fn network(&self) -> Network<'_> {
        Network::Built(self.network.arch)
    }

    // Each field is named: a new one that is forgotten here would let two settings pass for repeats of one.
    fn repeated(&self) -> Option<String> {
        let Self {
            data,
            dataset: _,
            split,
            fold: _,
            network,
            training,
            save: _,
        } = self;
        let training = training.seedless();
        Some(format!("{data} {split} {network:?} {training:?}"))
    }
}

/// Its settings, in the order in which they are read.
pub(crate) fn tables() -> Vec<Table> {
    vec![
        fold::Given::table(),
        network::Given::table(),
        network::DropsGiven::table(),
        Training::table(),
        training::Saving::table(),
    ]
}

/// A train as written.
struct Written {
    data: fold::DataAndSplit,
    network: Spanned<NetworkSettings>,
    training: training::PlacedTraining,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let data = fold::read(fields);
    let network = network::read(fields);
    let training = training::read(fields);
    fields.finish()?;
    Some(Box::new(Written {
        data: data.whole()?,
        network: network?,
        training: training.placed()?,
    }))
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let (found, folds) = self.data.build(builder)?;
        self.training.check(builder, found.resize)?;
        let network = *self.network.get_ref();
        let (at, training) = (self.network.span(), &self.training.training);
        network::check_size(builder, &at, network.arch, training, found.resize)?;
        let outcome = |fold: fold::Fold| {
            let settings = Train {
                data: builder.id(found.data),
                dataset: builder.id(found.dataset),
                split: builder.id(found.split),
                fold: fold.fold,
                network,
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
