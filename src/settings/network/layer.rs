//! A layer by its name.

use std::{fmt, sync::LazyLock};

use serde::{Deserialize, Deserializer, Serialize, de};

use super::Arch;
use crate::settings::declare::{Shape, Word, plain};

/// The name of a layer of some family. Whether a network has it is known once the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Layer(&'static str);

/// The names of all families, each once, in their order.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut names = Vec::new();
    for name in Arch::ALL.into_iter().flat_map(|arch| arch.family().names()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
});

impl Layer {
    /// The layer of that name, if any network has one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|known| **known == name)
            .copied()
            .map(Self)
    }

    /// The name as written in a pipeline file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

plain! {
    Layer: Shape::Word(NAMES.iter().map(|name| Word { name, doc: "" }).collect())
}

impl<'de> Deserialize<'de> for Layer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Layer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a layer such as `\"layer3\"`")
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Layer, E> {
                Layer::named(v).ok_or_else(|| E::unknown_variant(v, &NAMES))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}
