//! `[split.x]`: a hold-out or folds.

use super::{
    super::{
        Settings, Split,
        build::{Builder, Origin, Outcome},
        reference::Reference,
        values::{Folds, Share},
    },
    Fields, Kind,
};
use crate::{
    seed::Seed,
    settings::{Count, Probability},
};

/// A split as written.
pub(crate) struct Draft {
    dataset: Reference,
    validation: Option<Probability>,
    folds: Option<Count>,
    seed: Seed,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let dataset = fields.need_reference("dataset", &[Kind::Dataset]);
    if let (Some(_), Some(at)) = (fields.place("validation"), fields.place("folds")) {
        let help = "with `folds = 5` each fold holds out a fifth, so leave `validation` out";
        fields.tell(&at, "`folds` together with `validation`", Some(help));
    }
    let validation = fields.take::<Share>("validation", Share::ACCEPTS);
    let folds = fields.take::<Folds>("folds", Folds::ACCEPTS);
    let seed = fields.seed();
    fields.finish()?;
    let folds = folds.map(|folds| folds.into_inner().0);
    let validation = validation.map(|share| share.into_inner().0);
    Some(Draft {
        dataset: dataset?,
        validation: match folds {
            Some(_) => None,
            None => Some(validation.unwrap_or(Probability::known(0.2))),
        },
        folds,
        seed,
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let dataset = builder.one(&self.dataset)?;
        let settings = Split {
            dataset: builder.id(dataset),
            validation: self.validation,
            folds: self.folds,
            seed: self.seed,
        };
        let origin = Origin {
            dataset: Some(dataset),
            ..Origin::default()
        };
        Some(vec![Outcome::plain(Settings::Split(settings), origin)])
    }
}
