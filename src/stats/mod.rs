//! Metrics of classification as pure functions on slices: no tensors, so `report` and tests use them as they are.

mod classes;
#[cfg(test)]
mod confidence_tests;
mod confident_learning;
mod coverage;
mod gap;
mod holm;
mod interval;
mod kolmogorov;
mod mcnemar;
mod over_runs;
mod paired;
mod part;
mod reliability;
mod scores;
mod temperature;

pub use classes::{confusion, macro_f1, per_class};
pub use confident_learning::{LabelIssue, label_issues};
pub use coverage::{coverage, sure, threshold};
pub use gap::gaps;
pub use holm::holm;
pub use interval::{newcombe, wilson};
pub use kolmogorov::{Apart, kolmogorov_smirnov};
pub use mcnemar::{McNemar, mcnemar};
pub use over_runs::{Hits, gap_over_runs, share_over_runs};
pub use paired::{Difference, Spread, paired_difference};
pub use part::{correct, part_metrics};
pub use reliability::{
    Answer, brier, calibration_error_by_chance, calibration_error_interval,
    expected_calibration_error, reliability,
};
pub use scores::{Score, score, scores};
pub use temperature::{cross_entropy, temperature, tempered};
