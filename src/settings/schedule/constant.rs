//! `schedule.constant`.

use super::{Common, Interval};
use crate::settings::declare::settings;

settings! {
    /// The base rate all along.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Constant {
        /// Epochs of linear warm-up.
        #[accepts = "a whole number below `epochs`"]
        pub warmup_epochs: u32 = 0,
        /// How often the warm-up rises.
        pub interval: Interval = Interval::Epoch,
    }
}

impl Common for Constant {
    fn warmup_epochs(&self) -> u32 {
        self.warmup_epochs
    }

    fn interval(&self) -> Interval {
        self.interval
    }
}
