//! `schedule.step`.

use super::{Common, Interval};
use crate::settings::{Count, Positive, declare::settings};

settings! {
    /// Times `gamma` every `step_size` epochs.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Step {
        /// Epochs between two reductions.
        pub step_size: Count,
        /// The factor of each reduction.
        pub gamma: Positive = Positive::known(0.1),
        /// Epochs of linear warm-up.
        #[accepts = "a whole number below `epochs`"]
        pub warmup_epochs: u32 = 0,
        /// How often the warm-up rises.
        pub interval: Interval = Interval::Epoch,
    }
}

impl Common for Step {
    fn warmup_epochs(&self) -> u32 {
        self.warmup_epochs
    }

    fn interval(&self) -> Interval {
        self.interval
    }
}
