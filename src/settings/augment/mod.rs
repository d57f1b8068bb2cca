//! Augmentations, with torchvision's names. Their order in the file is the order in which they act, within each of three
//! passes: geometry first, as one matrix and one bilinear sampling; then colours; then, behind normalisation, what is erased.

mod color;
mod erasing;
mod geometry;
mod policy;
mod spread;

use serde::{Deserialize, Serialize};

pub use color::{ColorJitter, GaussianBlur, KernelSize};
pub use erasing::{Erased, RandomErasing};
pub use geometry::{RandomAffine, RandomResizedCrop, Shear};
pub use policy::{Policy, RandAugment, TrivialAugmentWide};
pub use spread::{Degrees, FactorRange, HueShift};

use super::{NonNegative, Probability, Side};

/// One item of `augment = [{ random_rotation = 15 }, { center_crop = 200 }]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Augment {
    /// Rotation by an angle drawn from plus or minus this many degrees, bilinear, black outside.
    RandomRotation(NonNegative),
    /// Rotation, translation, scale and shear about the centre, bilinear, black outside.
    RandomAffine(RandomAffine),
    /// The central square of this side in pixels. Deterministic: also acts in evaluation and prediction.
    CenterCrop(Side),
    /// A crop of random area and aspect, resized to a square.
    RandomResizedCrop(RandomResizedCrop),
    /// Mirrored left to right with this probability.
    RandomHorizontalFlip(Probability),
    /// Mirrored top to bottom with this probability.
    RandomVerticalFlip(Probability),
    /// Brightness, contrast, saturation and hue, changed in a random order.
    ColorJitter(ColorJitter),
    /// Grey with this probability.
    RandomGrayscale(Probability),
    /// Blurred.
    GaussianBlur(GaussianBlur),
    /// Some operations of one strength, drawn from fourteen.
    RandAugment(RandAugment),
    /// One operation of random strength, drawn from fourteen.
    TrivialAugmentWide(TrivialAugmentWide),
    /// Two operations by a learnt policy.
    AutoAugment(Policy),
    /// A rectangle set to a value behind normalisation, whatever its place in the list; written last.
    RandomErasing(RandomErasing),
}

impl Augment {
    /// Whether it acts in evaluation too.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        matches!(self, Self::CenterCrop(_))
    }

    /// Whether it may change colours, which then lie between sampling and normalisation.
    #[must_use]
    pub fn may_color(&self) -> bool {
        matches!(
            self,
            Self::ColorJitter(_)
                | Self::RandomGrayscale(_)
                | Self::GaussianBlur(_)
                | Self::RandAugment(_)
                | Self::TrivialAugmentWide(_)
                | Self::AutoAugment(_)
        )
    }
}
