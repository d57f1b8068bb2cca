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
/// The error sums absolute distances, which chance alone keeps above 0, the more the fewer the images. An error within this range is no more
/// than chance makes; `benches/verdicts` simulates how often one of a calibrated model is not. The whole range without images.
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
    let errors: Vec<f64> = (0..DRAWS).into_par_iter().map(redraw).collect();
    Interval {
        low: quantile(errors.clone(), 0.025),
        high: quantile(errors, 0.975),
    }
}

/// An interval that holds the calibration error of the model itself, beyond these images, at least 95% of the time.
///
/// Around that error the measured one is off by no more than the noise of all bins together, `Σ |right* − right| / images` of a bootstrap
/// draw `*`, and what chance makes of a calibrated model: the larger of their 97.5% quantiles is the way down. As the mean of an absolute
/// value is no less than that of the value, the measured one lies above the true one on average: the way up is what a draw may lie below
/// the mean of draws. `benches/verdicts` simulates how often it holds; where models are calibrated, an interval of percentiles, however it
/// is corrected for bias, holds the true error less than half of the time. 1,000 draws, each from its own stream.
#[must_use]
pub fn calibration_error_interval(answers: &[Answer], by_chance: Interval) -> Interval {
    if answers.is_empty() {
        return by_chance;
    }
    let found = binned(answers.iter().copied());
    let images = answers.len() as f64;
    let redraw = |i: u64| {
        let mut random = seed::stream(0, "calibration interval", &[i]);
        let drawn = answers
            .iter()
            .map(|_| answers[random.random_range(0..answers.len())]);
        let drawn = binned(drawn);
        let off = |(_, right, sure): &(u64, u64, f64)| *right as f64 - sure;
        let noise: f64 = (drawn.iter().zip(&found))
            .map(|(drawn, found)| (off(drawn) - off(found)).abs())
            .sum();
        (error(drawn, answers.len()), noise / images)
    };
    let (errors, noises): (Vec<f64>, Vec<f64>) = (0..DRAWS).into_par_iter().map(redraw).unzip();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    let down = quantile(noises, 0.975).max(by_chance.high);
    let up = mean - quantile(errors, 0.025);
    let error = error(found, answers.len());
    Interval {
        low: (error - down).max(0.0),
        high: (error + up).min(1.0),
    }
}

/// Of draws, of which there are some.
fn quantile(mut draws: Vec<f64>, share: f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let last = (draws.len() - 1) as f64;
    draws[(share * last).round() as usize]
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
        let chance = calibration_error_by_chance(&sure);
        assert!(chance.high < 0.1);
        // 25 points off, 70 of 100 are right with a standard error of 4.6 points.
        let found = calibration_error_interval(&sure, chance);
        assert!((0.12..0.17).contains(&found.low), "{found:?}");
        assert!((0.32..0.36).contains(&found.high), "{found:?}");
    }

    #[test]
    fn the_error_of_a_calibrated_model_may_be_none() {
        let right = answers(0.7, 67, 100);
        let found = calibration_error_interval(&right, calibration_error_by_chance(&right));
        assert!(found.low < 1e-9, "{found:?}");
    }

    #[test]
    fn without_images_nothing_is_known() {
        let found = calibration_error_by_chance(&[]);
        assert_eq!((found.low, found.high), (0.0, 1.0));
        let found = calibration_error_interval(&[], found);
        assert_eq!((found.low, found.high), (0.0, 1.0));
    }
}
