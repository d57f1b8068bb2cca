//! The output of a select stage beside the model itself, `selection.json`.

use serde::{Deserialize, Serialize};

/// Which of the candidates was handed on, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The metric, such as `validation.top1`.
    pub by: String,
    /// In the order of the stage's inputs.
    pub candidates: Vec<Candidate>,
    /// The place of the one that was handed on.
    pub chosen: usize,
}

/// One model that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Candidates of one group differ in fold or seed alone; groups are compared by their mean.
    pub group: usize,
    /// Its own value of the metric.
    pub value: f64,
    /// The mean over its group.
    pub group_mean: f64,
    /// The epoch whose checkpoint counts.
    pub epoch: u32,
}
