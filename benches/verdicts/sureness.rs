//! A model whose images are drawn by chance: how often is its calibration error further off than chance makes it?

use kfood::{
    seed,
    stats::{Answer, calibration_error_by_chance, expected_calibration_error},
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

impl Sureness {
    /// The shares of so many draws in which the error lies above and below what chance makes.
    pub(crate) fn beyond(&self, draws: u64) -> [f64; 2] {
        use rayon::prelude::*;
        let beyond = |number: u64| {
            let answers = self.draw(number);
            let error = expected_calibration_error(&answers);
            let chance = calibration_error_by_chance(&answers);
            [error > chance.high, error < chance.low].map(u64::from)
        };
        let sum = |a: [u64; 2], b: [u64; 2]| [a[0] + b[0], a[1] + b[1]];
        let found = (0..draws).into_par_iter().map(beyond);
        found
            .reduce(|| [0, 0], sum)
            .map(|n| n as f64 / draws as f64)
    }

    /// Chances to be right are even between 0.3 and 1.
    fn draw(&self, number: u64) -> Vec<Answer> {
        let mut random = seed::stream(0, "sureness", &[number]);
        let mut answer = || {
            let right: f64 = random.random_range(0.3..0.999);
            let logit = (right / (1.0 - right)).ln();
            Answer {
                confidence: 1.0 / (1.0 + (-self.too_sure * logit).exp()),
                correct: random.random::<f64>() < right,
            }
        };
        (0..self.images).map(|_| answer()).collect()
    }
}
