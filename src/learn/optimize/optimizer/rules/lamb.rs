//! `timm.optim.Lamb`.

use tch::{Kind, Tensor};

use super::{Flat, Group, Rule};
use crate::{
    error::Result,
    native::{self, LambStep},
    settings::{Decay, Lamb},
};

/// The running means of gradients and of their squares.
const STATE: [&str; 2] = ["exp_avg", "exp_avg_sq"];

impl Rule for Lamb {
    fn state(&self) -> Vec<&'static str> {
        STATE.to_vec()
    }

    /// The norm that bounds gradients is that of all groups together.
    fn step(&self, groups: &[(&Group, &Flat)], all: &[Tensor]) -> Result<()> {
        let divisor = divisor(self.max_grad_norm.get(), all)?;
        for (group, gradients) in groups {
            let step = LambStep {
                lr: &group.lr,
                divisor: divisor.as_ref(),
                betas: self.betas.map(Decay::get),
                eps: self.eps.get(),
                weight_decay: group.weight_decay,
                trust_clip: self.trust_clip,
                always_adapt: self.always_adapt,
            };
            let [means, squares] = STATE.map(|kind| group.state(kind).pieces.as_slice());
            let (params, gradients) = (&group.params.pieces, &gradients.pieces);
            native::lamb(params, gradients, means, squares, &group.count, step)?;
        }
        Ok(())
    }
}

/// What gradients are divided by: at least 1, a scalar on the device.
fn divisor(max_norm: f64, all: &[Tensor]) -> Result<Option<Tensor>> {
    let device = all.first().map(Tensor::device);
    let (Some(device), true) = (device, max_norm > 0.0) else {
        return Ok(None);
    };
    let norm = Tensor::f_zeros([], (Kind::Float, device))?;
    native::grad_norm(all, &norm)?;
    Ok(Some(norm.f_div_scalar(max_norm)?.f_clamp_min(1.0)?))
}
