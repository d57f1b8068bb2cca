//! Which layers a transfer trains.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// `train_layers = "all"`, `"head"` or `{ from = "layer3" }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainLayers {
    /// The whole model.
    #[default]
    All,
    /// This layer and everything behind it; what lies before is frozen, BatchNorm statistics too.
    From(Layer),
    /// The new head only.
    Head,
}

/// A named stage of a ResNet, in the order of the forward pass. `conv1` means `conv1` and `bn1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The stem: `conv1` and `bn1`.
    Conv1,
    /// First group of blocks.
    Layer1,
    /// Second group of blocks.
    Layer2,
    /// Third group of blocks.
    Layer3,
    /// Fourth group of blocks.
    Layer4,
    /// The head.
    Fc,
}

impl Layer {
    /// In the order of the forward pass.
    pub const ALL: [Self; 6] = [
        Self::Conv1,
        Self::Layer1,
        Self::Layer2,
        Self::Layer3,
        Self::Layer4,
        Self::Fc,
    ];

    /// How many layers lie between it and the end: 0 for the head, 5 for the stem.
    #[must_use]
    pub const fn before_head(self) -> i32 {
        Self::Fc as i32 - self as i32
    }
}

impl TrainLayers {
    /// The first layer that is trained.
    #[must_use]
    pub const fn first(self) -> Layer {
        match self {
            Self::All => Layer::Conv1,
            Self::From(layer) => layer,
            Self::Head => Layer::Fc,
        }
    }
}

impl<'de> Deserialize<'de> for TrainLayers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = TrainLayers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`\"all\"`, `\"head\"` or `{ from = \"layer3\" }`")
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<TrainLayers, E> {
                match v {
                    "all" => Ok(TrainLayers::All),
                    "head" => Ok(TrainLayers::Head),
                    _ => Err(E::invalid_value(de::Unexpected::Str(v), &self)),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<TrainLayers, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::missing_field("from"));
                };
                if key != "from" {
                    return Err(de::Error::unknown_field(&key, &["from"]));
                }
                let layer = map.next_value()?;
                if let Some(key) = map.next_key::<String>()? {
                    return Err(de::Error::unknown_field(&key, &["from"]));
                }
                Ok(TrainLayers::From(layer))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
