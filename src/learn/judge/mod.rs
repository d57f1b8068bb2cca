//! How good a model is: passes without a gradient, what they sum up and tell; evaluations, and means of models that are chosen by them.

mod arithmetic;
mod average;
mod cross_entropy;
mod evaluate;
mod meter;
mod precision;
mod progress;
mod tally;
mod views;

pub(super) use arithmetic::Arithmetic;
pub use average::average;
pub(super) use cross_entropy::cross_entropy;
pub use evaluate::{attend, attention, evaluate};
pub(super) use meter::Meter;
pub(super) use precision::in_words;
pub use precision::{fingerprint, uses_bf16};
pub(super) use progress::Progress;
pub(super) use tally::{Sums, Tally};
pub use views::{log_mean_probabilities, logits_of_views};
