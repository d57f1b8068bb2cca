//! The networks, as far as a pipeline file knows them: their names, their layers and their own settings. Nothing here is a
//! tensor; the folder of the same name under `model` has those.
//!
//! A new family is a file here and a line for it and each of its networks below.

mod convnext;
mod efficientnet;
mod family;
mod layer;
mod network_settings;
mod resnet;

use serde::{Deserialize, Serialize};

use super::declare::{Setting, Shape, Word};
use crate::name::one_of;

pub use self::{
    family::{Family, LayerGroup},
    layer::Layer,
    network_settings::NetworkSettings,
};

/// The enum of all networks, by the name in a pipeline file and the file that declares the family.
macro_rules! networks {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal of $family:ident,)*) => {
        /// A network, built, named and initialised as in torchvision.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Arch {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Arch {
            /// All of them, family by family, smallest first.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name as in torchvision and in a pipeline file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The name within a sentence, with its article: "an `efficientnet_b0`".
            #[must_use]
            pub fn told(self) -> String {
                let name = self.name();
                let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
                format!("{article} `{name}`")
            }

            /// What it has in common with networks that are built alike.
            #[must_use]
            pub const fn family(self) -> &'static Family {
                match self {
                    $(Self::$variant => &$family::FAMILY,)*
                }
            }
        }

        impl Setting for Arch {
            type Written = Self;

            fn settle(written: Self) -> Self {
                written
            }

            fn shape() -> Shape {
                Shape::Word(vec![$(Word { name: $name, doc: concat!("" $(, $doc)*).trim_ascii() }),*])
            }

            fn accepts() -> String {
                one_of(Self::ALL.map(Self::name))
            }
        }
    };
}

networks! {
    /// 18 layers, basic blocks 2-2-2-2.
    Resnet18 = "resnet18" of resnet,
    /// 34 layers, basic blocks 3-4-6-3.
    Resnet34 = "resnet34" of resnet,
    /// 50 layers, bottleneck blocks 3-4-6-3.
    Resnet50 = "resnet50" of resnet,
    /// 101 layers, bottleneck blocks 3-4-23-3.
    Resnet101 = "resnet101" of resnet,
    /// 152 layers, bottleneck blocks 3-8-36-3.
    Resnet152 = "resnet152" of resnet,
    /// Blocks 3-3-9-3 of 96 to 768 channels.
    ConvnextTiny = "convnext_tiny" of convnext,
    /// Blocks 1-2-2-3-3-4-1 of 16 to 320 channels.
    EfficientnetB0 = "efficientnet_b0" of efficientnet,
}
