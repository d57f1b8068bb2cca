//! `[train.x]`: from scratch.

use toml::Spanned;

use super::{
    super::{
        Settings, Train,
        build::{Builder, Outcome},
    },
    Fields, fold, network, training,
};
use crate::settings::NetworkSettings;

/// A train as written.
pub(crate) struct Draft {
    data: fold::Draft,
    network: Spanned<NetworkSettings>,
    training: training::Draft,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let data = fold::read(fields);
    let network = network::read(fields);
    let training = training::read(fields);
    fields.finish()?;
    Some(Draft {
        data: data.draft()?,
        network: network?,
        training: training.draft()?,
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
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
                ..Outcome::plain(Settings::Train(settings), found.origin(fold.fold))
            }
        };
        Some(folds.into_iter().map(outcome).collect())
    }
}
