//! Values that only a pipeline file has: they are gone once it is read.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::settings::{
    Count, Probability,
    declare::{End, Interval, Refused, Shape, Ways, Word, plain, read_ways},
};

/// `validation = 0.2`: above 0 and below 1.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Share(pub Probability);

impl Share {
    /// What is accepted.
    pub(crate) const ACCEPTS: &'static str = "a number above 0 and below 1, such as 0.2";
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = Probability::deserialize(deserializer).map(Probability::get);
        let share = share.ok().filter(|v| *v > 0.0 && *v < 1.0);
        let share = share.and_then(Probability::new);
        share
            .map(Self)
            .ok_or_else(|| de::Error::custom("out of range"))
    }
}

/// `folds = 5`: from 2 to 1000.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Folds(pub Count);

impl<'de> Deserialize<'de> for Folds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let folds = Count::deserialize(deserializer).ok();
        let folds = folds.filter(|folds| (2..=1000).contains(&folds.get()));
        folds
            .map(Self)
            .ok_or_else(|| de::Error::custom("out of range"))
    }
}

/// `fold = 0` or `fold = "all"`.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) enum FoldChoice {
    /// One instance for each fold.
    All,
    /// This fold validates.
    One(u32),
}

impl FoldChoice {
    /// What is accepted.
    pub(crate) const ACCEPTS: &'static str = "the number of a fold from 0, or `\"all\"`";
}

impl Ways for FoldChoice {
    fn expects() -> String {
        Self::ACCEPTS.to_owned()
    }

    fn word(word: &str) -> Result<Self, Refused> {
        match word {
            "all" => Ok(Self::All),
            _ => Err(Refused::Value),
        }
    }

    fn whole(number: i64) -> Result<Self, Refused> {
        u32::try_from(number)
            .map(Self::One)
            .map_err(|_| Refused::Value)
    }
}

impl<'de> Deserialize<'de> for FoldChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}

plain! {
    Share: Shape::Number(Interval { low: End::Without(0.0), high: End::Without(1.0) }),
    Folds: Shape::Whole { least: 2, most: 1000 },
    FoldChoice: Shape::Ways(vec![
        Shape::Whole { least: 0, most: u32::MAX },
        Shape::Word(vec![Word { name: "all", doc: "An instance for each fold." }]),
    ]),
}
