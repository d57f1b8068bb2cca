//! The settings of LAMB.

use super::Common;
use crate::settings::{Decay, NonNegative, Positive, declare::settings};

settings! {
    /// With timm's defaults; bias correction and the averaging of gradients are always on, as they are there.
    #[example = "{ lr = 0.001 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Lamb {
        /// Learning rate.
        pub lr: Positive,
        /// Decay of the running means of gradient and squared gradient.
        pub betas: [Decay; 2] = [Decay::known(0.9), Decay::known(0.999)],
        /// Added to the denominator.
        pub eps: Positive = Positive::known(1e-6),
        /// Added to the step before it is scaled. Where it is 0 the step is not scaled, unless `always_adapt`.
        pub weight_decay: NonNegative = NonNegative::known(0.01),
        /// Gradients are scaled down to this norm over all parameters; 0 leaves them.
        pub max_grad_norm: NonNegative = NonNegative::known(1.0),
        /// Never scale a step up ("LAMBC").
        pub trust_clip: bool = false,
        /// Scale the steps of parameters without weight decay too.
        pub always_adapt: bool = false,
    }
}

impl Common for Lamb {
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
