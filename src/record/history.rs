//! The course of a training, `history.json`. Times stand in `timing.json` beside it, which is not part of the result.

use serde::{Deserialize, Serialize};

use super::StoppedEarly;
use crate::settings::{Count, Metric};

/// `history.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Finished epochs in order.
    pub epochs: Vec<Epoch>,
    /// The number of the best epoch by validation top-1 (the first of equals), from 1.
    pub best_epoch: u32,
    /// Why it ended before the last epoch, if it did.
    pub stopped_early: Option<StoppedEarly>,
}

impl History {
    /// The number of epochs that the training was asked for; `None` before the first one.
    #[must_use]
    pub fn asked(&self) -> Option<Count> {
        Count::new(self.epochs.last()?.of)
    }
}

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: u32,
    /// Epochs in all.
    pub of: u32,
    /// Learning rate in this epoch.
    pub lr: f64,
    /// On the training images as augmented, while the weights moved.
    pub train: Measure,
    /// On the validation part after the epoch; `None` without one.
    pub validation: Option<Measure>,
}

/// Loss and accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// In training the mean of its loss, with label smoothing and weights of classes; in validation the mean cross entropy alone.
    pub loss: f64,
    /// Share of right first guesses, 0 to 1; of an image that is mixed with another, of the class with the larger share.
    pub top1: f64,
}

impl Measure {
    /// The value that a metric of the validation part has here.
    #[must_use]
    pub const fn of(&self, metric: Metric) -> f64 {
        match metric {
            Metric::ValidationTop1 => self.top1,
            Metric::ValidationLoss => self.loss,
        }
    }
}
