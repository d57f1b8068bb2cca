//! Ranges that a draw comes from, written as one number (to either side of what changes nothing) or as `[low, high]`.
//! They are written down as the range, so that both ways of writing are one setting.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, de};

trait Spread: Sized {
    const ACCEPTS: &'static str;
    /// The range around what changes nothing.
    fn around(number: f64) -> [f64; 2];
    /// Whether an end of a range may be this.
    fn holds(end: f64) -> bool;
}

macro_rules! spread {
    ($(#[$doc:meta])* $name:ident, $accepts:literal, |$v:ident| $around:expr, |$e:ident| $holds:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize)]
        #[serde(transparent)]
        pub struct $name([f64; 2]);

        impl Spread for $name {
            const ACCEPTS: &'static str = $accepts;
            fn around($v: f64) -> [f64; 2] {
                $around
            }
            fn holds($e: f64) -> bool {
                $holds
            }
        }

        impl $name {
            /// The smallest and largest value.
            #[must_use]
            pub const fn get(self) -> [f64; 2] {
                self.0
            }

            /// A default known to be in range.
            pub(super) const fn known(low: f64, high: f64) -> Self {
                Self([low, high])
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor = Visitor::<Self>(PhantomData);
                deserializer.deserialize_any(visitor).map(Self)
            }
        }
    };
}

spread!(
    /// A factor: `0.4` stands for `[0.6, 1.4]`, and nothing below 0.
    FactorRange, "a number of at least 0, or two of them with the smaller one first",
    |v| [(1.0 - v).max(0.0), 1.0 + v], |e| e.is_finite() && e >= 0.0
);
spread!(
    /// A shift of hue in turns of the colour wheel: `0.1` stands for `[-0.1, 0.1]`.
    HueShift, "a number from 0 to 0.5, or two from -0.5 to 0.5 with the smaller one first",
    |v| [-v, v], |e| (-0.5..=0.5).contains(&e)
);
spread!(
    /// An angle in degrees: `15` stands for `[-15, 15]`.
    Degrees, "a number of at least 0, or two numbers with the smaller one first",
    |v| [-v, v], |e| e.is_finite()
);

struct Visitor<S>(PhantomData<S>);

impl<'de, S: Spread> de::Visitor<'de> for Visitor<S> {
    type Value = [f64; 2];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::ACCEPTS)
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<[f64; 2], E> {
        let range = S::around(v);
        if v >= 0.0 && range.into_iter().all(S::holds) {
            return Ok(range);
        }
        Err(E::invalid_value(de::Unexpected::Float(v), &self))
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<[f64; 2], E> {
        self.visit_f64(v as f64)
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<[f64; 2], E> {
        self.visit_f64(v as f64)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<[f64; 2], A::Error> {
        let mut ends = Vec::new();
        while let Some(end) = seq.next_element::<f64>()? {
            ends.push(end);
        }
        let [low, high] = ends[..] else {
            return Err(de::Error::invalid_value(de::Unexpected::Seq, &self));
        };
        if low <= high && S::holds(low) && S::holds(high) {
            return Ok([low, high]);
        }
        Err(de::Error::invalid_value(de::Unexpected::Seq, &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(text: &str) -> Result<FactorRange, String> {
        serde_json::from_str(text).map_err(|e: serde_json::Error| e.to_string())
    }

    #[test]
    fn one_number_and_its_range_are_one_setting() {
        assert_eq!(factor("0.25"), factor("[0.75, 1.25]"));
        assert_eq!(factor("3").unwrap().get(), [0.0, 4.0]);
        assert_eq!(
            serde_json::to_string(&factor("0.5").unwrap()).unwrap(),
            "[0.5,1.5]"
        );
    }

    #[test]
    fn a_range_from_high_to_low_or_of_another_length_is_an_error() {
        for text in ["-1", "[1.4, 0.6]", "[-0.1, 1]", "[1]", "[1, 2, 3]"] {
            assert!(
                factor(text).unwrap_err().contains("the smaller one first"),
                "{text}"
            );
        }
        assert!(serde_json::from_str::<HueShift>("0.6").is_err());
    }
}
