//! What a pipeline left behind, and its evaluations in groups.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    digest::Digest,
    record::{
        Calibration, Evaluation, FeatureLeaks, Fingerprint, History, LabelIssues, Part,
        PartMetrics, PartSureness, PastJobs, Prediction, Selection, Timing,
    },
    settings::{Arch, Checkpoint},
};

use super::{Overview, Photograph, best::best};

/// The results of one pipeline, collected from the cache by the caller.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The pipeline file as shown to people.
    pub pipeline: String,
    /// In the order of the pipeline.
    pub evaluations: Vec<Evaluated>,
    /// In the order of the pipeline: train and transfer instances.
    pub trainings: Vec<Trained>,
    /// In the order of the pipeline: trainings that were begun and have no result of now yet.
    pub begun: Vec<BegunTraining>,
    /// In the order of the pipeline: images that are in no part, where they were asked for.
    pub unused: Vec<Unused>,
    /// In the order of the pipeline: audits of labels.
    pub audits: Vec<Audited>,
    /// In the order of the pipeline: calibrations.
    pub calibrations: Vec<Calibrated>,
    /// How sure the model of [`Results::to_calibrate`] is, where that was asked for.
    pub sure: Option<Uncalibrated>,
    /// In the order of the pipeline: stages whose result is not the one that a run would give now.
    pub not_of_now: Vec<NotOfNow>,
    /// In the order of the pipeline: selections among models.
    pub selections: Vec<Selected>,
    /// In the order of the pipeline: data sets under a preprocess stage.
    pub data: Vec<DataSeen>,
    /// In the order of the pipeline, each behind what it reads: all stages.
    pub stages: Vec<StageTold>,
    /// The pipeline file and those it uses, by name, with their text.
    pub files: Vec<(String, String)>,
    /// How many different models were ever evaluated on the same test images in this cache, by the digest of those images' paths and
    /// labels.
    pub judged: BTreeMap<Digest, usize>,
    /// In the order of the pipeline: the jobs of a cluster that stages had.
    pub jobs: Vec<PastJobs>,
}

/// One selection with what it was made of.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The instance.
    pub id: String,
    /// The candidates' instances, in the order of the stage's inputs.
    pub candidates: Vec<String>,
    /// `selection.json`.
    pub found: Selection,
}

/// One data set as it is seen under a preprocess stage.
#[derive(Clone, Debug)]
pub struct DataSeen {
    /// Where its photographs are shown from.
    pub source: Source,
    /// Counts, sizes, what is odd, and look-alikes.
    pub overview: Overview,
    /// Who draws the parts that are compared, where not the data set alone gives them.
    pub split: Option<SplitSeen>,
    /// What there is to compare of each usable image, by path.
    pub looks: BTreeMap<String, ImageLook>,
}

/// The split whose parts are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitSeen {
    /// The instance.
    pub id: String,
    /// Of so many that draw from the data set.
    pub of: usize,
    /// Whether every image of it is trained on and judged in turn.
    pub folds: bool,
}

/// What of an image may drift from part to part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageLook {
    /// The part that the split puts it into, or the data set where none does.
    pub part: Part,
    /// Mean over all channels, from 0 to 255.
    pub brightness: f64,
    /// The shorter side in pixels.
    pub short_side: f64,
    /// Width by height.
    pub aspect: f64,
    /// The shares of red and of blue in its light, where its pixels were looked at.
    pub colour: Option<(f64, f64)>,
}

/// One stage with what is known of its result.
#[derive(Clone, Debug)]
pub struct StageTold {
    /// The instance.
    pub id: String,
    /// The stage as written.
    pub stage: String,
    /// Its kind.
    pub kind: &'static str,
    /// The instances that it reads.
    pub reads: Vec<String>,
    /// All its settings as a pipeline file writes them, defaults too: name and value.
    pub settings: Vec<(String, String)>,
    /// What is there of it.
    pub made: Option<StageMade>,
}

