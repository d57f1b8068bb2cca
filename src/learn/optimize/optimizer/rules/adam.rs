//! `torch.optim.Adam` and `torch.optim.AdamW`.

use tch::Tensor;

use super::Group;
use crate::{
    error::Result,
    native::{AdamStep, fused_adam},
    settings::{Decay, Positive},
};

/// The running means of gradients and of their squares.
pub(super) const STATE: [&str; 2] = ["exp_avg", "exp_avg_sq"];

pub(super) fn step(
    betas: [Decay; 2],
    eps: Positive,
    decoupled: bool,
    group: &Group,
    gradients: &Tensor,
) -> Result<()> {
    let step = AdamStep {
        lr: &group.lr,
        betas: betas.map(Decay::get),
        eps: eps.get(),
        weight_decay: group.weight_decay,
        decoupled,
    };
    let [means, squares] = STATE.map(|kind| &group.state(kind).whole);
    let params = &group.params.whole;
    fused_adam(params, gradients, means, squares, &group.count, step)
}
