//! The one place where results become sentences. Records hold numbers and codes, so a sentence can be reworded without a result being
//! another one. Names stand in backticks.

mod gaps;
mod look_alikes;
mod model;
mod training;
mod tune;
mod unused;

pub(super) use model::made_of;
pub(super) use training::stopped_early;
pub(super) use tune::ended;
pub(super) use unused::{leaves_out, why_unused};

use super::Evaluated;

/// What an evaluation says, a sentence or two each: its gaps, and what look-alikes do to them.
pub(super) fn reading(run: &Evaluated) -> Vec<String> {
    let found = &run.evaluation;
    let mut said = gaps::gaps(&found.parts, &found.gaps);
    said.extend(found.leaks.iter().flat_map(look_alikes::by_pixels));
    said.extend(run.features.iter().flat_map(look_alikes::by_features));
    said
}
