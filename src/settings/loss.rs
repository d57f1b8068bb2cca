//! Losses, with PyTorch's and timm's semantics, and the weights of classes in them.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{NonNegative, Positive, Probability};

/// The loss: `loss = "cross_entropy"`, `"focal"` or `"bce"`, the last two also with settings: `loss.focal = { gamma = 2.0 }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Softmax cross entropy, mean over the batch (`torch.nn.functional.cross_entropy`).
    #[default]
    CrossEntropy,
    /// Softmax cross entropy that counts images little which are easy.
    Focal(Focal),
    /// Binary cross entropy of each class by itself.
    Bce(Bce),
}

/// With settings, as derived.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Table {
    CrossEntropy,
    Focal(Focal),
    Bce(Bce),
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Loss;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`cross_entropy`, `focal` or `bce`, or a table such as `{ focal = { gamma = 2.0 } }`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Loss, E> {
                match word {
                    "cross_entropy" => Ok(Loss::CrossEntropy),
                    "focal" => Ok(Loss::Focal(Focal { gamma: gamma() })),
                    "bce" => Ok(Loss::Bce(Bce {
                        target_threshold: None,
                        sum_classes: false,
                    })),
                    _ => Err(E::unknown_variant(word, &["cross_entropy", "focal", "bce"])),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Loss, A::Error> {
                let table = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(match table {
                    Table::CrossEntropy => Loss::CrossEntropy,
                    Table::Focal(focal) => Loss::Focal(focal),
                    Table::Bce(bce) => Loss::Bce(bce),
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// `loss.focal`: the sum over classes of `-q (1 - p)^gamma log p`, for targets q and softmax p, mean over the batch. The
/// formula of Lin et al. (2017) with softmax for their sigmoid; their alpha is `class_weights`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Focal {
    /// How much less an easy image counts; 2 by default, 0 is cross entropy.
    #[serde(default = "gamma")]
    pub gamma: NonNegative,
}

/// `loss.bce` (timm's `BinaryCrossEntropy`; Wightman et al., 2021): sigmoid cross entropy of every class against the one-hot,
/// smoothed or mixed target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bce {
    /// Targets above it count as 1 and the others as 0; targets stay as they are by default.
    #[serde(default)]
    pub target_threshold: Option<Probability>,
    /// The sum over classes in place of their mean; off by default.
    #[serde(default)]
    pub sum_classes: bool,
}

fn gamma() -> NonNegative {
    NonNegative::known(2.0)
}

/// `class_weights = "balanced"` or `{ bibimbap = 2.0 }`.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// `n / (classes * count)` of the training part, scikit-learn's rule.
    Balanced,
    /// By name of class; 1 for all others.
    Given(BTreeMap<String, Positive>),
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balanced => serializer.serialize_str("balanced"),
            Self::Given(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = ClassWeights;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`\"balanced\"` or a table of weights above 0 by class")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<ClassWeights, E> {
                if word == "balanced" {
                    return Ok(ClassWeights::Balanced);
                }
                Err(E::invalid_value(de::Unexpected::Str(word), &self))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ClassWeights, A::Error> {
                BTreeMap::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(ClassWeights::Given)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
