//! What trying a training out found: `tune.json`.

use serde::{Deserialize, Serialize};

/// The loss over rising learning rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearningRates {
    /// A step each, in order.
    pub steps: Vec<RateStep>,
    /// Whether it ended before the highest rate, because the loss was far above its best or no number.
    pub diverged: bool,
    /// Two thirds along the longest way down of the smoothed loss (fastai's `valley`): a rate to train with.
    pub valley: Option<f64>,
    /// Where the smoothed loss falls fastest (fastai's `steep`).
    pub steepest: Option<f64>,
}

/// A step at a learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateStep {
    /// The learning rate.
    pub lr: f64,
    /// The loss of its batch.
    pub loss: f64,
    /// The exponential mean of the losses so far, with 2% of the last.
    pub smoothed: f64,
}

/// The speed of batch sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchSizes {
    /// In the order in which they were tried, each twice the one before.
    pub tries: Vec<BatchTry>,
    /// Why no larger one was tried.
    pub ended: Ended,
    /// The largest that fits.
    pub largest: Option<u32>,
    /// The one with the most images a second.
    pub fastest: Option<u32>,
}

/// Why no larger batch size was tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// A batch would be larger than the training part.
    NoMoreImages {
        /// Images of that part.
        images: u32,
    },
    /// It did not fit.
    MemoryRanOut {
        /// The size that was tried.
        batch_size: u32,
    },
    /// By what the last one took it would not fit.
    WouldNotFit {
        /// The size that was not tried.
        batch_size: u32,
    },
    /// A larger one would take too long.
    TooSlow {
        /// The last one.
        batch_size: u32,
        /// What its step may take.
        seconds: f64,
    },
    /// The system ended the process.
    EndedBySystem {
        /// The size that was being tried.
        batch_size: u32,
    },
}

/// A batch size that fits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchTry {
    /// Images in a step.
    pub batch_size: u32,
    /// Training images a second, loading included.
    pub images_per_second: f64,
    /// Bytes: as in `timing.json` of a training.
    pub peak_memory: Option<u64>,
}
