//! The names of the files that hold records: a stage writes them, later stages and commands read them.

use super::{
    Averaging, Calibration, Evaluation, Fingerprint, History, Images, LabelIssues, Labels,
    LookAlikes, Photographs, Selection, SourceMatch, Split, Timing,
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
    Averaging: "averaging.json"
    Calibration: "calibration.json"
    Evaluation: "metrics.json"
    Fingerprint: "fingerprint.json"
    History: "history.json"
    Images: "images.json"
    LabelIssues: "label_issues.json"
    Labels: "labels.json"
    LookAlikes: "look_alikes.json"
    Photographs: "photographs.json"
    Selection: "selection.json"
    SourceMatch: "source.json"
    Split: "membership.json"
    Timing: "timing.json"
}
