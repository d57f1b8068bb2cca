//! The settings of SGD.

use serde::{Deserialize, Serialize};

use super::{NonNegative, Positive, Probability, zero, zero_probability};

/// The settings of SGD.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Learning rate.
    pub lr: Positive,
    /// Momentum; 0 by default.
    #[serde(default = "zero_probability")]
    pub momentum: Probability,
    /// Nesterov momentum; off by default.
    #[serde(default)]
    pub nesterov: bool,
    /// L2 penalty; 0 by default.
    #[serde(default = "zero")]
    pub weight_decay: NonNegative,
}
