//! The settings of Adam.

use super::Common;
use crate::settings::{Decay, NonNegative, Positive, declare::settings};

settings! {
    /// The settings of Adam.
    #[example = "{ lr = 0.001 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Adam {
        /// Learning rate.
        pub lr: Positive,
        /// Decay of the running means of gradient and squared gradient.
        pub betas: [Decay; 2] = [Decay::known(0.9), Decay::known(0.999)],
        /// Added to the denominator.
        pub eps: Positive = Positive::known(1e-8),
        /// L2 penalty.
        pub weight_decay: NonNegative = NonNegative::known(0.0),
    }
}

impl Common for Adam {
    fn lr(&self) -> f64 {
        self.lr.get()
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay.get()
    }

    fn set_momentum(&mut self, momentum: f64) {
        self.betas[0] = Decay::known(momentum);
    }
}
