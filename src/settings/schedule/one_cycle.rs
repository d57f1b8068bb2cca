//! `schedule.one_cycle`.

use super::{Common, Interval};
use crate::settings::{
    Decay, Positive, Probability,
    declare::{settings, words},
};

settings! {
    /// Up to the optimizer's rate, which is `max_lr` of `OneCycleLR`, and down to almost nothing, step by step.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct OneCycle {
        /// The share of all steps in which the rate rises.
        pub pct_start: Probability = Probability::known(0.3),
        /// How many times as high as the first rate the optimizer's is.
        pub div_factor: Positive = Positive::known(25.0),
        /// How many times as high as the last rate the first one is.
        pub final_div_factor: Positive = Positive::known(1e4),
        /// The shape of rise and fall.
        pub anneal_strategy: Anneal = Anneal::Cos,
        /// Fall as long as the rise to the first rate, and from there to the last one, instead of all the way at once.
        pub three_phase: bool = false,
        /// Let the momentum (SGD) or the first beta (Adam) fall where the rate rises, in the place of the optimizer's own, as in
        /// PyTorch. On a GPU such steps cannot be recorded.
        pub cycle_momentum: bool = true,
        /// The momentum at the highest rate.
        pub base_momentum: Decay = Decay::known(0.85),
        /// The momentum at the lowest rates.
        pub max_momentum: Decay = Decay::known(0.95),
        /// Epochs of a further linear warm-up.
        #[accepts = "a whole number below `epochs`"]
        pub warmup_epochs: u32 = 0,
    }
}

impl Common for OneCycle {
    fn warmup_epochs(&self) -> u32 {
        self.warmup_epochs
    }

    fn interval(&self) -> Interval {
        Interval::Step
    }

    fn max_momentum(&self) -> Option<f64> {
        self.cycle_momentum.then(|| self.max_momentum.get())
    }

    fn ends_with_training(&self) -> bool {
        true
    }
}

words! {
    /// The shape of a rise or fall.
    #[derive(Default)]
    pub enum Anneal {
        /// Half a cosine.
        #[default]
        Cos = "cos",
        /// A line.
        Linear = "linear",
    }
}
