//! Optimizers, with PyTorch's names and defaults.

use serde::{Deserialize, Serialize};

use super::{Decay, NonNegative, Positive, Probability};

/// `optimizer.sgd = { lr = 0.001 }` and its kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Stochastic gradient descent (`torch.optim.SGD`).
    Sgd(Sgd),
    /// Adam with L2 weight decay (`torch.optim.Adam`; Kingma and Ba, 2014).
    Adam(Adam),
    /// Adam with decoupled weight decay (`torch.optim.AdamW`; Loshchilov and Hutter, 2017).
    Adamw(Adamw),
}

impl Optimizer {
    /// The base learning rate, which a schedule multiplies.
    #[must_use]
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd(o) => o.lr.get(),
            Self::Adam(o) => o.lr.get(),
            Self::Adamw(o) => o.lr.get(),
        }
    }

    /// With another momentum, or first beta in the optimizers that have betas.
    #[must_use]
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        match &mut self {
            Self::Sgd(o) => o.momentum = Probability::known(momentum),
            Self::Adam(o) => o.betas[0] = Decay::known(momentum),
            Self::Adamw(o) => o.betas[0] = Decay::known(momentum),
        }
        self
    }
}

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
    #[serde(default = "decoupled")]
    pub weight_decay: NonNegative,
}

fn zero() -> NonNegative {
    NonNegative::known(0.0)
}

fn zero_probability() -> Probability {
    Probability::known(0.0)
}

fn betas() -> [Decay; 2] {
    [Decay::known(0.9), Decay::known(0.999)]
}

fn eps() -> Positive {
    Positive::known(1e-8)
}

fn decoupled() -> NonNegative {
    NonNegative::known(0.01)
}
