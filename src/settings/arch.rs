//! The architectures.

use serde::{Deserialize, Serialize};

use super::declare::{Setting, Shape, Word};

/// A residual network of He et al. (2015), built, named and initialised as in torchvision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 18 layers, basic blocks 2-2-2-2.
    Resnet18,
    /// 34 layers, basic blocks 3-4-6-3.
    Resnet34,
    /// 50 layers, bottleneck blocks 3-4-6-3.
    Resnet50,
    /// 101 layers, bottleneck blocks 3-4-23-3.
    Resnet101,
    /// 152 layers, bottleneck blocks 3-8-36-3.
    Resnet152,
}

impl Arch {
    /// All of them, smallest first.
    pub const ALL: [Self; 5] = [
        Self::Resnet18,
        Self::Resnet34,
        Self::Resnet50,
        Self::Resnet101,
        Self::Resnet152,
    ];

    /// The name as in torchvision and in a pipeline file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resnet18 => "resnet18",
            Self::Resnet34 => "resnet34",
            Self::Resnet50 => "resnet50",
            Self::Resnet101 => "resnet101",
            Self::Resnet152 => "resnet152",
        }
    }
}

impl Setting for Arch {
    type Written = Self;

    fn settle(written: Self) -> Self {
        written
    }

    fn shape() -> Shape {
        Shape::Word(
            Self::ALL
                .map(|arch| Word {
                    name: arch.name(),
                    doc: "",
                })
                .to_vec(),
        )
    }

    fn accepts() -> String {
        crate::name::one_of(Self::ALL.map(Self::name))
    }
}
