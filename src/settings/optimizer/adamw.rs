//! The settings of AdamW.

use super::Common;
use crate::settings::{Decay, NonNegative, Positive, declare::settings};

settings! {
    /// The settings of AdamW.
    #[example = "{ lr = 0.001 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Adamw {
        /// Learning rate.
        pub lr: Positive,
        /// Decay of the running means of gradient and squared gradient.
        pub betas: [Decay; 2] = [Decay::known(0.9), Decay::known(0.999)],
        /// Added to the denominator.
        pub eps: Positive = Positive::known(1e-8),
        /// Decoupled weight decay; 0.01 as in PyTorch.
        pub weight_decay: NonNegative = NonNegative::known(0.01),
    }
}

impl Common for Adamw {
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
