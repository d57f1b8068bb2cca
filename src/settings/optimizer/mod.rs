//! Optimizers, with PyTorch's names and defaults; LAMB with timm's.

mod adam;
mod adamw;
mod lamb;
mod rmsprop;
mod sgd;

use serde::{Deserialize, Serialize};

pub use self::{adam::Adam, adamw::Adamw, lamb::Lamb, rmsprop::Rmsprop, sgd::Sgd};
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
    /// Steps divided by the root of the running mean of squared gradients (`torch.optim.RMSprop`; Tieleman and Hinton, 2012).
    Rmsprop(Rmsprop),
    /// Adam with steps in proportion to the norm of each tensor, for large batches (`timm.optim.Lamb`; You et al., 2019).
    Lamb(Lamb),
}

impl Optimizer {
    /// The base learning rate, which a schedule multiplies.
    #[must_use]
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd(o) => o.lr.get(),
            Self::Adam(o) => o.lr.get(),
            Self::Adamw(o) => o.lr.get(),
            Self::Rmsprop(o) => o.lr.get(),
            Self::Lamb(o) => o.lr.get(),
        }
    }

    /// With another momentum, or first beta in the optimizers that have betas.
    #[must_use]
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        match &mut self {
            Self::Sgd(o) => o.momentum = Probability::known(momentum),
            Self::Adam(o) => o.betas[0] = Decay::known(momentum),
            Self::Adamw(o) => o.betas[0] = Decay::known(momentum),
            Self::Rmsprop(o) => o.momentum = Probability::known(momentum),
            Self::Lamb(o) => o.betas[0] = Decay::known(momentum),
        }
        self
    }

    /// Weight decay of parameters for which nothing else is said.
    #[must_use]
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Sgd(o) => o.weight_decay.get(),
            Self::Adam(o) => o.weight_decay.get(),
            Self::Adamw(o) => o.weight_decay.get(),
            Self::Rmsprop(o) => o.weight_decay.get(),
            Self::Lamb(o) => o.weight_decay.get(),
        }
    }
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

fn hundredth() -> NonNegative {
    NonNegative::known(0.01)
}
