//! A first pipeline for photographs that are there: what lies there, how large to begin, and the text.

mod data_set;
mod look;
mod sizes;
mod templates;

pub(super) use data_set::{DataSet, data_sets};
#[cfg(test)]
pub(super) use look::Unusable;
pub(super) use sizes::{Machine, Sizes};
pub(super) use templates::{Template, text, weights_for};
