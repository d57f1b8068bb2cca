//! The settings of Adam.

use serde::{Deserialize, Serialize};

use super::{Decay, NonNegative, Positive, betas, eps, zero};

/// The settings of Adam.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Learning rate.
    pub lr: Positive,
    /// Decay of the running means of gradient and squared gradient; `[0.9, 0.999]` by default.
    #[serde(default = "betas")]
    pub betas: [Decay; 2],
    /// Added to the denominator; 1e-8 by default.
    #[serde(default = "eps")]
    pub eps: Positive,
    /// L2 penalty; 0 by default.
    #[serde(default = "zero")]
    pub weight_decay: NonNegative,
}
