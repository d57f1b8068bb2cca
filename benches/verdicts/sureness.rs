//! A model whose images are drawn by chance: how often is its calibration error further off than chance makes it, and how often does the
//! interval around it hold that of the model itself?

use kfood::{
    seed,
    stats::{
        Answer, calibration_error_by_chance, calibration_error_interval, expected_calibration_error,
    },
};
use rand::RngExt;

/// A model that is asked about some images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sureness {
    /// How many.
    pub(crate) images: usize,
    /// How much surer it is than it is right, as a factor of logits; at 1 it is calibrated.
    pub(crate) too_sure: f64,
}

/// The least and the greatest chance that an image is right; between them all are as likely.
const RIGHT: [f64; 2] = [0.3, 0.999];

impl Sureness {
    /// The shares of so many draws in which the error lies above and below what chance makes, and in which its interval holds the error of
    /// the model itself.
    pub(crate) fn told(&self, draws: u64) -> [f64; 3] {
        use rayon::prelude::*;
        let truth = self.truth();
        let told = |number: u64| {
            let answers = self.draw(number);
            let error = expected_calibration_error(&answers);
            let chance = calibration_error_by_chance(&answers);
            let interval = calibration_error_interval(&answers, chance);
            let holds = (interval.low..=interval.high).contains(&truth);
            [error > chance.high, error < chance.low, holds].map(u64::from)
        };
        let sum = |a: [u64; 3], b: [u64; 3]| [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
        let found = (0..draws).into_par_iter().map(told);
        found
            .reduce(|| [0, 0, 0], sum)
            .map(|n| n as f64 / draws as f64)
    }

    /// The error of the model itself: the mean distance of chances and confidences in each of the 15 bins, over evenly spaced chances.
    fn truth(&self) -> f64 {
        let steps = 1_000_000;
        let mut off = [0.0; 15];
        for step in 0..steps {
            let right =
                RIGHT[0] + (RIGHT[1] - RIGHT[0]) * (f64::from(step) + 0.5) / f64::from(steps);
            let confidence = self.confidence(right);
            let bin = (confidence * 15.0).ceil() as usize;
            off[bin.clamp(1, 15) - 1] += right - confidence;
        }
        off.iter().map(|off: &f64| off.abs()).sum::<f64>() / f64::from(steps)
    }

    /// How sure the model is of an image with this chance to be right.
    fn confidence(&self, right: f64) -> f64 {
        let logit = (right / (1.0 - right)).ln();
        1.0 / (1.0 + (-self.too_sure * logit).exp())
    }

    fn draw(&self, number: u64) -> Vec<Answer> {
        let mut random = seed::stream(0, "sureness", &[number]);
        let mut answer = || {
            let right: f64 = random.random_range(RIGHT[0]..RIGHT[1]);
            Answer {
                confidence: self.confidence(right),
                correct: random.random::<f64>() < right,
            }
        };
        (0..self.images).map(|_| answer()).collect()
    }
}
