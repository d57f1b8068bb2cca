//! `schedule.plateau`.

use super::{Common, Interval};
use crate::settings::{Decay, Metric, NonNegative, declare::settings};

settings! {
    /// Times `factor` when a metric stops improving.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Plateau {
        /// The factor of each reduction.
        pub factor: Decay = Decay::known(0.1),
        /// Epochs without improvement that are borne; the one after them reduces the rate.
        pub patience: u32 = 10,
        /// The least change that counts as an improvement, as a share of the best value.
        pub threshold: NonNegative = NonNegative::known(1e-4),
        /// Epochs after a reduction in which nothing is counted.
        pub cooldown: u32 = 0,
        /// The rate never falls below this.
        pub min_lr: NonNegative = NonNegative::known(0.0),
        /// What must improve.
        pub monitor: Metric = Metric::ValidationLoss,
        /// Epochs of linear warm-up.
        #[accepts = "a whole number below `epochs`"]
        pub warmup_epochs: u32 = 0,
        /// How often the warm-up rises.
        pub interval: Interval = Interval::Epoch,
    }
}

impl Common for Plateau {
    fn warmup_epochs(&self) -> u32 {
        self.warmup_epochs
    }

    fn interval(&self) -> Interval {
        self.interval
    }
}
