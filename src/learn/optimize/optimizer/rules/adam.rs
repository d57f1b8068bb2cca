//! `torch.optim.Adam`.

use tch::Tensor;

use super::{Flat, Group, Rule};
use crate::{
    error::Result,
    native::{AdamStep, fused_adam},
    settings::{Adam, Decay, Positive},
};

/// The running means of gradients and of their squares.
pub(super) const STATE: [&str; 2] = ["exp_avg", "exp_avg_sq"];

impl Rule for Adam {
    fn state(&self) -> Vec<&'static str> {
        STATE.to_vec()
    }

    fn step(&self, groups: &[(&Group, &Flat)], _: &[Tensor]) -> Result<()> {
        step(self.betas, self.eps, false, groups)
    }
}

/// `decoupled`: weight decay is AdamW's.
pub(super) fn step(
    betas: [Decay; 2],
    eps: Positive,
    decoupled: bool,
    groups: &[(&Group, &Flat)],
) -> Result<()> {
    for (group, gradients) in groups {
        let step = AdamStep {
            lr: &group.lr,
            betas: betas.map(Decay::get),
            eps: eps.get(),
            weight_decay: group.weight_decay,
            decoupled,
        };
        let [means, squares] = STATE.map(|kind| group.state(kind).stretches.as_slice());
        let (params, gradients) = (&group.params.stretches, &gradients.stretches);
        fused_adam(params, gradients, means, squares, &group.count, step)?;
    }
    Ok(())
}
