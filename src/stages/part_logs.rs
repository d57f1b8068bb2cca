//! How sure a model is of the images of one part.

use super::judged::{self, Judged};
use crate::{
    error::Result,
    record::{Part, PartSureness, Sureness},
    stats::{self, Answer},
};
use std::path::PathBuf;

/// How sure the model of an evaluation is, as it says it, on each part that it was not trained on: validation, then test. The outputs of
/// the evaluation lie where `output` says by their names.
///
/// # Errors
/// When they cannot be had or read, or are not of one evaluation.
pub(crate) fn sureness(output: impl Fn(&str) -> Result<PathBuf>) -> Result<Vec<PartSureness>> {
    let judged = judged::read_outputs(output)?;
    let parts = [Part::Validation, Part::Test].map(|part| PartLogs::of(&judged, part));
    let of = |part: PartLogs| PartSureness {
        part: part.part,
        images: part.labels.len() as u64,
        sureness: part.sureness(),
        coverage: stats::coverage(&part.answers()),
    };
    Ok(parts.into_iter().flatten().map(of).collect())
}

/// The images of one part.
pub(super) struct PartLogs {
    pub(super) part: Part,
    pub(super) labels: Vec<usize>,
    /// Of each image the logarithm of the probability of each class, row-major [labels, classes].
    pub(super) logs: Vec<f64>,
    pub(super) classes: usize,
}

impl PartLogs {
    /// `None` without images.
    pub(super) fn of(judged: &Judged, part: Part) -> Option<Self> {
        let images = || judged.images.iter().filter(|image| image.part == part);
        images().next()?;
        Some(Self {
            part,
            labels: images().map(|image| image.label).collect(),
            logs: images().flat_map(|image| image.logs.clone()).collect(),
            classes: judged.classes.len(),
        })
    }

    pub(super) fn tempered(&self, temperature: f64) -> Self {
        Self {
            logs: stats::tempered(&self.logs, self.classes, temperature),
            labels: self.labels.clone(),
            ..*self
        }
    }

    pub(super) fn answers(&self) -> Vec<Answer> {
        let found = stats::scores(&self.logs, &self.labels, self.classes).unwrap_or_default();
        let answer = |score: stats::Score| Answer {
            confidence: score.probability,
            correct: score.correct,
        };
        found.into_iter().map(answer).collect()
    }

    pub(super) fn sureness(&self) -> Sureness {
        let answers = self.answers();
        let by_chance = stats::calibration_error_by_chance(&answers);
        Sureness {
            loss: stats::cross_entropy(&self.logs, &self.labels, self.classes),
            ece: stats::expected_calibration_error(&answers),
            ece_interval: Some(stats::calibration_error_interval(&answers, by_chance)),
            ece_by_chance: Some(by_chance),
            brier: stats::brier(&self.logs, &self.labels, self.classes),
            bins: stats::reliability(&answers),
        }
    }
}
