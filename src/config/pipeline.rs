//! A pipeline as the rest of the program sees it: instances with typed settings and resolved references.

use std::{collections::BTreeSet, path::PathBuf};

use super::Location;
use crate::{
    record::EvaluatePart,
    seed::Seed,
    settings::{
        AverageNorm, AverageOf, AverageRule, Checkpoint, Count, FeatureLeaks, FolderLevel,
        GradualUnfreezing, GroupBy, Leaks, Metric, NetworkSettings, Normalize, Pixels, Probability,
        Save, Storage, TrainLayers, Training, Tta, Unreadable,
    },
};

/// A pipeline file with everything it uses, expanded and checked.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The file that was asked for, absolute; a link is not followed.
    pub file: PathBuf,
    /// The project's root: the nearest ancestor of the file, as its path was given, that holds a `pipelines` folder, else the
    /// file's own folder.
    pub root: PathBuf,
    /// What a person is told before anything is done: roots that lie far from their files.
    pub notes: Vec<String>,
    /// All instances, of used files too, each after everything it refers to; otherwise in the order of the files.
    pub instances: Vec<Instance>,
}

/// One stage instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Unique: `deeper[arch=resnet50,optimizer.adam.lr=0.005]`, behind its alias where it comes from a used file:
    /// `mission2.deeper[…]`. Values of `matrix` in the order of the file; then `fold=2` where `fold = "all"` was expanded.
    pub id: String,
    /// The stage as written: `deeper` or `mission2.deeper`.
    pub stage: String,
    /// The values that tell it from its siblings, in the order of the id: `[("arch", "resnet50")]`.
    pub varied: Vec<(String, String)>,
    /// Where the stage's header stands.
    pub location: Location,
    /// What it shall do.
    pub settings: Settings,
}

impl Instance {
    /// Whether it belongs to a used file rather than to the file that was asked for.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.stage.contains('.')
    }
}

impl Pipeline {
    /// The paths outside the cache that it names and that are not there, each once, in the order of the instances.
    #[must_use]
    pub fn missing(&self) -> Vec<&DataPath> {
        let mut missing: Vec<&DataPath> = Vec::new();
        let mut seen = BTreeSet::new();
        for path in self.instances.iter().flat_map(|i| i.settings.outside()) {
            if seen.insert(&path.path) && !path.path.exists() {
                missing.push(path);
            }
        }
        missing
    }
}

/// The settings of one instance, a variant for each kind. References are ids of instances.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a pipeline has few instances, and none is moved in a loop"
)]
pub enum Settings {
    /// `[dataset.x]`
    Dataset(Dataset),
    /// `[split.x]`
    Split(Split),
    /// `[preprocess.x]`
    Preprocess(Preprocess),
    /// `[train.x]`
    Train(Train),
    /// `[select.x]`
    Select(Select),
    /// `[transfer.x]`
    Transfer(Transfer),
    /// `[average.x]`
    Average(Average),
    /// `[ensemble.x]`
    Ensemble(Ensemble),
    /// `[evaluate.x]`
    Evaluate(Evaluate),
}

impl Settings {
    /// The kind's name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Dataset(_) => "dataset",
            Self::Split(_) => "split",
            Self::Preprocess(_) => "preprocess",
            Self::Train(_) => "train",
            Self::Select(_) => "select",
            Self::Transfer(_) => "transfer",
            Self::Average(_) => "average",
            Self::Ensemble(_) => "ensemble",
            Self::Evaluate(_) => "evaluate",
        }
    }
}

