//! Which layers a transfer trains.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess},
};

use super::{
    Count,
    declare::{
        Field, InKey, Refused, Setting, Shape, Table, Ways, Word, plain, read_ways, settings,
    },
};

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

settings! {
    /// The head first, then one layer more at a time (Howard and Ruder, 2018).
    #[example = "{ epochs = 2 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct GradualUnfreezing {
        /// Epochs before the next layer is trained too.
        pub epochs: Count,
    }
}

impl GradualUnfreezing {
    /// What is trained in epoch `epoch` (from 1), `down_to` at the end.
    #[must_use]
    pub fn layers(self, down_to: TrainLayers, epoch: u32) -> TrainLayers {
        let thawed = (epoch.saturating_sub(1) / self.epochs.get()) as usize;
        let reached = Layer::ALL.into_iter().rev().nth(thawed);
        TrainLayers::From(reached.unwrap_or(Layer::Conv1).max(down_to.first()))
    }
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

    /// The name as written in a pipeline file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv1 => "conv1",
            Self::Layer1 => "layer1",
            Self::Layer2 => "layer2",
            Self::Layer3 => "layer3",
            Self::Layer4 => "layer4",
            Self::Fc => "fc",
        }
    }

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

plain! {
    Layer: Shape::Word(Layer::ALL.map(|layer| Word { name: layer.name(), doc: "" }).to_vec())
}

impl Setting for TrainLayers {
    type Written = Self;

    fn settle(written: Self) -> Self {
        written
    }

    fn shape() -> Shape {
        let words = [("all", "The whole model."), ("head", "The new head only.")];
        let words = words.map(|(name, doc)| Word { name, doc });
        let from = Field {
            name: "from",
            doc: "This layer and everything behind it; what lies before is frozen, BatchNorm statistics too.",
            accepts: Layer::accepts(),
            needed: true,
            default: None,
            unset: "",
            shape: Layer::shape(),
            key: InKey::Always,
        };
        Shape::Ways(vec![
            Shape::Word(words.to_vec()),
            Shape::Table(Table {
                doc: "A layer and everything behind it.",
                example: "{ from = \"layer3\" }",
                fields: vec![from],
            }),
        ])
    }

    fn accepts() -> String {
        "`\"all\"`, `\"head\"` or `{ from = \"layer3\" }`".to_owned()
    }
}

impl Ways for TrainLayers {
    fn expects() -> String {
        Self::accepts()
    }

    fn word(word: &str) -> Result<Self, Refused> {
        match word {
            "all" => Ok(Self::All),
            "head" => Ok(Self::Head),
            _ => Err(Refused::Value),
        }
    }

    fn table<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
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
        Ok(Self::From(layer))
    }
}

impl<'de> Deserialize<'de> for TrainLayers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_thaw_from_the_head_backwards_down_to_the_first_that_is_trained() {
        use Layer::{Conv1, Fc, Layer1, Layer2, Layer3, Layer4};
        let rule = GradualUnfreezing {
            epochs: Count::known(2),
        };
        let course = |down_to| {
            (1..=13)
                .map(|e| rule.layers(down_to, e).first())
                .collect::<Vec<_>>()
        };
        let twice = [Fc, Layer4, Layer3, Layer2, Layer1, Conv1].map(|layer| [layer; 2]);
        assert_eq!(
            course(TrainLayers::All),
            [twice.as_flattened(), &[Conv1]].concat()
        );
        let until = course(TrainLayers::From(Layer3));
        assert_eq!(until[..4], [Fc, Fc, Layer4, Layer4]);
        assert!(until[4..].iter().all(|layer| *layer == Layer3));
    }
}
