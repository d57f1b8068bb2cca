//! The difference of two recipes on the same images, over the seeds of each.

use rand::RngExt;
use rayon::prelude::*;
use serde::Serialize;

use crate::{record::Interval, seed};

/// Resamples of the bootstrap.
const RESAMPLES: u64 = 10_000;

/// A difference of mean accuracy with its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Mean accuracy of the first minus that of the second.
    pub difference: f64,
    /// Percentile interval of the bootstrap.
    pub interval: Interval,
}

/// The accuracy of `first` minus that of `second`, each of shape [seeds, images] with `true` for a right guess; image `i` is the
/// same in all rows.
///
/// The interval is the percentile bootstrap (Efron and Tibshirani, 1993) over images and seeds: each resample draws images,
/// the same for both sides, and seeds of each side, all with replacement. With one seed it covers the choice of images alone;
/// a few seeds are few to draw from, so the share of the seeds in its width is rather too small than too large.
/// Resample `i` draws from its own stream: the result depends on no thread count.
///
/// `None` without images or seeds, or when rows differ in length.
#[must_use]
pub fn paired_difference(first: &[Vec<bool>], second: &[Vec<bool>]) -> Option<Difference> {
    let images = first.first()?.len();
    second.first()?;
    if images == 0 || first.iter().chain(second).any(|row| row.len() != images) {
        return None;
    }
    let (a, b) = (rights_by_image(first), rights_by_image(second));
    let mut resampled: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .map(|i| resample(&a, &b, images, i))
        .collect();
    resampled.sort_by(f64::total_cmp);
    Some(Difference {
        difference: mean(first) - mean(second),
        interval: Interval {
            low: quantile(&resampled, 0.025),
            high: quantile(&resampled, 0.975),
        },
    })
}

/// The rows of one side as 0 and 1.
fn rights_by_image(rows: &[Vec<bool>]) -> Vec<Vec<u8>> {
    let row = |row: &Vec<bool>| row.iter().map(|right| u8::from(*right)).collect();
    rows.iter().map(row).collect()
}

fn mean(rows: &[Vec<bool>]) -> f64 {
    let rights = rows.iter().flatten().filter(|right| **right).count();
    rights as f64 / (rows.len() * rows[0].len()) as f64
}

/// One draw of seeds and images.
fn resample(a: &[Vec<u8>], b: &[Vec<u8>], images: usize, position: u64) -> f64 {
    let mut random = seed::stream(0, "paired difference", &[position]);
    let mut seeds =
        |n: usize| -> Vec<usize> { (0..n).map(|_| random.random_range(0..n)).collect() };
    let (from_a, from_b) = (seeds(a.len()), seeds(b.len()));
    let (mut rights_a, mut rights_b) = (0_u64, 0_u64);
    for _ in 0..images {
        let image = random.random_range(0..images);
        rights_a += from_a.iter().map(|s| u64::from(a[*s][image])).sum::<u64>();
        rights_b += from_b.iter().map(|s| u64::from(b[*s][image])).sum::<u64>();
    }
    let share = |rights: u64, seeds: usize| rights as f64 / (seeds * images) as f64;
    share(rights_a, a.len()) - share(rights_b, b.len())
}

/// The quantile of sorted values with linear interpolation (numpy's default).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(runs: &[(bool, usize)]) -> Vec<bool> {
        runs.iter()
            .flat_map(|(right, n)| vec![*right; *n])
            .collect()
    }

    #[track_caller]
    fn near(found: Difference, difference: f64, low: f64, high: f64) {
        assert!((found.difference - difference).abs() < 1e-12, "{found:?}");
        assert!((found.interval.low - low).abs() <= 0.0101, "{found:?}");
        assert!((found.interval.high - high).abs() <= 0.0101, "{found:?}");
    }

    /// Intervals from scipy 1.17: `bootstrap(paired=True, method="percentile", n_resamples=100000)`; over 100 images an end
    /// moves in steps of 0.01.
    #[test]
    fn with_one_seed_the_interval_equals_scipys_paired_bootstrap() {
        let (t, f) = (true, false);
        let a = row(&[(t, 60), (f, 20), (t, 12), (f, 8)]);
        let b = row(&[(t, 60), (f, 20), (f, 12), (t, 8)]);
        near(paired_difference(&[a], &[b]).unwrap(), 0.04, -0.05, 0.13);
        let a = row(&[(t, 60), (f, 20), (t, 18), (f, 2)]);
        let b = row(&[(t, 60), (f, 20), (f, 18), (t, 2)]);
        near(paired_difference(&[a], &[b]).unwrap(), 0.16, 0.08, 0.24);
    }

    /// The interval from numpy: 40,000 resamples of 60 images and of three seeds a side, `np.percentile(d, [2.5, 97.5])`.
    #[test]
    fn seeds_are_drawn_too() {
        let a: Vec<Vec<bool>> = (0..3)
            .map(|s| (0..60).map(|i| (i * 7 + 3 * s) % 10 < 7).collect())
            .collect();
        let b: Vec<Vec<bool>> = (0..3)
            .map(|s| (0..60).map(|i| (i * 3 + 2 * s) % 11 < 5 + s).collect())
            .collect();
        let found = paired_difference(&a, &b).unwrap();
        near(found, 0.7 - 0.5555555555555556, 0.0, 0.29444444);
        assert_eq!(paired_difference(&a, &b), Some(found));
    }

    #[test]
    fn a_model_does_not_differ_from_itself_and_nothing_has_no_difference() {
        let a = vec![row(&[(true, 7), (false, 3)])];
        let found = paired_difference(&a, &a).unwrap();
        assert_eq!(
            (found.difference, found.interval.low, found.interval.high),
            (0.0, 0.0, 0.0)
        );
        assert_eq!(paired_difference(&a, &[]), None);
        assert_eq!(paired_difference(&[vec![]], &[vec![]]), None);
        assert_eq!(paired_difference(&a, &[vec![true]]), None);
    }
}