/// A result of a stage.
#[derive(Clone, Debug)]
pub struct StageMade {
    /// Whether it is of an earlier state of the pipeline or its data.
    pub earlier: bool,
    /// Its key.
    pub key: String,
    /// When it was started, in seconds since 1970.
    pub started: u64,
    /// How long it took.
    pub seconds: f64,
    /// The kfood that made it.
    pub kfood: String,
    /// Name, digest and bytes of each output.
    pub outputs: Vec<(String, String, u64)>,
}

/// A stage whose result is missing, or is of an earlier state of the pipeline or its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotOfNow {
    /// The instance.
    pub id: String,
    /// Whether an earlier result is shown in its place.
    pub earlier: bool,
    /// Why, in words.
    pub why: String,
}

/// Where photographs are shown from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The dataset instance that lists them.
    pub dataset: String,
    /// The preprocess instance whose pack holds them.
    pub data: String,
}

impl Source {
    /// One of them, by its path in `images.json`.
    #[must_use]
    pub fn photograph(&self, path: &str) -> Photograph {
        Photograph {
            dataset: self.dataset.clone(),
            data: self.data.clone(),
            path: path.to_owned(),
        }
    }
}

/// One audit instance with what it found.
#[derive(Clone, Debug)]
pub struct Audited {
    /// The instance.
    pub id: String,
    /// Where the judged photographs are shown from.
    pub source: Source,
    /// `label_issues.json`.
    pub found: LabelIssues,
}

/// One calibrate instance with what it found.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// The instance.
    pub id: String,
    /// The evaluate instance that it is of.
    pub of: String,
    /// `calibration.json`.
    pub found: Calibration,
}

/// How sure a model is that no calibrate stage is of.
#[derive(Clone, Debug)]
pub struct Uncalibrated {
    /// The evaluate instance that it is of.
    pub of: String,
    /// The stage as written.
    pub stage: String,
    /// Validation and test, as far as they were evaluated.
    pub parts: Vec<PartSureness>,
}

/// Images that a stage keeps out of every part.
#[derive(Clone, Debug)]
pub struct Unused {
    /// The preprocess or split instance.
    pub id: String,
    /// Why it keeps them out.
    pub why: NotUsed,
    /// Of how many images.
    pub of: usize,
    /// Each with what is told of it: why it cannot be decoded, or the image that it looks like.
    pub images: Vec<(String, String)>,
}

/// Why images are in no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotUsed {
    /// A preprocess stage drops what cannot be decoded.
    CannotBeDecoded,
    /// A split leaves copies of test images out.
    LooksLikeAnother,
}

/// One evaluate instance with its result.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The instance: `baseline[seed=2]`.
    pub id: String,
    /// The stage as written: `baseline`.
    pub stage: String,
    /// What tells it from its siblings: `[("seed", "2")]`.
    pub varied: Vec<(String, String)>,
    /// The model as the pipeline names it, without what varies: `resnet18`, `mission2.best` or `models/m.pt`.
    pub model: String,
    /// Which state of it; `None` for a file.
    pub checkpoint: Option<Checkpoint>,
    /// Its architecture, if known.
    pub arch: Option<Arch>,
    /// The epoch it was saved after, if known.
    pub epoch: Option<u32>,
    /// What it is made of where it is not one training's state.
    pub made_of: Option<MadeOf>,
    /// Where its photographs are shown from.
    pub source: Source,
    /// `metrics.json`.
    pub evaluation: Evaluation,
    /// `leaks.json`, where look-alikes were looked for by the model's features.
    pub features: Option<FeatureLeaks>,
    /// `predictions.csv`; may be left empty where nothing is compared.
    pub predictions: Vec<Prediction>,
    /// The settings of everything that it is made from, by kind and name; may be left empty where nothing is compared.
    pub settings: BTreeMap<String, String>,
    /// Whether those are all of them: what is no longer in the cache tells none.
    pub all_settings: bool,
    /// The machine that evaluated, if recorded.
    pub fingerprint: Option<Fingerprint>,
}

/// What a model is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeOf {
    /// Models that answer together.
    Ensemble {
        /// How many.
        members: usize,
    },
    /// The mean of the weights of models.
    Average {
        /// How many are in the mean.
        used: usize,
        /// Of how many that were tried; `None` where all are in it.
        of: Option<usize>,
    },
}

