//! `schedule.multi_step`.

use serde::{Deserialize, Deserializer, de};

use super::{Common, Interval};
use crate::settings::{Count, Positive, declare::settings};

settings! {
    /// Times `gamma` at each of some epochs.
    #[derive(Clone, Debug, PartialEq)]
    pub struct MultiStep {
        /// After how many epochs the rate falls, from small to large.
        #[accepts = "whole numbers from small to large"]
        #[by = rising]
        pub milestones: Vec<Count>,
        /// The factor of each reduction.
        pub gamma: Positive = Positive::known(0.1),
        /// Epochs of linear warm-up.
        #[accepts = "a whole number below `epochs`"]
        pub warmup_epochs: u32 = 0,
        /// How often the warm-up rises.
        pub interval: Interval = Interval::Epoch,
    }
}

impl Common for MultiStep {
    fn warmup_epochs(&self) -> u32 {
        self.warmup_epochs
    }

    fn interval(&self) -> Interval {
        self.interval
    }
}

fn rising<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Count>, D::Error> {
    let counts = Vec::<Count>::deserialize(deserializer)?;
    if counts.is_empty() || counts.windows(2).any(|pair| pair[0] >= pair[1]) {
        let message = "invalid value: these numbers, expected a list of whole numbers from small to large such as `[30, 60, 80]`";
        return Err(de::Error::custom(message));
    }
    Ok(counts)
}
