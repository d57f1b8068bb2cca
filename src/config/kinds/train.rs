//! `[train.x]`: from scratch.

use toml::Spanned;

use super::{
    super::{
        Settings, Train,
        build::{Builder, Outcome},
    },
    Fields, fold, training,
};
use crate::settings::Arch;

/// A train as written.
pub(crate) struct Draft {
    data: fold::Draft,
    arch: Arch,
    zero_init_residual: bool,
    training: training::Draft,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let data = fold::read(fields);
    let names = crate::name::one_of(Arch::ALL.map(Arch::name));
    let arch = fields.need("arch", &names);
    let zero_init_residual = fields.take("zero_init_residual", "`true` or `false`");
    let training = training::read(fields);
    fields.finish()?;
    Some(Draft {
        data: data.draft()?,
        arch: arch.map(Spanned::into_inner)?,
        zero_init_residual: zero_init_residual.is_some_and(Spanned::into_inner),
        training: training.draft()?,
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let (found, folds) = self.data.build(builder)?;
        self.training.check(builder, found.resize)?;
        let outcome = |fold: fold::Fold| {
            let settings = Train {
                data: builder.id(found.data),
                dataset: builder.id(found.dataset),
                split: builder.id(found.split),
                fold: fold.fold,
                arch: self.arch,
                zero_init_residual: self.zero_init_residual,
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
