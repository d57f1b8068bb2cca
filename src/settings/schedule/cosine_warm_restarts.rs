//! `schedule.cosine_warm_restarts`.

use super::{Common, Interval};
use crate::settings::{Count, NonNegative, declare::settings};

settings! {
    /// Half cosines down to `min_lr`, one after another.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct CosineWarmRestarts {
        /// Epochs of the first half cosine.
        pub t_0: Count,
        /// How many times as long as the one before it each further one is.
        pub t_mult: Count = Count::known(1),
        /// The rate at the end of each.
        pub min_lr: NonNegative = NonNegative::known(0.0),
        /// Epochs of linear warm-up.
        #[accepts = "a whole number below `epochs`"]
        pub warmup_epochs: u32 = 0,
        /// How often the rate changes.
        pub interval: Interval = Interval::Epoch,
    }
}

impl Common for CosineWarmRestarts {
    fn warmup_epochs(&self) -> u32 {
        self.warmup_epochs
    }

    fn interval(&self) -> Interval {
        self.interval
    }
}
