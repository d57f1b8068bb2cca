//! Augmentations, with torchvision's names. Their order in the file is the order in which they act.

use serde::{Deserialize, Serialize};

use super::{Count, NonNegative, Positive, Probability};

/// One item of `augment = [{ random_rotation = 15 }, { center_crop = 200 }]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Augment {
    /// Rotation by an angle drawn from plus or minus this many degrees, bilinear, black outside.
    RandomRotation(NonNegative),
    /// The central square of this side in pixels. Deterministic: also acts in evaluation and prediction.
    CenterCrop(Count),
    /// A crop of random area and aspect, resized to a square.
    RandomResizedCrop(RandomResizedCrop),
    /// Mirrored left to right with this probability.
    RandomHorizontalFlip(Probability),
    /// Mirrored top to bottom with this probability.
    RandomVerticalFlip(Probability),
}

impl Augment {
    /// Whether it acts in evaluation too.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        matches!(self, Self::CenterCrop(_))
    }
}

/// `random_resized_crop = { size = 224 }` (Szegedy et al., 2014).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// The side of the result in pixels.
    pub size: Count,
    /// The smallest and largest share of the area; `[0.08, 1.0]` by default.
    #[serde(default = "scale", deserialize_with = "super::number::ascending")]
    pub scale: [Probability; 2],
    /// The smallest and largest width : height; `[0.75, 1.3333333333333333]` by default.
    #[serde(default = "ratio", deserialize_with = "super::number::ascending")]
    pub ratio: [Positive; 2],
}

fn scale() -> [Probability; 2] {
    [Probability::known(0.08), Probability::known(1.0)]
}

fn ratio() -> [Positive; 2] {
    [Positive::known(0.75), Positive::known(4.0 / 3.0)]
}
