//! A run of a pipeline as it is remembered: small, and kept when its results go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Headline;
use crate::digest::Digest;

/// `runs/PIPELINE-TIME.json` of a cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastRun {
    /// The format of this file; 1.
    pub format: u32,
    /// The version of kfood that ran.
    pub kfood: String,
    /// The pipeline file, absolute.
    pub pipeline: String,
    /// When it started, in seconds since 1970.
    pub started: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// The stages that were asked for by name; all where none is.
    pub asked: Vec<String>,
    /// What the file said, under an empty name, and the files that it uses, each under its alias with a dot.
    pub texts: BTreeMap<String, String>,
    /// How many stages ended how: `cached`, `ran`, `failed`, `interrupted`, `skipped`.
    pub stages: BTreeMap<String, u64>,
    /// Instances that failed, each with the first line of why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, String>,
    /// What came out.
    pub evaluations: Vec<PastEvaluation>,
    /// The jobs of a cluster that its stages had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<PastJobs>,
}

/// The jobs of a cluster that one stage of a run had.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PastJobs {
    /// The instance.
    pub stage: String,
    /// The key of its result in hexadecimal digits.
    pub key: String,
    /// The last of them, as Slurm calls it.
    pub job: String,
    /// The machine that it ran on; none where it did not start.
    pub node: Option<String>,
    /// What became of it, in a few words.
    pub state: String,
    /// How many were sent.
    pub sent: u32,
    /// Why another one was sent, each time that this run did so.
    pub again: Vec<String>,
    /// The file with what it printed, in the folder of the cache; none where it was removed since.
    pub log: Option<String>,
}

/// A finished evaluation of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastEvaluation {
    /// The instance.
    pub id: String,
    /// The stage as written.
    pub stage: String,
    /// What tells it from its siblings.
    pub varied: Vec<(String, String)>,
    /// The model as the pipeline named it.
    pub model: String,
    /// The key of its result, which may be gone since.
    pub key: Digest,
    /// Part name to headline metrics.
    pub parts: BTreeMap<String, Headline>,
}