impl Settings {
    /// The paths outside the cache that are named here.
    #[must_use]
    pub fn outside(&self) -> Vec<&DataPath> {
        fn file(model: &ModelSource) -> Option<&DataPath> {
            match model {
                ModelSource::File { path, .. } => Some(path),
                ModelSource::Stage { .. } | ModelSource::Ensemble { .. } => None,
            }
        }
        match self {
            Self::Dataset(d) => {
                let places = [&d.train, &d.validation, &d.test, &d.manifest, &d.exclude];
                places.into_iter().flatten().collect()
            }
            Self::Transfer(t) => file(&t.model).into_iter().collect(),
            Self::Evaluate(e) => file(&e.model).into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

/// A path of data outside the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPath {
    /// As written in the file, variables unexpanded.
    pub written: String,
    /// Absolute, variables expanded; spelt as the disk has it.
    pub path: PathBuf,
    /// The root of the project whose file names it.
    pub root: PathBuf,
    /// Where it is written.
    pub location: Location,
}

/// Images in class folders (`train`, `validation`, `test`), each a folder, a zip or a folder of zips, or in a list (`manifest`).
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// Class folders, to be split.
    pub train: Option<DataPath>,
    /// Class folders beside `train` that the data set itself gives to validation.
    pub validation: Option<DataPath>,
    /// Class folders, never trained on.
    pub test: Option<DataPath>,
    /// A CSV or TSV with the columns `path`, `label` and optionally `part` (`train`, `validation` or `test`) and `group`,
    /// instead of folders. Paths in it are relative to its folder.
    pub manifest: Option<DataPath>,
    /// A list of photographs to leave out.
    pub exclude: Option<DataPath>,
    /// Whether the boxes of `crop_area.properties` are cut out (`crop = "area"`).
    pub crop_area: bool,
    /// Which folder names an image's class. Without it the deepest one, where that is clear.
    pub class: Option<FolderLevel>,
    /// Which folder is an image's group, for `split` to keep together.
    pub group: Option<FolderLevel>,
}

/// Hold-out or folds.
#[derive(Clone, Debug)]
pub struct Split {
    /// The dataset.
    pub dataset: String,
    /// The share held out, as written; exclusive with `folds`. Where neither is given the data set's own validation part is taken, and
    /// [`Split::VALIDATION`] where it has none.
    pub validation: Option<Probability>,
    /// The number of folds, at least 2.
    pub folds: Option<Count>,
    /// The share that is drawn for a test part, where the data set has none.
    pub test: Option<TestShare>,
    /// Whether the data set may give a validation part: it names one, or a list that may.
    pub may_be_given: bool,
    /// Takes the validation part that the data set itself gives, instead of `validation` and `folds`.
    pub given: bool,
    /// Places each image by its name alone, so that a new one moves no other.
    pub stable: bool,
    /// Which images stay together.
    pub group_by: Option<GroupBy>,
    /// What is done about pictures that look alike.
    pub leaks: Leaks,
    /// The preprocess instance that looked for them; given where `leaks` is not `report`.
    pub data: Option<String>,
    /// The seed.
    pub seed: Seed,
}

impl Split {
    /// The share held out where nothing says another.
    pub const VALIDATION: f64 = 0.2;
}

/// `test = 0.1` of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct TestShare {
    /// The share of all images that are to be divided.
    pub share: Probability,
    /// Where it is written.
    pub location: Location,
}

/// Decode and resize into a pack.
#[derive(Clone, Debug)]
pub struct Preprocess {
    /// The dataset.
    pub dataset: String,
    /// How a photograph becomes a row.
    pub pixels: Pixels,
    /// What becomes of files that cannot be decoded.
    pub unreadable: Unreadable,
    /// How rows are stored.
    pub storage: Storage,
}

/// Train from scratch.
#[derive(Clone, Debug)]
pub struct Train {
    /// The preprocess instance (`data = …`).
    pub data: String,
    /// The dataset behind it.
    pub dataset: String,
    /// The split instance; it is of the same dataset.
    pub split: String,
    /// The fold that validates, where the split has folds.
    pub fold: Option<u32>,
    /// The network with its own settings.
    pub network: NetworkSettings,
    /// How to train.
    pub training: Box<Training>,
    /// When to save the state of a running training; in no key.
    pub save: Save,
}

/// The best of several models by a validation metric.
#[derive(Clone, Debug)]
pub struct Select {
    /// The candidates: train, transfer or select instances.
    pub from: Vec<String>,
    /// For each candidate its group: those that differ in `seed` or `fold` alone share a number.
    pub groups: Vec<usize>,
    /// The metric.
    pub by: Metric,
    /// Whether a candidate counts with its best or its last epoch.
    pub checkpoint: Checkpoint,
}

