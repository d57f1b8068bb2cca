//! `NAME.lock` beside a pipeline file: what a run of the whole file gave, for others to reproduce. TOML, committed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Evaluation, Fingerprint, Interval};
use crate::digest::Digest;

/// `NAME.lock`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The format of this file; 1.
    pub format: u32,
    /// The version of kfood that wrote it.
    pub kfood: String,
    /// By instance id.
    pub stages: BTreeMap<String, LockedStage>,
}

/// What one stage gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedStage {
    /// The key of its result.
    pub key: Digest,
    /// A digest of its kind, version and settings: what the file asked for, whatever the inputs were.
    pub asked: Digest,
    /// Whether a stage with tensors lies before it: its key may then differ on another machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_tensors: bool,
    /// Output name to content digest.
    pub outputs: BTreeMap<String, Digest>,
    /// The machine, for a stage with tensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// Part name to headline metrics, for an evaluation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Headline>,
}

/// The metrics that another machine must come near.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Headline {
    /// Images in the part.
    pub images: u64,
    /// Share of right first guesses.
    pub top1: f64,
    /// Its 95% interval.
    pub top1_interval: Interval,
    /// Share of right first five guesses.
    pub top5: f64,
    /// Its 95% interval.
    pub top5_interval: Interval,
    /// Mean cross entropy.
    pub loss: f64,
}

impl Headline {
    /// The headline metrics of an evaluation, by part name.
    #[must_use]
    pub fn of(evaluation: &Evaluation) -> BTreeMap<String, Self> {
        let headline = |part: &super::PartMetrics| Self {
            images: part.images,
            top1: part.top1,
            top1_interval: part.top1_interval,
            top5: part.top5,
            top5_interval: part.top5_interval,
            loss: part.loss,
        };
        evaluation
            .parts
            .iter()
            .map(|part| (part.part.name().to_owned(), headline(part)))
            .collect()
    }
}
