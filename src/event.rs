//! What is told while running. The engine emits events; only `cli` renders them. A worker writes [`StageEvent`]s as
//! lines of JSON on its standard output.

use serde::{Deserialize, Serialize};

use crate::record::Epoch;

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// What the run is about to look at.
    Planned {
        /// Stage instances in all.
        stages: usize,
    },
    /// The look at all stages is over, and what is pending begins.
    Begun {
        /// Every stage instance of the run.
        stages: Vec<Ahead>,
    },
    /// Something about one stage instance.
    Stage {
        /// The instance, such as `deeper[arch=resnet50]`.
        id: String,
        /// What happened to it.
        event: StageEvent,
    },
}

/// What a run is to do with a stage, as far as the look at it told.
#[derive(Clone, Debug, PartialEq)]
pub struct Ahead {
    /// The instance.
    pub id: String,
    /// Whether its result is there.
    pub cached: bool,
    /// What it takes in seconds, going by earlier runs; `None` where none tells.
    pub seconds: Option<f64>,
}

/// Why a stage was not run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotRun {
    /// The run was interrupted before its turn.
    Interrupted,
    /// A stage failed that it needs, itself or through others.
    Needs(String),
    /// A stage failed that it does not need, and a run ends with the first failure.
    AfterFailure(String),
}

/// Something that happened to one stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageEvent {
    /// It needs to run, for this reason in one line.
    Started {
        /// Such as "`lr` 0.001 -> 0.01".
        reason: String,
    },
    /// Another process runs the same work; this one waits for its result.
    Waiting,
    /// A part of its work: draw a bar for it.
    Progress {
        /// What is counted, such as "decoding" or "epoch 3/50".
        what: String,
        /// Finished units.
        done: u64,
        /// Units in all.
        total: u64,
        /// The unit, such as "images".
        unit: String,
    },
    /// An epoch of training ended.
    Epoch(Epoch),
    /// Something worth a line.
    Note(String),
    /// Something that is probably not as wanted.
    Warning(String),
    /// It ended well.
    Finished {
        /// Whether its result came from the cache.
        cached: bool,
        /// Wall time in seconds; of the run that made it when cached.
        seconds: f64,
    },
    /// Its result came from the remote cache.
    Fetched {
        /// Size of its outputs.
        bytes: u64,
        /// Wall time in seconds of the run that made it.
        seconds: f64,
    },
    /// Its result was pushed into the remote cache.
    Pushed {
        /// Bytes that were sent; none where the remote cache had them.
        bytes: u64,
    },
    /// It failed; the error follows at the end of the run.
    Failed {
        /// The message.
        message: String,
    },
    /// It was stopped, as asked.
    Interrupted,
    /// It was not run.
    Skipped {
        /// Why not.
        because: NotRun,
    },
}

/// Tells about one stage, from inside it.
pub type Tell<'a> = &'a (dyn Fn(StageEvent) + Sync);

/// Hears everything that happens in a run.
pub trait Observer: Send + Sync {
    /// One event, in the order of happening for each stage.
    fn observe(&self, event: &Event);
}

/// Hears nothing; for callers that only want the result.
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _event: &Event) {}
}
