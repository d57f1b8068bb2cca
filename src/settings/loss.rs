//! Losses, with PyTorch's and timm's semantics, and the weights of classes in them.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, value::MapAccessDeserializer},
};

use super::{
    NonNegative, Positive, Probability,
    declare::{Refused, Shape, Ways, Word, plain, read_ways, settings, words_or_tables},
};

words_or_tables! {
    /// What a training makes small.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Loss as "loss" {
        /// Softmax cross entropy, mean over the batch (`torch.nn.functional.cross_entropy`).
        CrossEntropy = "cross_entropy",
        /// Softmax cross entropy that counts images little which are easy.
        #[example = "{ gamma = 2.0 }"]
        Focal(Focal) = "focal",
        /// Binary cross entropy of each class by itself.
        #[example = "{ sum_classes = true }"]
        Bce(Bce) = "bce",
    }
}

settings! {
    /// The sum over classes of `-q (1 - p)^gamma log p`, for targets q and softmax p, mean over the batch. The formula of Lin et al.
    /// (2017) with softmax for their sigmoid; their alpha is `class_weights`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Focal {
        /// How much less an easy image counts; 0 is cross entropy.
        pub gamma: NonNegative = NonNegative::known(2.0),
    }
}

settings! {
    /// Sigmoid cross entropy of every class against the one-hot, smoothed or mixed target (timm's `BinaryCrossEntropy`; Wightman et
    /// al., 2021).
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Bce {
        /// Targets above it count as 1 and the others as 0; without it targets stay as they are.
        pub target_threshold: Option<Probability>,
        /// The sum over classes in place of their mean.
        pub sum_classes: bool = false,
    }
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

plain! {
    ClassWeights: Shape::Ways(vec![
        Shape::Word(vec![Word {
            name: "balanced",
            doc: "By the counts of the training part: n / (classes * count), scikit-learn's rule.",
        }]),
        Shape::Map(Box::new(Positive::shape())),
    ])
}

impl Ways for ClassWeights {
    fn expects() -> String {
        "`\"balanced\"` or a table of weights above 0 by class".to_owned()
    }

    fn word(word: &str) -> Result<Self, Refused> {
        match word {
            "balanced" => Ok(Self::Balanced),
            _ => Err(Refused::Value),
        }
    }

    fn table<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Self::Given)
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}
