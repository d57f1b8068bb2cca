//! The settings of LAMB.

use serde::{Deserialize, Serialize};

use super::{Decay, NonNegative, Positive, betas, hundredth};

/// The settings of LAMB, with timm's defaults; bias correction and the averaging of gradients are always on, as they are there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lamb {
    /// Learning rate.
    pub lr: Positive,
    /// Decay of the running means of gradient and squared gradient; `[0.9, 0.999]` by default.
    #[serde(default = "betas")]
    pub betas: [Decay; 2],
    /// Added to the denominator; 1e-6 by default.
    #[serde(default = "eps")]
    pub eps: Positive,
    /// Added to the step before it is scaled; 0.01 by default. Where it is 0 the step is not scaled, unless `always_adapt`.
    #[serde(default = "hundredth")]
    pub weight_decay: NonNegative,
    /// Gradients are scaled down to this norm over all parameters; 1 by default, 0 leaves them.
    #[serde(default = "one")]
    pub max_grad_norm: NonNegative,
    /// Never scale a step up ("LAMBC"); off by default.
    #[serde(default)]
    pub trust_clip: bool,
    /// Scale the steps of parameters without weight decay too; off by default.
    #[serde(default)]
    pub always_adapt: bool,
}

fn eps() -> Positive {
    Positive::known(1e-6)
}

fn one() -> NonNegative {
    NonNegative::known(1.0)
}
