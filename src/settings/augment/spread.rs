//! Ranges that a draw comes from, written as one number (to either side of what changes nothing) or as `[low, high]`.
//! They are written down as the range, so that both ways of writing are one setting.

use serde::{Deserialize, Deserializer, Serialize};

use crate::settings::declare::{End, Interval, Refused, Shape, Ways, plain, read_ways};

macro_rules! spread {
    ($(#[$doc:meta])* $name:ident, $accepts:literal, |$v:ident| $around:expr, $low:expr, $high:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize)]
        #[serde(transparent)]
        pub struct $name([f64; 2]);

        impl $name {
            /// Where both ends of a range lie.
            const ENDS: Interval = Interval { low: $low, high: $high };

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

        plain! { $name: ways($name::ENDS) }

        impl Ways for $name {
            const LISTS: bool = true;

            fn expects() -> String {
                $accepts.to_owned()
            }

            fn number($v: f64) -> Result<Self, Refused> {
                match $v >= 0.0 {
                    true => Self::numbers(&$around),
                    false => Err(Refused::Value),
                }
            }

            fn numbers(numbers: &[f64]) -> Result<Self, Refused> {
                match *numbers {
                    [low, high] if low <= high && Self::ENDS.holds(low) && Self::ENDS.holds(high) => {
                        Ok(Self([low, high]))
                    }
                    _ => Err(Refused::Value),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read_ways(deserializer)
            }
        }
    };
}

/// One number, or two.
fn ways(ends: Interval) -> Shape {
    let item = Box::new(Shape::Number(ends));
    let length = Some(2);
    let one = Interval {
        low: End::With(0.0),
        ..ends
    };
    Shape::Ways(vec![Shape::Number(one), Shape::List { item, length }])
}

spread!(
    /// A factor: `0.4` stands for `[0.6, 1.4]`, and nothing below 0.
    FactorRange, "a number of at least 0, or two of them with the smaller one first",
    |v| [(1.0 - v).max(0.0), 1.0 + v], End::With(0.0), End::Open
);
spread!(
    /// A shift of hue in turns of the colour wheel: `0.1` stands for `[-0.1, 0.1]`.
    HueShift, "a number from 0 to 0.5, or two from -0.5 to 0.5 with the smaller one first",
    |v| [-v, v], End::With(-0.5), End::With(0.5)
);
spread!(
    /// An angle in degrees: `15` stands for `[-15, 15]`.
    Degrees, "a number of at least 0, or two numbers with the smaller one first",
    |v| [-v, v], End::Open, End::Open
);

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
