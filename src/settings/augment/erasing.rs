//! Random erasing.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::settings::{Positive, Probability, number};

/// `random_erasing = { p = 0.25 }` (Zhong et al., 2017), with torchvision's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomErasing {
    /// The probability that an image loses a rectangle; 0.5 by default.
    #[serde(default = "half")]
    pub p: Probability,
    /// The smallest and largest share of the area; `[0.02, 0.33]` by default.
    #[serde(default = "scale", deserialize_with = "number::ascending")]
    pub scale: [Probability; 2],
    /// The smallest and largest height : width; `[0.3, 3.3]` by default.
    #[serde(default = "ratio", deserialize_with = "number::ascending")]
    pub ratio: [Positive; 2],
    /// What the rectangle holds then, in normalised values; 0 by default.
    #[serde(default)]
    pub value: Erased,
}

fn half() -> Probability {
    Probability::known(0.5)
}

fn scale() -> [Probability; 2] {
    [Probability::known(0.02), Probability::known(0.33)]
}

fn ratio() -> [Positive; 2] {
    [Positive::known(0.3), Positive::known(3.3)]
}

/// What an erased rectangle holds: `0`, `[r, g, b]` or `"random"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Erased {
    /// A value for each channel.
    Constant([f64; 3]),
    /// Each value of its own from a normal distribution of mean 0 and standard deviation 1.
    Random,
}

impl Default for Erased {
    fn default() -> Self {
        Self::Constant([0.0; 3])
    }
}

impl Serialize for Erased {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(values) => values.serialize(serializer),
            Self::Random => serializer.serialize_str("random"),
        }
    }
}

impl<'de> Deserialize<'de> for Erased {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Erased;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, three of them for red, green and blue, or `\"random\"`")
            }

            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Erased, E> {
                if v.is_finite() {
                    return Ok(Erased::Constant([v; 3]));
                }
                Err(E::invalid_value(de::Unexpected::Float(v), &self))
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Erased, E> {
                self.visit_f64(v as f64)
            }

            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Erased, E> {
                self.visit_f64(v as f64)
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Erased, E> {
                if v == "random" {
                    return Ok(Erased::Random);
                }
                Err(E::invalid_value(de::Unexpected::Str(v), &self))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Erased, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element::<f64>()? {
                    values.push(value);
                }
                let [r, g, b] = values[..] else {
                    return Err(de::Error::invalid_value(de::Unexpected::Seq, &self));
                };
                if values.iter().all(|v| v.is_finite()) {
                    return Ok(Erased::Constant([r, g, b]));
                }
                Err(de::Error::invalid_value(de::Unexpected::Seq, &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
