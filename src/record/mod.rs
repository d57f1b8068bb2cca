//! What is written down: the typed content of the files that stages hand to each other and to people.

mod attend;
mod averaging;
mod bench_job;
mod browse;
mod calibration;
mod checkpoint;
mod evaluation;
mod files;
mod fingerprint;
mod functional;
mod history;
mod image_columns;
mod image_count;
mod images;
mod job;
mod label_issues;
mod labels;
mod leaks;
mod lock;
mod look_alikes;
mod looked;
pub mod model_files;
mod part;
mod past_run;
pub mod path;
mod photographs;
mod prediction;
mod selection;
mod source_match;
mod split;
mod stopped_early;
mod timing;
mod tune;
mod unusable;

pub use attend::{Attend, Attention};
pub use averaging::{Averaging, Tried};
pub use bench_job::{BenchJob, Forward, Speed, StepTaken, Steps};
pub use browse::{Browse, Browsed};
pub use calibration::{
    CalibratedPart, Calibration, Coverage, PartSureness, ReliabilityBin, Sure, Sureness, Threshold,
};
pub use checkpoint::{CheckpointInfo, Provenance, Transform};
pub use evaluation::{
    ClassMetrics, Dtype, Evaluation, Gap, Interval, LogProbabilities, PartMetrics,
};
pub use fingerprint::Fingerprint;
pub use functional::{Functional, Functionals};
pub use history::{Epoch, History, Measure};
pub use image_columns::{ImageColumns, PathList, Paths};
pub use image_count::ImageCount;
pub use images::{Crop, Image, Images};
pub use job::{
    Average, Data, Evaluate, Fit, ImageFile, Job, ModelFile, Predict, Start, Tune, Tuned,
};
pub use label_issues::{LabelIssues, SuspiciousLabel};
pub use labels::{CorrectedLabel, Label, Labels};
pub use leaks::{ByFeatures, FeatureLeak, FeatureLeaks, Leaked, LeakedPart, Leaks};
pub use lock::{Headline, Lock, LockedStage};
pub use look_alikes::{Likeness, LookAlikes, Pair};
pub use looked::Looked;
pub use part::Part;
pub use past_run::{PastEvaluation, PastJobs, PastRun};
pub use photographs::{Photograph, PhotographColumns, Photographs};
pub use prediction::Prediction;
pub use selection::{Candidate, Selection};
pub use source_match::SourceMatch;
pub use split::{Assignment, LeftOut, Split};
pub use stopped_early::StoppedEarly;
pub use timing::{EpochTiming, Timing, WorkTiming};
pub use tune::{BatchSizes, BatchTry, Ended, LearningRates, RateStep};
pub use unusable::{Fault, Foreign, Unusable};
