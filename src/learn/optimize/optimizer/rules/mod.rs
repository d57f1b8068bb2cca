//! What each optimizer keeps and does, a file for each.

mod adam;
mod lamb;
mod rmsprop;
mod sgd;

use tch::Tensor;

use super::{flat::Flat, group::Group};
use crate::{error::Result, settings::Optimizer as Settings};

/// The kinds of state of an optimizer, by PyTorch's names.
pub(super) fn state(settings: &Settings) -> Vec<&'static str> {
    match settings {
        Settings::Sgd(s) => sgd::state(s),
        Settings::Adam(_) | Settings::Adamw(_) => adam::STATE.to_vec(),
        Settings::Rmsprop(s) => rmsprop::state(s),
        Settings::Lamb(_) => lamb::STATE.to_vec(),
    }
}

/// Moves the parameters of these groups, each with its gradients; waits for nothing. `all` are the latter in the model's order.
///
/// # Errors
/// When libtorch refuses.
pub(super) fn step(settings: &Settings, all: &[Tensor], groups: &[(&Group, &Flat)]) -> Result<()> {
    let mut each = groups
        .iter()
        .map(|(group, gradients)| (*group, &gradients.whole));
    match settings {
        Settings::Sgd(s) => each.try_for_each(|(group, grads)| sgd::step(s, group, grads)),
        Settings::Adam(s) => {
            each.try_for_each(|(group, grads)| adam::step(s.betas, s.eps, false, group, grads))
        }
        Settings::Adamw(s) => {
            each.try_for_each(|(group, grads)| adam::step(s.betas, s.eps, true, group, grads))
        }
        Settings::Rmsprop(s) => each.try_for_each(|(group, grads)| rmsprop::step(s, group, grads)),
        Settings::Lamb(s) => lamb::step(s, all, groups),
    }
}
