//! `torch.optim.RMSprop`.

use tch::Tensor;

use super::{Flat, Group, Rule};
use crate::{error::Result, native, settings::Rmsprop};

const SQUARE: &str = "square_avg";
const MEAN: &str = "grad_avg";
const MOMENTUM: &str = "momentum_buffer";

impl Rule for Rmsprop {
    fn state(&self) -> Vec<&'static str> {
        let kept = [
            (SQUARE, true),
            (MEAN, self.centered),
            (MOMENTUM, self.momentum.get() > 0.0),
        ];
        kept.into_iter()
            .filter_map(|(kind, kept)| kept.then_some(kind))
            .collect()
    }

    fn step(&self, groups: &[(&Group, &Flat)], _: &[Tensor]) -> Result<()> {
        for (group, gradients) in groups {
            let step = native::RmspropStep {
                lr: &group.lr,
                alpha: self.alpha.get(),
                momentum: self.momentum.get(),
                eps: self.eps.get(),
                weight_decay: group.weight_decay,
            };
            let kept = |kind| group.kept(kind).map(|kept| &kept.whole);
            let [means, momenta] = [MEAN, MOMENTUM].map(kept);
            let (params, gradients) = (&group.params.whole, &gradients.whole);
            let squares = &group.state(SQUARE).whole;
            native::rmsprop(params, gradients, squares, means, momenta, step)?;
        }
        Ok(())
    }
}
