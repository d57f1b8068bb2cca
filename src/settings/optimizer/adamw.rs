//! The settings of AdamW.

use serde::{Deserialize, Serialize};

use super::{Decay, NonNegative, Positive, betas, eps, hundredth};

/// The settings of AdamW.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adamw {
    /// Learning rate.
    pub lr: Positive,
    /// Decay of the running means of gradient and squared gradient; `[0.9, 0.999]` by default.
    #[serde(default = "betas")]
    pub betas: [Decay; 2],
    /// Added to the denominator; 1e-8 by default.
    #[serde(default = "eps")]
    pub eps: Positive,
    /// Decoupled weight decay; 0.01 by default, as in PyTorch.
    #[serde(default = "hundredth")]
    pub weight_decay: NonNegative,
}
