//! What each optimizer keeps and does, a file for each.

mod adam;
mod lamb;
mod rmsprop;
mod sgd;

use tch::Tensor;

use super::group::Group;
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

/// Moves every parameter that has a gradient; waits for nothing. `all` are the parameters of all groups.
///
/// # Errors
/// When libtorch refuses.
pub(super) fn step(settings: &Settings, all: &[Tensor], groups: &[Group]) -> Result<()> {
    match settings {
        Settings::Sgd(s) => groups.iter().try_for_each(|g| sgd::step(s, g)),
        Settings::Adam(s) => groups
            .iter()
            .try_for_each(|g| adam::step(s.betas, s.eps, false, g)),
        Settings::Adamw(s) => groups
            .iter()
            .try_for_each(|g| adam::step(s.betas, s.eps, true, g)),
        Settings::Rmsprop(s) => groups.iter().try_for_each(|g| rmsprop::step(s, g)),
        Settings::Lamb(s) => lamb::step(s, all, groups),
    }
}
