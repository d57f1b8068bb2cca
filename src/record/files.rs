//! The names of the files that hold records: a stage writes them, later stages and commands read them.

use super::{
    Attention, Averaging, Browse, Browsed, Calibration, Evaluation, FeatureLeaks, Fingerprint, Fit,
    History, Images, Job, LabelIssues, Labels, LogProbabilities, LookAlikes, Looked, Photographs,
    Predict, Prediction, Selection, SourceMatch, Split, Timing, Tune,
};

macro_rules! files {
    ($($record:ident: $name:literal)*) => {
        $(impl $record {
            /// The file that holds it, in the folder of a result.
            pub const FILE: &'static str = $name;
        })*
    };
}

files! {
    Attention: "attention.json"
    Averaging: "averaging.json"
    Browsed: "browsed.json"
    Calibration: "calibration.json"
    Evaluation: "metrics.json"
    FeatureLeaks: "leaks.json"
    Fingerprint: "fingerprint.json"
    History: "history.json"
    Images: "images.json"
    LabelIssues: "label_issues.json"
    Labels: "labels.json"
    LogProbabilities: "log_probabilities.f32"
    LookAlikes: "look_alikes.json"
    Looked: "looked.json"
    Photographs: "photographs.json"
    Prediction: "predictions.csv"
    Selection: "selection.json"
    SourceMatch: "source.json"
    Split: "membership.json"
    Timing: "timing.json"
}

impl LabelIssues {
    /// The list beside it that a person copies and edits.
    pub const CORRECTIONS: &'static str = "corrections.csv";
}

impl Fit {
    /// What is known of a training beside its tensors, in the folder of its state.
    pub const INDEX: &'static str = "state.json";
}

impl Browse {
    /// The picture in `out`.
    pub const SHEET: &'static str = "sheet.png";
}

impl Job {
    /// The answer of [`Job::Doctor`].
    pub const DOCTOR: &'static str = "doctor.json";
}

impl Tune {
    /// The answer in `out`.
    pub const FILE: &'static str = "tune.json";
}

impl Predict {
    /// The answer in `out`.
    pub const FILE: &'static str = "predictions.jsonl";
}
