//! `torch.optim.SGD` without dampening.

use tch::Tensor;

use super::Group;
use crate::{
    error::Result,
    native::{SgdStep, fused_sgd},
    settings::Sgd,
};

const MOMENTUM: &str = "momentum_buffer";

pub(super) fn state(settings: &Sgd) -> Vec<&'static str> {
    if settings.momentum.get() > 0.0 {
        vec![MOMENTUM]
    } else {
        Vec::new()
    }
}

pub(super) fn step(settings: &Sgd, group: &Group, gradients: &Tensor) -> Result<()> {
    let momentum = settings.momentum.get();
    let step = SgdStep {
        lr: &group.lr,
        momentum,
        weight_decay: group.weight_decay,
        nesterov: settings.nesterov && momentum > 0.0,
    };
    let momenta = group.kept(MOMENTUM).map(|kept| &kept.whole);
    fused_sgd(&group.params.whole, gradients, momenta, step)
}
