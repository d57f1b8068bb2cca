//! `torch.optim.RMSprop`.

use tch::Tensor;

use super::Group;
use crate::{error::Result, native, settings::Rmsprop};

const SQUARE: &str = "square_avg";
const MEAN: &str = "grad_avg";
const MOMENTUM: &str = "momentum_buffer";

pub(super) fn state(settings: &Rmsprop) -> Vec<&'static str> {
    let kept = [
        (SQUARE, true),
        (MEAN, settings.centered),
        (MOMENTUM, settings.momentum.get() > 0.0),
    ];
    kept.into_iter()
        .filter_map(|(kind, kept)| kept.then_some(kind))
        .collect()
}

pub(super) fn step(settings: &Rmsprop, group: &Group, gradients: &Tensor) -> Result<()> {
    let step = native::RmspropStep {
        lr: &group.lr,
        alpha: settings.alpha.get(),
        momentum: settings.momentum.get(),
        eps: settings.eps.get(),
        weight_decay: group.weight_decay,
    };
    let [means, momenta] = [MEAN, MOMENTUM].map(|kind| group.kept(kind).map(|kept| &kept.whole));
    let params = &group.params.whole;
    let squares = &group.state(SQUARE).whole;
    native::rmsprop(params, gradients, squares, means, momenta, step)
}