/// Train from another model with a new head.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The source.
    pub model: ModelSource,
    /// As in [`Train::data`].
    pub data: String,
    /// As in [`Train::dataset`].
    pub dataset: String,
    /// As in [`Train::split`].
    pub split: String,
    /// As in [`Train::fold`].
    pub fold: Option<u32>,
    /// Which layers move.
    pub train_layers: TrainLayers,
    /// Whether they come to it one after the other.
    pub gradual_unfreezing: Option<GradualUnfreezing>,
    /// What a step drops of the source's network, where it is not the default of its family.
    pub stochastic_depth: Option<Probability>,
    /// Likewise.
    pub dropout: Option<Probability>,
    /// Whether `normalize` was left out: the source's is kept then.
    pub keep_normalize: bool,
    /// How to train.
    pub training: Box<Training>,
    /// When to save the state of a running training; in no key.
    pub save: Save,
}

/// One model whose weights are the mean of those of finished models.
#[derive(Clone, Debug)]
pub struct Average {
    /// The members, at least two or with several epochs each, trained and validated on one data, split and fold: train, transfer, select or average instances.
    pub from: Vec<String>,
    /// Which epochs of a member count.
    pub checkpoint: AverageOf,
    /// Which members go into the mean.
    pub rule: AverageRule,
    /// The metric of the greedy rule.
    pub by: Metric,
    /// Where BatchNorm's statistics come from.
    pub batch_norm: AverageNorm,
    /// The members' preprocess instance.
    pub data: String,
    /// Their dataset.
    pub dataset: String,
    /// Their split.
    pub split: String,
    /// Their fold.
    pub fold: Option<u32>,
    /// Images in a step.
    pub batch_size: Count,
    /// Of the order of images when statistics are taken.
    pub seed: Seed,
}

/// Several finished models that answer together: the mean of their probabilities.
#[derive(Clone, Debug)]
pub struct Ensemble {
    /// The members, at least two: train, transfer, select or average instances.
    pub from: Vec<String>,
    /// Whether a member answers with its best or its last state.
    pub checkpoint: Checkpoint,
}

/// A model: of a stage, or a file.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a stage has one of them")]
pub enum ModelSource {
    /// Of a train, transfer or select instance.
    Stage {
        /// Its id.
        id: String,
        /// Its best or its last state.
        checkpoint: Checkpoint,
    },
    /// Of an ensemble instance.
    Ensemble {
        /// Its id.
        id: String,
    },
    /// A `.pt`, `.pth` or `.safetensors` file.
    File {
        /// Where.
        path: DataPath,
        /// Normalisation, for a file that does not say.
        normalize: Option<Normalize>,
        /// Class names in the order of the model's outputs, for a file that does not say.
        classes: Option<Vec<String>>,
        /// Which of several sets of weights.
        weights: Option<String>,
    },
}

/// Evaluate one model on parts of one data set.
#[derive(Clone, Debug)]
pub struct Evaluate {
    /// The model.
    pub model: ModelSource,
    /// The pack: of the model's own training unless `data` says another.
    pub data: String,
    /// The dataset behind it.
    pub dataset: String,
    /// The split: of the model's own training unless `split` says another.
    pub split: String,
    /// The fold, of the model's own training unless `fold` says another.
    pub fold: Option<u32>,
    /// The parts, in order and once each.
    pub on: Vec<EvaluatePart>,
    /// Whether the test part is evaluated only where there is one: nobody asked for it, and a list may have none.
    pub test_if_there: bool,
    /// Further views of each image, over which probabilities are averaged; none by default.
    pub tta: Vec<Tta>,
    /// Images in a step; cannot change the result beyond rounding, but is part of it.
    pub batch_size: Count,
    /// Whether the model's features are compared too, and from which cosine on they are alike.
    pub leaks: Option<FeatureLeaks>,
}
