//! A job for `kfood-worker`: one JSON file in the private folder of an attempt.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Attend, Browse, Part};
use crate::{
    digest::Digest,
    seed::Seed,
    settings::{
        AverageNorm, AverageRule, GradualUnfreezing, Metric, Named, NetworkSettings, Normalize,
        Pixels, Pretrained, Probability, Save, TrainLayers, Training, TransferHead, Tta,
    },
};

/// What a worker shall do. All paths are absolute.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Train from scratch, or from another model.
    Fit(Fit),
    /// Try a training out.
    Tune(Tune),
    /// Average the weights of models.
    Average(Average),
    /// Evaluate a model on parts of a data set.
    Evaluate(Evaluate),
    /// Classify image files.
    Predict(Predict),
    /// Draw where a model finds its evidence.
    Attend(Box<Attend>),
    /// Draw a sheet of what a training sees.
    Browse(Browse),
    /// Say what libtorch and which devices there are; writes `doctor.json` to `out`.
    Doctor {
        /// Folder for the answer.
        #[serde(with = "super::path")]
        out: PathBuf,
    },
}

/// A pack with its labels and a split.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Data {
    /// `pixels.pack`.
    #[serde(with = "super::path")]
    pub pack: PathBuf,
    /// `labels.json`.
    #[serde(with = "super::path")]
    pub labels: PathBuf,
    /// `membership.json`.
    #[serde(with = "super::path")]
    pub split: PathBuf,
    /// The fold that validates, where the split has folds.
    pub fold: Option<u32>,
}

/// A training. Writes `best.safetensors`, `last.safetensors` and `history.json` to `out`, with `keep_last` `kept.safetensors` too, and
/// beside them `timing.json` and `fingerprint.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fit {
    /// What to train on.
    pub data: Data,
    /// How the pack was made, for the checkpoint's transform.
    pub pixels: Pixels,
    /// How to train.
    pub training: Training,
    /// Where to start.
    pub start: Start,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// Threads of one tensor operation.
    pub threads: u32,
    /// Folder for the outputs.
    #[serde(with = "super::path")]
    pub out: PathBuf,
    /// Folder that survives an interruption: the state to go on from.
    #[serde(with = "super::path")]
    pub state: PathBuf,
    /// The key of the stage, and what the keys of the trainings that it may go on from have in common with it; not known where no
    /// stage trains.
    #[serde(default)]
    pub key: Option<Digest>,
    /// See `key`.
    #[serde(default)]
    pub kin: Option<Digest>,
    /// When to save the state; no part of the result.
    #[serde(default)]
    pub save: Save,
    /// Folders of earlier results that differ in the number of epochs alone.
    #[serde(default)]
    #[serde(with = "super::path::list")]
    pub earlier: Vec<PathBuf>,
}

impl Fit {
    /// The folder beside the outputs that a longer training goes on from. It is no output: nothing is made of it, and its content
    /// follows from the key like that of the outputs.
    pub const LEFT: &str = "state";
}

/// A training that is tried out and thrown away. Writes `tune.json` to the `out` of the training: what [`Tuned`] says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tune {
    /// The training.
    pub fit: Fit,
    /// What to find.
    pub what: Tuned,
}

/// What a trial finds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tuned {
    /// A learning rate: [`super::LearningRates`].
    LearningRate,
    /// A batch size: [`super::BatchSizes`].
    BatchSize,
}

/// Where a training starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// From torchvision's initialisation.
    Scratch(NetworkSettings),
    /// From another model, with a new head.
    Transfer {
        /// The source.
        model: ModelFile,
        /// What to train.
        train_layers: TrainLayers,
        /// Whether they come to it one after the other.
        gradual_unfreezing: Option<GradualUnfreezing>,
        /// What a step drops of the source's network, where it is not the default of its family.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stochastic_depth: Option<Probability>,
        /// Likewise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dropout: Option<Probability>,
        /// Keep the source's normalisation instead of the one in `training`.
        keep_normalize: bool,
        /// What the new head begins with.
        #[serde(default)]
        head: TransferHead,
    },
}

