//! Augmentations, with torchvision's names. Their order in the file is the order in which they act, within each of three
//! passes: geometry first, as one matrix and one bilinear sampling; then colours; then, behind normalisation, what is erased.

mod color;
mod erasing;
mod geometry;
mod policy;
mod spread;

pub use self::{color::*, erasing::*, geometry::*, policy::*, spread::*};

use super::{NonNegative, Probability, Side, declare::variants};

variants! {
    /// With torchvision's names, parameters and defaults, in the order in which they act.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Augment as "augment" {
        /// Rotation by an angle drawn from plus or minus this many degrees, bilinear, black outside.
        RandomRotation(NonNegative) = "random_rotation",
        /// Rotation, translation, scale and shear about the centre, bilinear, black outside.
        RandomAffine(RandomAffine) = "random_affine",
        /// The central square of this side in pixels. Deterministic: also acts in evaluation and prediction.
        CenterCrop(Side) = "center_crop",
        /// A crop of random area and aspect, resized to a square.
        RandomResizedCrop(RandomResizedCrop) = "random_resized_crop",
        /// Mirrored left to right with this probability.
        RandomHorizontalFlip(Probability) = "random_horizontal_flip",
        /// Mirrored top to bottom with this probability.
        RandomVerticalFlip(Probability) = "random_vertical_flip",
        /// Brightness, contrast, saturation and hue, changed in a random order.
        ColorJitter(ColorJitter) = "color_jitter",
        /// Grey with this probability.
        RandomGrayscale(Probability) = "random_grayscale",
        /// Blurred.
        GaussianBlur(GaussianBlur) = "gaussian_blur",
        /// Some operations of one strength, drawn from fourteen.
        RandAugment(RandAugment) = "rand_augment",
        /// One operation of random strength, drawn from fourteen.
        TrivialAugmentWide(TrivialAugmentWide) = "trivial_augment_wide",
        /// Two operations by a learnt policy.
        AutoAugment(Policy) = "auto_augment",
        /// A rectangle set to a value behind normalisation, whatever its place in the list; written last.
        RandomErasing(RandomErasing) = "random_erasing",
    }
}
