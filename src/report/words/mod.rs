//! Judgements: what numbers and codes of results mean, in sentences that several documents say. Results hold numbers and codes, so
//! that a sentence can be reworded without a result being another one. Headings, captions and what a section says of itself stand in the
//! file of that section. Names stand in backticks.

mod gaps;
mod glance;
mod look_alikes;
mod model;
mod training;
mod tune;
mod unused;

pub(super) use glance::glance;
pub(super) use model::made_of;
pub(super) use training::{still_rises, stopped_early};
pub(super) use tune::ended;
pub(super) use unused::{leaves_out, why_unused};

use super::{Group, pooled::Pooled};

/// What the runs of a recipe say together, a sentence or two each: its gaps, and what look-alikes do to them.
pub(super) fn reading(group: &Group<'_>, found: &Pooled) -> Vec<String> {
    let mut said = gaps::gaps(found);
    said.extend(found.leaks.iter().flat_map(look_alikes::by_pixels));
    let several = group.runs.len() > 1;
    for run in &group.runs {
        let label = if several {
            format!("`{}`: ", run.id)
        } else {
            String::new()
        };
        let features = run.features.iter().flat_map(look_alikes::by_features);
        said.extend(features.map(|sentence| format!("{label}{sentence}")));
    }
    said
}