/// A model on disk: a checkpoint of ours, or PyTorch's with what its file does not say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelFile {
    /// The file.
    #[serde(with = "super::path")]
    pub path: PathBuf,
    /// For a file without our metadata: its normalisation, if the pipeline gives one.
    pub normalize: Option<Normalize>,
    /// Likewise its class names, in the order of its outputs.
    #[serde(default)]
    pub classes: Option<Vec<String>>,
    /// Of a file that holds several sets of weights, the name of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// The name of the published weights that it is to be, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<String>,
}

impl ModelFile {
    /// The published weights that it is to be.
    #[must_use]
    pub fn published(&self) -> Option<&'static Pretrained> {
        match Pretrained::named(self.pretrained.as_deref()?) {
            Some(Named::Weights(weights)) => Some(weights),
            _ => None,
        }
    }
}

/// An average of weights. Writes what a training writes to `out`, and `averaging.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Average {
    /// What the models were trained and validated on.
    pub data: Data,
    /// The models: checkpoints of ours, or files of several.
    #[serde(with = "super::path::list")]
    pub members: Vec<PathBuf>,
    /// What the pipeline calls them, for messages.
    pub names: Vec<String>,
    /// Which of them go into the mean.
    pub rule: AverageRule,
    /// What the greedy rule compares.
    pub by: Metric,
    /// Where BatchNorm's statistics come from.
    pub batch_norm: AverageNorm,
    /// Images in a step.
    pub batch_size: u32,
    /// Of the order of images when statistics are taken.
    pub seed: Seed,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// Threads of one tensor operation.
    pub threads: u32,
    /// Folder for the outputs.
    #[serde(with = "super::path")]
    pub out: PathBuf,
}

/// An evaluation. Writes `metrics.json`, `predictions.csv` and `log_probabilities.f32` to `out`, and `timing.json` and `fingerprint.json`
/// beside them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evaluate {
    /// What to evaluate on.
    pub data: Data,
    /// `images.json`, for the names in predictions.
    #[serde(with = "super::path")]
    pub images: PathBuf,
    /// `look_alikes.json` of the pack, for accuracy with and without leaked images.
    #[serde(with = "super::path")]
    pub look_alikes: PathBuf,
    /// How the pack was made.
    pub pixels: Pixels,
    /// The model.
    pub model: ModelFile,
    /// From which cosine of features on images count as look-alikes; `None` compares no features. Writes `leaks.json` to `out`.
    #[serde(default)]
    pub cosine: Option<f64>,
    /// The parts.
    pub on: Vec<Part>,
    /// Whether the test part is evaluated only where there is one: nobody asked for it.
    #[serde(default)]
    pub test_if_there: bool,
    /// Further views of each image.
    #[serde(default)]
    pub tta: Vec<Tta>,
    /// Images in a step.
    pub batch_size: u32,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// Threads of one tensor operation.
    pub threads: u32,
    /// Folder for the outputs.
    #[serde(with = "super::path")]
    pub out: PathBuf,
}

/// An image that is to be classified.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFile {
    /// A file of its own.
    File(#[serde(with = "super::path")] PathBuf),
    /// In a zip.
    Zip {
        /// The zip.
        #[serde(with = "super::path")]
        zip: PathBuf,
        /// Its place in the directory of the zip.
        entry: usize,
    },
}

/// A prediction. Writes `predictions.jsonl` to `out`, for each image in turn a line with an object: either `guesses`, the most likely
/// classes with their probabilities, or `error`, why it cannot be used; with `cam` a picture for each usable one too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Predict {
    /// The model.
    pub model: ModelFile,
    /// The images.
    pub images: Vec<ImageFile>,
    /// Guesses for each image.
    pub top: u32,
    /// Further views of each image.
    #[serde(default)]
    pub tta: Vec<Tta>,
    /// What the answer's logits are divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// For each image the name of a picture of what speaks for the first guess, in `out`; the model is one, and no ensemble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cam: Option<Vec<String>>,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// Threads of one tensor operation.
    pub threads: u32,
    /// Folder for the outputs.
    #[serde(with = "super::path")]
    pub out: PathBuf,
}
