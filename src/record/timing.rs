//! What work on tensors took, `timing.json`: beside the result and no part of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `timing.json` of a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Of all epochs, validation included.
    pub seconds: f64,
    /// Training images a second, validation not included in the time.
    pub images_per_second: f64,
    /// Epochs that an interrupted run had finished.
    pub resumed_after_epoch: usize,
    /// In the order of the history.
    pub epochs: Vec<EpochTiming>,
}

/// `timing.json` of work without epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WorkTiming {
    /// Of all of it, reading models and data included.
    pub seconds: f64,
    /// Images that it judged, where it judges any for the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<usize>,
    /// These by the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_per_second: Option<f64>,
}

impl WorkTiming {
    /// Of work that took so long.
    #[must_use]
    pub fn of(took: Duration, images: Option<usize>) -> Self {
        let seconds = took.as_secs_f64();
        Self {
            seconds,
            images,
            images_per_second: images.map(|images| images as f64 / seconds.max(1e-9)),
        }
    }
}

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochTiming {
    /// Training and validation.
    pub seconds: f64,
    /// Training alone.
    pub train_seconds: f64,
    /// Training images.
    pub images: u64,
    /// Bytes: on a GPU the most that tensors held of its memory in this epoch; on the CPU the most that the process held of the
    /// machine's until its end. `None` where the system does not tell.
    pub peak_memory: Option<u64>,
}

impl EpochTiming {
    /// Training images a second, validation not included in the time.
    #[must_use]
    pub fn images_per_second(&self) -> f64 {
        self.images as f64 / self.train_seconds.max(1e-9)
    }
}

impl Timing {
    /// The sums over epochs.
    #[must_use]
    pub fn of(epochs: Vec<EpochTiming>, resumed_after_epoch: usize) -> Self {
        let images: u64 = epochs.iter().map(|e| e.images).sum();
        let train: f64 = epochs.iter().map(|e| e.train_seconds).sum();
        Self {
            seconds: epochs.iter().map(|e| e.seconds).sum(),
            images_per_second: images as f64 / train.max(1e-9),
            resumed_after_epoch,
            epochs,
        }
    }
}
