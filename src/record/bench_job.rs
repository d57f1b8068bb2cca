//! A job for `kfood-worker` that no command and no stage sends: benchmarks and comparisons with other implementations write it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Fit, Functionals, ModelFile};

/// What a worker shall do. All paths are absolute.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BenchJob {
    /// Time the parts of a training.
    Speed(Speed),
    /// Take the first steps of a training.
    Steps(Steps),
    /// Run a model on a tensor.
    Forward(Forward),
    /// Apply augmentations with fixed parameters.
    Functionals(Functionals),
}

/// Times the parts of a training without training: for benchmarks. Writes `speed.json` to the training's `out`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Speed {
    /// The training. Its state is neither read nor written.
    pub fit: Fit,
    /// Steps of a whole batch in each round.
    pub steps: u32,
    /// Rounds, in each of which every part is timed once.
    pub rounds: u32,
}

/// The first steps of a training's first epoch. Writes to its `out`: the model as `start.safetensors` and after them as
/// `end.safetensors`; of each step, from 1, `batch-N.safetensors` with `images` (f32, `[n, 3, height, width]`, augmented and normalised),
/// `classes` (i64, shape `[n]`) and, in a training that mixes, `shares` (f32, `[n, classes]`), in one that drops `stochastic_depth` (f32,
/// `[n, blocks]`) and `dropout` (f32, `[n, features]`), by which is multiplied; and `steps.json`, a list of [`StepTaken`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Steps {
    /// The training. Its state is neither read nor written.
    pub fit: Fit,
    /// How many.
    pub steps: u32,
}

/// A step of a training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTaken {
    /// The learning rate.
    pub lr: f64,
    /// The momentum or first beta, where the schedule moves it.
    pub momentum: Option<f64>,
    /// The mean loss over the batch, before the step.
    pub loss: f64,
}

/// One pass of a model in evaluation mode: `input.safetensors` with `x` of shape [n, 3, height, width] in f32, already
/// normalised, to `logits.safetensors` with `logits` of shape [n, classes] in `out`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Forward {
    /// The model.
    pub model: ModelFile,
    /// The input.
    #[serde(with = "super::path")]
    pub input: PathBuf,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// Threads of one tensor operation.
    pub threads: u32,
    /// Folder for the outputs.
    #[serde(with = "super::path")]
    pub out: PathBuf,
}
