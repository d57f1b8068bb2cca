//! Numbers with a range, so that `epochs = 0`, `lr = -1` and NaN are errors where they are written.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::declare::{
    End::{Open, With, Without},
    Interval, Refused, Setting, Shape, Ways, plain, read_ways,
};

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $low:expr, $high:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl $name {
            const INTERVAL: Interval = Interval {
                low: $low,
                high: $high,
            };

            /// The value, if it is in range.
            #[must_use]
            pub fn new(value: f64) -> Option<Self> {
                Self::INTERVAL.holds(value).then_some(Self(value))
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

        impl Ways for $name {
            fn expects() -> String {
                Self::INTERVAL.to_string()
            }

            fn number(number: f64) -> Result<Self, Refused> {
                Self::new(number).ok_or(Refused::Value)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read_ways(deserializer)
            }
        }

        plain! { $name: Shape::Number($name::INTERVAL) }
    };
}

ranged!(
    /// A finite number above 0, such as a learning rate.
    Positive, Without(0.0), Open
);
ranged!(
    /// A finite number of at least 0, such as a weight decay.
    NonNegative, With(0.0), Open
);
ranged!(
    /// A number from 0 to 1, both included.
    Probability, With(0.0), With(1.0)
);
ranged!(
    /// A number from 0 to below 1, such as the decay of a running mean.
    Decay, With(0.0), Without(1.0)
);
ranged!(
    /// A number above 0 and at most 1 that shrinks another one.
    Factor, Without(0.0), With(1.0)
);

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

plain! {
    Side: Shape::Whole { least: 1, most: Side::LONGEST },
    Count: Shape::Whole { least: 1, most: u32::MAX },
}

impl<'de> Deserialize<'de> for Side {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = Count::deserialize(deserializer)?.get();
        Self::new(found).ok_or_else(|| {
            let accepts = <Self as Setting>::accepts();
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

impl Ways for Count {
    fn expects() -> String {
        <Self as Setting>::accepts()
    }

    fn whole(number: i64) -> Result<Self, Refused> {
        let count = u32::try_from(number).ok().and_then(Self::new);
        count.ok_or(Refused::Value)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}
