//! Values that only a pipeline file has: they are gone once it is read.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::settings::{Count, Probability};

/// `validation = 0.2`: above 0 and below 1.
#[derive(Clone, Copy)]
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
#[derive(Clone, Copy)]
pub(crate) struct Folds(pub Count);

impl Folds {
    /// What is accepted.
    pub(crate) const ACCEPTS: &'static str = "a whole number from 2 to 1000";
}

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
#[derive(Clone, Copy)]
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

impl<'de> Deserialize<'de> for FoldChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = FoldChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(FoldChoice::ACCEPTS)
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<FoldChoice, E> {
                match v {
                    "all" => Ok(FoldChoice::All),
                    _ => Err(E::invalid_value(de::Unexpected::Str(v), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<FoldChoice, E> {
                let fold = u32::try_from(v).map(FoldChoice::One);
                fold.map_err(|_| E::invalid_value(de::Unexpected::Signed(v), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
