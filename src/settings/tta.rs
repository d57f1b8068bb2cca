//! Test-time augmentation: further views of an image, over which a model's probabilities are averaged.

use serde::{Deserialize, Serialize};

/// One item of `tta = ["horizontal_flip", "five_crop"]`. The views of all items are combined: five crops and a flip are ten.
///
/// Every view has the size that the model's own transform gives, so that no view needs a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tta {
    /// Each view, and its mirror image (left and right swapped).
    HorizontalFlip,
    /// The four corners beside the centre, each as large as the model's centre crop (torchvision's `five_crop`;
    /// Krizhevsky et al., 2012). A model without a centre crop has no such views.
    FiveCrop,
}

impl Tta {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::HorizontalFlip, Self::FiveCrop];

    /// As written in a pipeline file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HorizontalFlip => "horizontal_flip",
            Self::FiveCrop => "five_crop",
        }
    }

    /// By how many it multiplies the views.
    #[must_use]
    pub const fn views(self) -> usize {
        match self {
            Self::HorizontalFlip => 2,
            Self::FiveCrop => 5,
        }
    }
}
