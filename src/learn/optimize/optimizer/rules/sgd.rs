//! `torch.optim.SGD` without dampening.

use tch::Tensor;

use super::{Flat, Group, Rule};
use crate::{
    error::Result,
    native::{SgdStep, fused_sgd},
    settings::Sgd,
};

const MOMENTUM: &str = "momentum_buffer";

impl Rule for Sgd {
    fn state(&self) -> Vec<&'static str> {
        if self.momentum.get() > 0.0 {
            vec![MOMENTUM]
        } else {
            Vec::new()
        }
    }

    fn step(&self, groups: &[(&Group, &Flat)], _: &[Tensor]) -> Result<()> {
        let momentum = self.momentum.get();
        for (group, gradients) in groups {
            let step = SgdStep {
                lr: &group.lr,
                momentum,
                weight_decay: group.weight_decay,
                nesterov: self.nesterov && momentum > 0.0,
            };
            let momenta = group.kept(MOMENTUM).map(|kept| kept.stretches.as_slice());
            let (params, gradients) = (&group.params.stretches, &gradients.stretches);
            fused_sgd(params, gradients, momenta, step)?;
        }
        Ok(())
    }
}
