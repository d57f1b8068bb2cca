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
/// Draws of what a calibrated model would have right.
const DRAWS: u64 = 1000;

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

/// Within which the calibration error of 95% of models lies that are as sure as they are right, with these probabilities on so many images:
/// consistency resampling (Bröcker and Smith, 2007), 1,000 draws of which images are right, each from its own stream.
///
/// The error sums absolute distances, which chance alone keeps above 0, the more the fewer the images. A bootstrap adds that chance a second
/// time, so that its interval may lie above the error itself, and is no interval of the true one. An error within this range is no more than
/// chance makes; `benches/verdicts` simulates how often one of a calibrated model is not. The whole range without images.
#[must_use]
pub fn calibration_error_by_chance(answers: &[Answer]) -> Interval {
    if answers.is_empty() {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let redraw = |i: u64| {
        let mut random = seed::stream(0, "calibration error", &[i]);
        let drawn = answers.iter().map(|answer| Answer {
            confidence: answer.confidence,
            correct: random.random::<f64>() < answer.confidence,
        });
        error(binned(drawn), answers.len())
    };
    let mut errors: Vec<f64> = (0..DRAWS).into_par_iter().map(redraw).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// So many images of one confidence, of which some are right.
    fn answers(confidence: f64, right: usize, images: usize) -> Vec<Answer> {
        let answer = |i| Answer {
            confidence,
            correct: i < right,
        };
        (0..images).map(answer).collect()
    }

    /// scipy 1.17: of 100 images at 0.7, `binom(100, 0.7)` is 0 to 9 off in 96.2% of draws (`cdf(79) - cdf(60)`), and 0 to 8 in 93.8%.
    #[test]
    fn what_chance_makes_is_what_the_binomial_distribution_says() {
        let found = calibration_error_by_chance(&answers(0.7, 70, 100));
        assert!((0.09..=0.11).contains(&found.high), "{found:?}");
        assert!(found.low < 1e-9, "{found:?}");
    }

    #[test]
    fn a_model_that_is_too_sure_is_further_off_than_chance_makes_it() {
        let sure = answers(0.95, 70, 100);
        let error = expected_calibration_error(&sure);
        assert!((error - 0.25).abs() < 1e-9, "{error}");
        assert!(calibration_error_by_chance(&sure).high < 0.1);
    }

    #[test]
    fn without_images_nothing_is_known() {
        let found = calibration_error_by_chance(&[]);
        assert_eq!((found.low, found.high), (0.0, 1.0));
    }
}
