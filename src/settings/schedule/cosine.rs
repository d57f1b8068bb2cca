//! `schedule.cosine`.

use super::{Common, Interval};
use crate::settings::{NonNegative, declare::settings};

settings! {
    /// Half a cosine down to `min_lr`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Cosine {
        /// The rate at the end.
        pub min_lr: NonNegative = NonNegative::known(0.0),
        /// Epochs of linear warm-up.
        #[accepts = "a whole number below `epochs`"]
        pub warmup_epochs: u32 = 0,
        /// How often the rate changes.
        pub interval: Interval = Interval::Epoch,
    }
}

impl Common for Cosine {
    fn warmup_epochs(&self) -> u32 {
        self.warmup_epochs
    }

    fn interval(&self) -> Interval {
        self.interval
    }

    fn ends_with_training(&self) -> bool {
        true
    }
}
