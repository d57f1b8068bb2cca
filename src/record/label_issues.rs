//! Labels that are probably wrong, `label_issues.json`.

use serde::{Deserialize, Serialize};

use super::Part;

/// `label_issues.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelIssues {
    /// Images that were judged by a model that did not train on them.
    pub judged: u64,
    /// The evaluate instances that judged, as the pipeline has them.
    pub models: u64,
    /// The worst first.
    pub issues: Vec<SuspiciousLabel>,
}

/// An image whose label is probably wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuspiciousLabel {
    /// Its place among them, from 1.
    pub rank: u64,
    /// The part that it belongs to.
    pub part: Part,
    /// The image as in `images.json`.
    pub path: String,
    /// The name of the class that it is given for.
    pub given: String,
    /// The name of the class that it is taken for.
    pub suggested: String,
    /// The probability of the given class.
    pub given_probability: f64,
    /// The probability of the suggested class.
    pub suggested_probability: f64,
    /// (`given_probability` - `suggested_probability` + 1) / 2: the smaller, the surer.
    pub margin: f64,
}
