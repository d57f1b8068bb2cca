//! Whether a model is as sure as it is right: reliability in bins, expected calibration error, Brier score.

use rand::RngExt;
use rayon::prelude::*;

use super::wilson;
use crate::{
    record::{Interval, ReliabilityBin},
    seed,
};

/// Bins of equal width (Guo et al., 2017).
const BINS: usize = 15;
/// Resamples of the bootstrap.
const RESAMPLES: u64 = 1000;

/// How sure a model is of its first guess, from 0 to 1, and whether that is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The probability of the first guess.
    pub confidence: f64,
    /// Whether it is the label.
    pub correct: bool,
}

/// The images by confidence in 15 bins of equal width, `(0, 1/15]` and so on, with Wilson's interval of the share that is right.
#[must_use]
pub fn reliability(answers: &[Answer]) -> Vec<ReliabilityBin> {
    let bin = |(i, (images, right, sure)): (usize, (u64, u64, f64))| ReliabilityBin {
        from: i as f64 / BINS as f64,
        to: (i + 1) as f64 / BINS as f64,
        images,
        confidence: sure / (images as f64).max(1.0),
        accuracy: right as f64 / (images as f64).max(1.0),
        interval: wilson(right, images),
    };
    binned(answers.iter().copied())
        .into_iter()
        .enumerate()
        .map(bin)
        .collect()
}

/// For each bin the images, those that are right, and the sum of their confidence.
fn binned(answers: impl Iterator<Item = Answer>) -> [(u64, u64, f64); BINS] {
    let mut bins = [(0, 0, 0.0); BINS];
    for answer in answers {
        let place = (answer.confidence * BINS as f64).ceil() as usize;
        let bin = &mut bins[place.clamp(1, BINS) - 1];
        bin.0 += 1;
        bin.1 += u64::from(answer.correct);
        bin.2 += answer.confidence;
    }
    bins
}

/// The expected calibration error (Guo et al., 2017): the mean over images of the distance between confidence and accuracy of their bin.
/// 0 without images.
#[must_use]
pub fn expected_calibration_error(answers: &[Answer]) -> f64 {
    error(binned(answers.iter().copied()), answers.len())
}

fn error(bins: [(u64, u64, f64); BINS], images: usize) -> f64 {
    let off: f64 = bins
        .iter()
        .map(|(_, right, sure)| (*right as f64 - sure).abs())
        .sum();
    off / (images as f64).max(1.0)
}

/// The 95% percentile interval of the calibration error over 1,000 bootstrap resamples of the images (Efron and Tibshirani, 1993).
/// Resample `i` draws from its own stream. The error of few images is rather too large than too small, and so is its interval.
#[must_use]
pub fn calibration_error_interval(answers: &[Answer]) -> Interval {
    if answers.is_empty() {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let resample = |i: u64| {
        let mut random = seed::stream(0, "calibration error", &[i]);
        let drawn = (0..answers.len()).map(|_| answers[random.random_range(0..answers.len())]);
        error(binned(drawn), answers.len())
    };
    let mut errors: Vec<f64> = (0..RESAMPLES).into_par_iter().map(resample).collect();
    errors.sort_by(f64::total_cmp);
    let last = (errors.len() - 1) as f64;
    Interval {
        low: errors[(0.025 * last).round() as usize],
        high: errors[(0.975 * last).round() as usize],
    }
}

/// The Brier score (Brier, 1950) over all classes: the mean over images of the summed squares of the distances between probability and
/// truth, from 0 to 2. `log_probabilities` is row-major of shape [labels, classes].
#[must_use]
pub fn brier(log_probabilities: &[f64], labels: &[usize], classes: usize) -> f64 {
    let of_image = |(row, label): (&[f64], &usize)| -> f64 {
        let off = |(class, log): (usize, &f64)| {
            let truth = if class == *label { 1.0 } else { 0.0 };
            (log.exp() - truth).powi(2)
        };
        row.iter().enumerate().map(off).sum()
    };
    let rows = log_probabilities.chunks_exact(classes.max(1));
    let sum: f64 = rows.zip(labels).map(of_image).sum();
    sum / (labels.len() as f64).max(1.0)
}
