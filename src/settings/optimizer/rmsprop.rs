//! The settings of RMSprop.

use serde::{Deserialize, Serialize};

use super::{Decay, NonNegative, Positive, Probability, eps, zero, zero_probability};

/// The settings of RMSprop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rmsprop {
    /// Learning rate.
    pub lr: Positive,
    /// Decay of the running mean of squared gradients; 0.99 by default.
    #[serde(default = "alpha")]
    pub alpha: Decay,
    /// Added to the denominator; 1e-8 by default.
    #[serde(default = "eps")]
    pub eps: Positive,
    /// Momentum of the steps; 0 by default.
    #[serde(default = "zero_probability")]
    pub momentum: Probability,
    /// Divide by the spread of gradients instead of their size; off by default.
    #[serde(default)]
    pub centered: bool,
    /// L2 penalty; 0 by default.
    #[serde(default = "zero")]
    pub weight_decay: NonNegative,
}

fn alpha() -> Decay {
    Decay::known(0.99)
}
