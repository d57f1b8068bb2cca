//! Mixing of the images of a batch with each other, and of what they show.

use super::{Positive, Probability, declare::settings};

settings! {
    /// Mixes the images of a batch: each batch is mixed one way or not at all.
    #[example = "{ mixup = { alpha = 0.2 }, cutmix = { alpha = 1.0 } }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Mix {
        /// Weighted means of two images (torchvision's `v2.MixUp`; Zhang et al., 2017).
        pub mixup: Option<MixRule>,
        /// A box of one image in another (torchvision's `v2.CutMix`; Yun et al., 2019).
        pub cutmix: Option<MixRule>,
        /// Epochs at the end without mixing.
        #[accepts = "a whole number below `epochs`"]
        pub off_epochs: u32 = 0,
    }
}

settings! {
    /// How often and how far.
    #[example = "{ alpha = 0.2, probability = 0.5 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct MixRule {
        /// The share of an image is drawn from Beta(alpha, alpha); 1 makes all shares alike.
        pub alpha: Positive = Positive::known(1.0),
        /// The share of batches that are mixed this way; together at most 1.
        pub probability: Probability = Probability::known(0.5),
    }
}

impl Mix {
    /// The probability that a batch is mixed one way or the other.
    #[must_use]
    pub fn probability(&self) -> f64 {
        [self.mixup, self.cutmix]
            .into_iter()
            .flatten()
            .map(|rule| rule.probability.get())
            .sum()
    }
}
