//! Two recipes judged on the same images, drawn by chance: how often is one said to beat the other?

use kfood::{seed, stats::paired_difference};
use rand::RngExt;
use rand_distr::{Distribution, Normal};

/// Two recipes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// Test images.
    pub(crate) images: usize,
    /// Runs of either recipe.
    pub(crate) runs: [usize; 2],
    /// The standard deviation over seeds of either, in accuracy.
    pub(crate) seed_sd: [f64; 2],
    /// By how much the first is better, in accuracy.
    pub(crate) better_by: f64,
}

/// How much images differ in difficulty, in logits: with it about half of the images are right or wrong in nearly all runs.
const DIFFICULTY: f64 = 1.5;
/// The accuracy of the second recipe.
const ACCURACY: f64 = 0.45;

impl World {
    /// Whether a verdict is given, in a draw of this number.
    pub(crate) fn is_said_to_differ(&self, number: u64) -> bool {
        let mut random = seed::stream(0, "verdicts", &[number]);
        let normal = |sd| Normal::new(0.0, sd).unwrap();
        let difficulty: Vec<f64> = normal(DIFFICULTY)
            .sample_iter(&mut random)
            .take(self.images)
            .collect();
        let mut side = |side: usize, mean: f64| -> Vec<Vec<bool>> {
            let of_run = |_| {
                let accuracy =
                    (mean + normal(self.seed_sd[side]).sample(&mut random)).clamp(0.02, 0.98);
                let middle = middle(accuracy, DIFFICULTY);
                difficulty
                    .iter()
                    .map(|easy| random.random::<f64>() < chance(middle, *easy))
                    .collect()
            };
            (0..self.runs[side]).map(of_run).collect()
        };
        let (first, second) = (side(0, ACCURACY + self.better_by), side(1, ACCURACY));
        let found = paired_difference(&first, &second).and_then(|found| found.spread);
        found.is_some_and(|spread| spread.p < 0.05)
    }

    /// The share of so many draws in which a verdict is given.
    pub(crate) fn share(&self, draws: u64) -> f64 {
        use rayon::prelude::*;
        let said = (0..draws)
            .into_par_iter()
            .filter(|n| self.is_said_to_differ(*n))
            .count();
        said as f64 / draws as f64
    }
}

/// The logit of an image of middling difficulty, so that the mean over images is near `accuracy` (the logistic-normal integral).
pub(crate) fn middle(accuracy: f64, difficulty: f64) -> f64 {
    (accuracy / (1.0 - accuracy)).ln() * (1.0 + 0.346 * difficulty * difficulty).sqrt()
}

/// The chance that an image which is easier than middling by so many logits is guessed right.
pub(crate) fn chance(middle: f64, easy: f64) -> f64 {
    1.0 / (1.0 + (-middle - easy).exp())
}
