//! The settings of RMSprop.

use super::Common;
use crate::settings::{Decay, NonNegative, Positive, Probability, declare::settings};

settings! {
    /// The settings of RMSprop.
    #[example = "{ lr = 0.001 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Rmsprop {
        /// Learning rate.
        pub lr: Positive,
        /// Decay of the running mean of squared gradients.
        pub alpha: Decay = Decay::known(0.99),
        /// Added to the denominator.
        pub eps: Positive = Positive::known(1e-8),
        /// Momentum of the steps.
        pub momentum: Probability = Probability::known(0.0),
        /// Divide by the spread of gradients instead of their size.
        pub centered: bool = false,
        /// L2 penalty.
        pub weight_decay: NonNegative = NonNegative::known(0.0),
    }
}

impl Common for Rmsprop {
    fn lr(&self) -> f64 {
        self.lr.get()
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay.get()
    }

    fn set_momentum(&mut self, momentum: f64) {
        self.momentum = Probability::known(momentum);
    }
}
