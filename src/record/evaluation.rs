//! The result of an evaluation, `metrics.json`. Predictions stand beside it in `predictions.csv`, and what the model says of every class
//! in `log_probabilities.f32`.

use serde::{Deserialize, Serialize};

use super::{Leaks, Part};
use crate::{digest::Digest, settings::Tta};

/// `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Class names in the order of rows and columns.
    pub classes: Vec<String>,
    /// The views beside the plain one over which probabilities are averaged, the same for every part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tta: Vec<Tta>,
    /// One for each part that was asked for, in the order train, validation, test.
    pub parts: Vec<PartMetrics>,
    /// Differences between parts, where both were evaluated.
    pub gaps: Vec<Gap>,
    /// Look-alikes across parts; `None` where none were looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaks: Option<Leaks>,
    /// How `log_probabilities.f32` is read; `None` in evaluations of before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_probabilities: Option<LogProbabilities>,
}

/// What stands in `log_probabilities.f32`, in the terms of numpy: `numpy.fromfile(path, dtype).reshape(shape)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogProbabilities {
    /// The type of a value.
    pub dtype: Dtype,
    /// Rows, which are the lines of `predictions.csv` in their order, and columns, which are `classes` in their order. Row by row.
    pub shape: [usize; 2],
}

/// A type of numbers, in numpy's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dtype {
    /// IEEE 754 of 32 bits, little-endian.
    #[serde(rename = "<f4")]
    F32,
}

/// How well a model does on one part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartMetrics {
    /// Which part.
    pub part: Part,
    /// Images in it.
    pub images: u64,
    /// Images beside these that cannot be decoded and were dropped.
    #[serde(default, skip_serializing_if = "is_none")]
    pub dropped: u64,
    /// A digest of the paths and labels of its images: two evaluations with the same one can be compared image by image.
    pub members: Digest,
    /// Mean cross entropy.
    pub loss: f64,
    /// Share of right first guesses.
    pub top1: f64,
    /// Wilson's 95% interval of `top1` (Wilson, 1927).
    pub top1_interval: Interval,
    /// Share of images whose class is among the first five guesses (fewer classes: all of them).
    pub top5: f64,
    /// Wilson's 95% interval of `top5`.
    pub top5_interval: Interval,
    /// Mean of the classes' F1 scores; a class in neither labels nor predictions does not count.
    pub macro_f1: f64,
    /// One for each class.
    pub per_class: Vec<ClassMetrics>,
    /// `confusion[true][predicted]`, counts.
    pub confusion: Vec<Vec<u64>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands in a reference"
)]
fn is_none(dropped: &u64) -> bool {
    *dropped == 0
}

/// One class of one part; a ratio without a denominator is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// The class.
    pub class: String,
    /// Images of it.
    pub images: u64,
    /// Right among those predicted as it.
    pub precision: f64,
    /// Right among those that are it.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// A 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A difference of top-1 between two parts, with Newcombe's 95% interval for independent proportions (Newcombe, 1998).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// The part expected to do better.
    pub from: Part,
    /// The part compared with it.
    pub to: Part,
    /// `top1` of `from` minus `top1` of `to`.
    pub difference: f64,
    /// Its interval.
    pub interval: Interval,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_of_before_is_read() {
        let version_3 = r#"{"classes": ["a"], "parts": [], "gaps": [], "reading": ["Top-1 is 24.5% on test."]}"#;
        let read: Evaluation = serde_json::from_str(version_3).unwrap();
        assert_eq!((read.classes.len(), read.log_probabilities), (1, None));
    }
}
