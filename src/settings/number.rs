//! Numbers with a range, so that `epochs = 0`, `lr = -1` and NaN are errors where they are written.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// Whether a number is accepted, and the words for what is.
trait Range {
    const ACCEPTS: &'static str;
    fn holds(value: f64) -> bool;
}

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $accepts:literal, |$v:ident| $holds:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl Range for $name {
            const ACCEPTS: &'static str = $accepts;
            fn holds($v: f64) -> bool {
                $holds
            }
        }

        impl $name {
            /// The value, if it is in range.
            #[must_use]
            pub fn new(value: f64) -> Option<Self> {
                Self::holds(value).then_some(Self(value))
            }

            /// The value as a plain number.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }

            /// A default known to be in range.
            pub(crate) const fn known(value: f64) -> Self {
                Self(value)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                real::<Self, D>(deserializer).map(Self)
            }
        }
    };
}

ranged!(
    /// A finite number above 0, such as a learning rate.
    Positive, "a number above 0", |v| v.is_finite() && v > 0.0
);
ranged!(
    /// A finite number of at least 0, such as a weight decay.
    NonNegative, "a number of at least 0", |v| v.is_finite() && v >= 0.0
);
ranged!(
    /// A number from 0 to 1, both included.
    Probability, "a number from 0 to 1", |v| (0.0..=1.0).contains(&v)
);

ranged!(
    /// A number from 0 to below 1, such as the decay of a running mean.
    Decay, "a number from 0 to below 1", |v| (0.0..1.0).contains(&v)
);

ranged!(
    /// A number above 0 and at most 1 that shrinks another one.
    Factor, "a number above 0 and at most 1", |v| v > 0.0 && v <= 1.0
);

fn real<'de, R: Range, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    struct Visitor<R>(std::marker::PhantomData<R>);
    impl<R: Range> de::Visitor<'_> for Visitor<R> {
        type Value = f64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(R::ACCEPTS)
        }

        fn visit_f64<E: de::Error>(self, v: f64) -> Result<f64, E> {
            if R::holds(v) {
                return Ok(v);
            }
            Err(E::invalid_value(de::Unexpected::Float(v), &self))
        }

        fn visit_i64<E: de::Error>(self, v: i64) -> Result<f64, E> {
            if R::holds(v as f64) {
                return Ok(v as f64);
            }
            Err(E::invalid_value(de::Unexpected::Signed(v), &self))
        }

        fn visit_u64<E: de::Error>(self, v: u64) -> Result<f64, E> {
            self.visit_f64(v as f64)
        }
    }
    deserializer.deserialize_any(Visitor::<R>(std::marker::PhantomData))
}

/// A range such as `[0.08, 1.0]`: smallest and largest.
pub(super) fn ascending<'de, T, D>(deserializer: D) -> Result<[T; 2], D::Error>
where
    T: Deserialize<'de> + PartialOrd,
    D: Deserializer<'de>,
{
    let range = <[T; 2]>::deserialize(deserializer)?;
    if range[0] > range[1] {
        let message = "invalid value: a range from high to low, expected the smaller number first";
        return Err(de::Error::custom(message));
    }
    Ok(range)
}

/// A side in pixels, from 1 to 8192. A square of the longest takes 192 MiB as bytes and 768 MiB as floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Side(Count);

impl Side {
    /// The longest side in pixels.
    pub const LONGEST: u32 = 8192;

    /// The value, if it is in range.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        match Count::new(value) {
            Some(count) if value <= Self::LONGEST => Some(Self(count)),
            _ => None,
        }
    }

    /// The value as a plain number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// A default known to be in range.
    pub(crate) const fn known(value: u32) -> Self {
        Self(Count::known(value))
    }
}

impl From<Side> for Count {
    fn from(side: Side) -> Self {
        side.0
    }
}

impl<'de> Deserialize<'de> for Side {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = Count::deserialize(deserializer)?.get();
        Self::new(found).ok_or_else(|| {
            let accepts = format!("a whole number from 1 to {}", Self::LONGEST);
            let found = de::Unexpected::Unsigned(found.into());
            de::Error::invalid_value(found, &accepts.as_str())
        })
    }
}

/// A whole number from 1 to 4,294,967,295, such as epochs or a batch size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Count(u32);

impl Count {
    /// The value, unless it is 0.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        if value == 0 { None } else { Some(Self(value)) }
    }

    /// The value as a plain number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// A default known to be above 0.
    pub(crate) const fn known(value: u32) -> Self {
        Self(value)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of at least 1")
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Count, E> {
                u32::try_from(v)
                    .ok()
                    .and_then(Count::new)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(v), &self))
            }

            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Count, E> {
                u32::try_from(v)
                    .ok()
                    .and_then(Count::new)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(v), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
