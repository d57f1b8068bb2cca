//! The output of an average stage beside the model itself, `averaging.json`.

use serde::{Deserialize, Serialize};

/// Which of the models went into the mean, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Averaging {
    /// The places of those in the mean, in the order of the stage's inputs and of the epochs of each.
    pub used: Vec<usize>,
    /// Of the greedy rule: what was tried, in that order.
    pub tried: Vec<Tried>,
}

/// One step of the greedy rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The place of the model among them.
    pub candidate: usize,
    /// The validation metric of that model alone.
    pub alone: f64,
    /// The metric of the mean with it.
    pub with: f64,
    /// Whether it stayed.
    pub kept: bool,
}
