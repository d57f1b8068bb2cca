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

    /// The side of the four corners of images of this width and height: that of the centre crop, which must leave corners beside it.
    ///
    /// # Errors
    /// When there is none, in words.
    pub fn corners(center_crop: Option<u32>, (width, height): (u32, u32)) -> Result<u32, String> {
        match center_crop {
            Some(side) if side <= width && side <= height => Ok(side),
            None => Err(
                "`five_crop` needs a centre crop to take the size of its corners from, and the model was trained without one".to_owned(),
            ),
            Some(side) => Err(format!(
                "`five_crop` finds no corners: the model's centre crop of {side} pixels is larger than its images of {width} x {height}"
            )),
        }
    }

    /// The way out where there are no corners.
    pub const WITHOUT_CORNERS: &'static str =
        "leave `five_crop` out of `tta`, or train with `augment = [{ center_crop = … }]`";
}
