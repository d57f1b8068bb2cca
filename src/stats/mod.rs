//! Metrics of classification as pure functions on slices: no tensors, so `report` and tests use them as they are.

mod classes;
mod gap;
mod holm;
mod interval;
mod mcnemar;
mod paired;
mod part;
mod scores;

pub use classes::{confusion, macro_f1, per_class};
pub use gap::gaps;
pub use holm::holm;
pub use interval::{newcombe, wilson};
pub use mcnemar::{McNemar, mcnemar};
pub use paired::{Difference, Spread, paired_difference};
pub use part::{correct, part_metrics};
pub use scores::{Score, score, scores};
