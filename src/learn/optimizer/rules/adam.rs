//! `torch.optim.Adam` and `torch.optim.AdamW`.

use super::Group;
use crate::{
    error::Result,
    native::{AdamStep, fused_adam},
    settings::{Decay, Positive},
};

const MEAN: &str = "exp_avg";
const SQUARE: &str = "exp_avg_sq";
pub(super) const STATE: [&str; 2] = [MEAN, SQUARE];

pub(super) fn step(betas: [Decay; 2], eps: Positive, decoupled: bool, group: &Group) -> Result<()> {
    let step = AdamStep {
        lr: &group.lr,
        betas: betas.map(Decay::get),
        eps: eps.get(),
        weight_decay: group.weight_decay,
        decoupled,
    };
    let (means, squares) = (group.state(MEAN), group.state(SQUARE));
    fused_adam(&group.params, means, squares, &group.count, step)
}
