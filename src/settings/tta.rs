//! Test-time augmentation: further views of an image, over which a model's probabilities are averaged.

use super::declare::words;

words! {
    /// One item of `tta = ["horizontal_flip", "five_crop"]`. The views of all items are combined: five crops and a flip are ten.
    ///
    /// Every view has the size that the model's own transform gives, so that no view needs a number of its own.
    pub enum Tta {
        /// Each view, and its mirror image (left and right swapped).
        HorizontalFlip = "horizontal_flip",
        /// The four corners beside the centre, each as large as the model's centre crop (torchvision's `five_crop`;
        /// Krizhevsky et al., 2012). A model without a centre crop has no such views.
        FiveCrop = "five_crop",
    }
}

impl Tta {
    /// By how many it multiplies the views.
    #[must_use]
    pub const fn views(self) -> usize {
        match self {
            Self::HorizontalFlip => 2,
            Self::FiveCrop => 5,
        }
    }
}
