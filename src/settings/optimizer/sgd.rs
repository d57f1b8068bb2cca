//! The settings of SGD.

use super::Common;
use crate::settings::{NonNegative, Positive, Probability, declare::settings};

settings! {
    /// The settings of SGD.
    #[example = "{ lr = 0.001 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Sgd {
        /// Learning rate.
        pub lr: Positive,
        /// Momentum.
        pub momentum: Probability = Probability::known(0.0),
        /// Nesterov momentum; wants `momentum` beside it.
        pub nesterov: bool = false,
        /// L2 penalty.
        pub weight_decay: NonNegative = NonNegative::known(0.0),
    }
}

impl Common for Sgd {
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