/// One train or transfer instance with its history.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The instance.
    pub id: String,
    /// The stage as written.
    pub stage: String,
    /// What tells it from its siblings: `[("seed", "2")]`.
    pub varied: Vec<(String, String)>,
    /// `history.json`.
    pub history: History,
    /// `timing.json` beside it, if it can be read.
    pub timing: Option<Timing>,
    /// When it started, in seconds since 1970.
    pub started: u64,
    /// The machine that trained, if recorded.
    pub fingerprint: Option<Fingerprint>,
}

/// A training that was begun.
#[derive(Clone, Debug)]
pub struct BegunTraining {
    /// The instance.
    pub id: String,
    /// The epochs that are kept so far.
    pub history: History,
    /// Whether a run is at it now.
    pub is_running: bool,
}

/// Evaluations that differ in seed or fold alone: repetitions of one recipe.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The stage with the other varied values: `deeper[arch=resnet50]`.
    pub name: String,
    /// At least one.
    pub runs: Vec<&'a Evaluated>,
}

impl Results {
    /// The evaluation whose sureness is told where the pipeline has no calibrate stage: the first run of the recipe that is best.
    #[must_use]
    pub fn to_calibrate(&self) -> Option<&Evaluated> {
        let groups = self.groups();
        let found = best(groups.iter())
            .filter(|_| self.calibrations.is_empty())
            .map(|(group, _)| group.runs[0])?;
        self.evaluations.iter().find(|run| run.id == found.id)
    }

    /// The evaluations in groups, in the order of their first members.
    #[must_use]
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for run in &self.evaluations {
            let name = run.recipe();
            match groups.iter_mut().find(|g| g.name == name) {
                Some(group) => group.runs.push(run),
                None => groups.push(Group {
                    name,
                    runs: vec![run],
                }),
            }
        }
        groups
    }
}

impl Evaluated {
    /// The metrics of one part, if it was evaluated.
    #[must_use]
    pub fn part(&self, part: Part) -> Option<&PartMetrics> {
        self.evaluation.parts.iter().find(|p| p.part == part)
    }

    /// What it shares with its repetitions.
    fn recipe(&self) -> String {
        recipe(&self.stage, &self.varied)
    }

    /// What tells it from its repetitions: `seed=2,fold=0`, or nothing.
    pub(super) fn repetition(&self) -> String {
        repetition(&self.varied)
    }
}

/// A name with what varies beside seed and fold: `deeper[arch=resnet50]`.
#[must_use]
pub fn recipe(stage: &str, varied: &[(String, String)]) -> String {
    let varied = listed(varied, |key| !is_repetition(key));
    if varied.is_empty() {
        return stage.to_owned();
    }
    format!("{stage}[{varied}]")
}

/// What tells repetitions of a recipe from each other: `seed=2,fold=0`, or nothing.
#[must_use]
pub fn repetition(varied: &[(String, String)]) -> String {
    listed(varied, is_repetition)
}

/// What varies beside seed and fold: names of settings and their values.
pub(super) fn settings(varied: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    let varied = varied.iter().filter(|(key, _)| !is_repetition(key));
    varied.map(|(key, value)| (key.as_str(), value.as_str()))
}

fn listed(varied: &[(String, String)], wanted: impl Fn(&str) -> bool) -> String {
    let wanted = varied.iter().filter(|(key, _)| wanted(key));
    let words: Vec<_> = wanted
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    words.join(",")
}

pub(super) fn is_repetition(key: &str) -> bool {
    matches!(key.rsplit('.').next(), Some("seed" | "fold"))
}

impl<'a> Group<'a> {
    /// What tells it from other recipes of its stage: names of settings and their values.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        settings(self.runs.first().map_or(&[][..], |run| &run.varied))
    }

    /// The metrics of one part in each run; empty unless all runs have it.
    #[must_use]
    pub fn part(&self, part: Part) -> Vec<&PartMetrics> {
        let found: Option<Vec<_>> = self.runs.iter().map(|run| run.part(part)).collect();
        found.unwrap_or_default()
    }
}
