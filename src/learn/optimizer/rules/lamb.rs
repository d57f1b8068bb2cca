//! `timm.optim.Lamb`.

use tch::{Kind, Tensor};

use super::Group;
use crate::{
    error::Result,
    native::{self, LambStep},
    settings::{Decay, Lamb},
};

const MEAN: &str = "exp_avg";
const SQUARE: &str = "exp_avg_sq";
pub(super) const STATE: [&str; 2] = [MEAN, SQUARE];

/// The norm that bounds gradients is that of all groups together.
pub(super) fn step(settings: &Lamb, all: &[Tensor], groups: &[Group]) -> Result<()> {
    let divisor = divisor(settings.max_grad_norm.get(), all)?;
    for group in groups {
        let step = LambStep {
            lr: &group.lr,
            divisor: divisor.as_ref(),
            betas: settings.betas.map(Decay::get),
            eps: settings.eps.get(),
            weight_decay: group.weight_decay,
            trust_clip: settings.trust_clip,
            always_adapt: settings.always_adapt,
        };
        let (means, squares) = (group.state(MEAN), group.state(SQUARE));
        native::lamb(&group.params, means, squares, &group.count, step)?;
    }
    Ok(())
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
