//! Which layers a transfer trains.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess},
};

use super::{
    Count, Family, Layer,
    declare::{Field, InKey, Refused, Setting, Shape, Table, Ways, Word, read_ways, settings},
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
    /// The number of the first layer that is trained in epoch `epoch` (from 1): first the head, `down_to` at the end.
    #[must_use]
    pub fn first(self, family: &Family, down_to: usize, epoch: u32) -> usize {
        let thawed = epoch.saturating_sub(1) / self.epochs.get();
        family.head().saturating_sub(thawed as usize).max(down_to)
    }
}

impl TrainLayers {
    /// The number of the first layer that is trained; `None` where the family has no layer of that name.
    #[must_use]
    pub fn first(self, family: &Family) -> Option<usize> {
        match self {
            Self::All => Some(0),
            Self::From(layer) => family.layer(layer.name()),
            Self::Head => Some(family.head()),
        }
    }
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
    use super::{super::Arch, *};

    #[test]
    fn layers_thaw_from_the_head_backwards_down_to_the_first_that_is_trained() {
        let rule = GradualUnfreezing {
            epochs: Count::known(2),
        };
        let family = Arch::Resnet18.family();
        let course = |down_to: TrainLayers| {
            let down_to = down_to.first(family).unwrap();
            (1..=13)
                .map(|e| family.layers[rule.first(family, down_to, e)].name)
                .collect::<Vec<_>>()
        };
        let order = ["fc", "layer4", "layer3", "layer2", "layer1", "conv1"];
        let twice = order.map(|layer| [layer; 2]);
        assert_eq!(
            course(TrainLayers::All),
            [twice.as_flattened(), &["conv1"]].concat()
        );
        let until = course(TrainLayers::From(Layer::named("layer3").unwrap()));
        assert_eq!(until[..4], ["fc", "fc", "layer4", "layer4"]);
        assert!(until[4..].iter().all(|layer| *layer == "layer3"));
    }
}
