//! One recipe judged on two parts of a data set, drawn by chance: how often does the interval of their gap hold the true one?

use kfood::{
    seed,
    stats::{Hits, gap_over_runs},
};
use rand::RngExt;
use rand_distr::{Distribution, Normal};

use super::world::{chance, middle};

/// A recipe, and two parts that share no image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    /// Images of either part.
    pub(crate) images: [usize; 2],
    /// The accuracy on either.
    pub(crate) accuracy: [f64; 2],
    /// Runs of the recipe.
    pub(crate) runs: usize,
    /// How much images differ in difficulty, in logits: the more, the more runs agree.
    pub(crate) difficulty: f64,
}

impl Parts {
    /// The share of so many draws whose interval holds the true gap: that of all images that might be drawn.
    pub(crate) fn held(&self, draws: u64) -> f64 {
        use rayon::prelude::*;
        let [first, second] = self.accuracy.map(|accuracy| self.of_all_images(accuracy));
        let gap = first - second;
        let holds = |number: &u64| {
            let [from, to] = self.draw(*number);
            let found = gap_over_runs(&from, &to);
            found.low <= gap && gap <= found.high
        };
        let held = (0..draws).into_par_iter().filter(holds).count();
        held as f64 / draws as f64
    }

    fn draw(&self, number: u64) -> [Vec<Hits>; 2] {
        let mut random = seed::stream(0, "gaps", &[number]);
        let normal = Normal::new(0.0, self.difficulty).unwrap();
        [0, 1].map(|part| {
            let images = self.images[part];
            let middle = middle(self.accuracy[part], self.difficulty);
            let easy: Vec<f64> = normal.sample_iter(&mut random).take(images).collect();
            let mut right = |easy: &&f64| random.random::<f64>() < chance(middle, **easy);
            let of_run = |_| (easy.iter().filter(&mut right).count() as u64, images as u64);
            (0..self.runs).map(of_run).collect()
        })
    }

    /// The mean of the chance to be right over difficulties, by the trapezoid rule over 8 standard deviations on either side.
    fn of_all_images(&self, accuracy: f64) -> f64 {
        let middle = middle(accuracy, self.difficulty);
        let at = |i: i32| f64::from(i) / 250.0;
        let weight = |z: f64| (-0.5 * z * z).exp();
        let sum: f64 = (-2000..=2000)
            .map(|i| weight(at(i)) * chance(middle, self.difficulty * at(i)))
            .sum();
        sum / (-2000..=2000).map(|i| weight(at(i))).sum::<f64>()
    }
}
