//! Mixing of the images of a batch with each other, and of what they show.

use serde::{Deserialize, Serialize};

use super::{Positive, Probability};

/// `mix = { mixup = { alpha = 0.2 }, cutmix = { alpha = 1.0 }, off_epochs = 10 }`: each batch is mixed one way or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Weighted means of two images (torchvision's `v2.MixUp`; Zhang et al., 2017).
    #[serde(default)]
    pub mixup: Option<MixRule>,
    /// A box of one image in another (torchvision's `v2.CutMix`; Yun et al., 2019).
    #[serde(default)]
    pub cutmix: Option<MixRule>,
    /// Epochs at the end without mixing; 0 by default.
    #[serde(default)]
    pub off_epochs: u32,
}

/// How often and how far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixRule {
    /// The share of an image is drawn from Beta(alpha, alpha); 1 by default: all shares alike.
    #[serde(default = "alpha")]
    pub alpha: Positive,
    /// The share of batches that are mixed this way; 0.5 by default.
    #[serde(default = "half")]
    pub probability: Probability,
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

fn alpha() -> Positive {
    Positive::known(1.0)
}

fn half() -> Probability {
    Probability::known(0.5)
}
