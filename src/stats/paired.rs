//! The difference of two recipes on the same images, over the runs of each.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::record::Interval;

/// A difference of mean accuracy, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Mean accuracy of the first minus that of the second.
    pub difference: f64,
    /// How far it may be from that of all runs on all images; `None` where a side has one run, which says nothing of others.
    pub spread: Option<Spread>,
}

/// The 95% interval of a [`Difference`], and how likely one so large is by chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The interval.
    pub interval: Interval,
    /// Two-sided: 1 minus the level of the widest interval that excludes zero.
    pub p: f64,
}

/// The accuracy of `first` minus that of `second`, each of shape [runs, images] with `true` for a right guess; image `i` is the
/// same in all rows. The runs of a recipe differ in their seed or fold.
///
/// Images and runs are both drawn by chance. The variance over images is that of an image's mean difference, through the number of
/// images; that over runs of a side is of its accuracies, through the number of runs, of which two or three say little. So half of
/// the interval is the root of `z² images + t² runs` (Howe's way with a variance that is known well and one that is not, 1974):
/// `z` of the normal distribution and `t` of Student's. Its degrees of freedom are Welch's (1947) where both sides have as many runs;
/// else `t` is the mean of both sides' own, weighted by their variances (Cochran, 1964), for Welch's are too many where the side with
/// few runs varies most. Between a run and an image chance acts in both terms: the interval is rather too wide than too narrow.
/// `benches/verdicts` simulates how often it is wrong.
///
/// `None` without images or runs, or when rows differ in length.
#[must_use]
pub fn paired_difference(first: &[Vec<bool>], second: &[Vec<bool>]) -> Option<Difference> {
    let images = first.first()?.len();
    second.first()?;
    if images == 0 || first.iter().chain(second).any(|row| row.len() != images) {
        return None;
    }
    let (a, b) = (Side::of(first), Side::of(second));
    let difference = a.mean - b.mean;
    let spread = (images > 1 && a.runs() > 1 && b.runs() > 1).then(|| {
        let by_image: Vec<f64> = (a.by_image.iter().zip(&b.by_image))
            .map(|(a, b)| a - b)
            .collect();
        let error = StandardErrors {
            images: variance(&by_image) / images as f64,
            runs: [&a, &b].map(|side| variance(&side.by_run) / side.runs() as f64),
            n: [a.runs(), b.runs()],
        };
        error.spread(difference)
    });
    Some(Difference { difference, spread })
}

/// The accuracies of one recipe.
struct Side {
    mean: f64,
    by_run: Vec<f64>,
    by_image: Vec<f64>,
}

impl Side {
    fn of(rows: &[Vec<bool>]) -> Self {
        let images = rows[0].len();
        let share = |rights: usize, of: usize| rights as f64 / of as f64;
        let rights = |row: &Vec<bool>| row.iter().filter(|right| **right).count();
        let of_image = |i: usize| rows.iter().filter(|row| row[i]).count();
        // From counts: sides as good as each other are equal to the last bit, however many runs they have.
        let all = rows.iter().map(rights).sum();
        Self {
            mean: share(all, rows.len() * images),
            by_run: rows.iter().map(|row| share(rights(row), images)).collect(),
            by_image: (0..images)
                .map(|i| share(of_image(i), rows.len()))
                .collect(),
        }
    }

    fn runs(&self) -> usize {
        self.by_run.len()
    }
}

/// The squared standard errors of a difference, by what is drawn.
struct StandardErrors {
    images: f64,
    /// Of either side.
    runs: [f64; 2],
    /// Runs of either side.
    n: [usize; 2],
}

impl StandardErrors {
    fn spread(&self, difference: f64) -> Spread {
        let half = self.half(0.05);
        Spread {
            interval: Interval {
                low: difference - half,
                high: difference + half,
            },
            p: self.p(difference.abs()),
        }
    }

    /// Half of the interval that misses with this probability.
    fn half(&self, alpha: f64) -> f64 {
        let quantile = 1.0 - alpha / 2.0;
        let z = Normal::standard().inverse_cdf(quantile);
        let runs: f64 = self.runs.iter().sum();
        let by_runs = match runs > 0.0 {
            true => self.t(quantile).powi(2) * runs,
            false => 0.0,
        };
        (z * z * self.images + by_runs).sqrt()
    }

    fn t(&self, quantile: f64) -> f64 {
        let [a, b] = self.runs;
        let free = self.n.map(|n| (n - 1) as f64);
        if self.n[0] == self.n[1] {
            return student(
                (a + b).powi(2) / (a * a / free[0] + b * b / free[1]),
                quantile,
            );
        }
        (student(free[0], quantile) * a + student(free[1], quantile) * b) / (a + b)
    }

    /// The probability with which the interval that ends at zero misses, by bisection: the interval grows as it falls.
    fn p(&self, difference: f64) -> f64 {
        if difference == 0.0 {
            // Where nothing varies either, no interval is wide enough to hold more than zero.
            return 1.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.half(middle) > difference {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// The quantile of Student's distribution.
fn student(degrees: f64, quantile: f64) -> f64 {
    // Degrees of freedom are at least 1 here; should the library ever think otherwise, nothing is claimed.
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::INFINITY, |t| t.inverse_cdf(quantile))
}

/// The sample variance.
fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(runs: &[(bool, usize)]) -> Vec<bool> {
        let part = |(right, n): &(bool, usize)| vec![*right; *n];
        runs.iter().flat_map(part).collect()
    }

    /// `n` runs of accuracies in tenths of 60 images, each on other images.
    fn side(tenths: &[usize], step: usize) -> Vec<Vec<bool>> {
        let of = |(s, share): (usize, &usize)| {
            (0..60).map(|i| (i * step + 3 * s) % 10 < *share).collect()
        };
        tenths.iter().enumerate().map(of).collect()
    }

    #[track_caller]
    fn near(found: Difference, difference: f64, half: f64, p: f64) {
        let spread = found.spread.unwrap();
        assert!((found.difference - difference).abs() < 1e-12, "{found:?}");
        let width = spread.interval.high - spread.interval.low;
        assert!((width / 2.0 - half).abs() < 1e-6, "{found:?}");
        assert!((spread.p - p).abs() < 1e-6, "{found:?}");
    }

    /// Halves and p from scipy 1.17 (`t.ppf`, `norm.ppf`, `brentq`) by the formula above.
    #[test]
    fn the_interval_is_that_of_the_formula() {
        let a = side(&[7, 8, 7], 7);
        let b = side(&[5, 4, 6], 3);
        near(
            paired_difference(&a, &b).unwrap(),
            0.233_333_333_333_333_3,
            0.211_971_169_051,
            0.038_724_433_168,
        );
        let c = side(&[5, 3], 3);
        near(
            paired_difference(&a, &c).unwrap(),
            0.333_333_333_333_333_3,
            1.252_793_108_310,
            0.189_474_737_435,
        );
    }

    #[test]
    fn runs_without_variance_leave_that_of_the_images() {
        let a = vec![row(&[(true, 60), (false, 40)]); 2];
        let b = vec![row(&[(true, 40), (false, 60)]); 2];
        let spread = paired_difference(&a, &b).unwrap().spread.unwrap();
        // 20 of 100 images differ by 1: variance 0.16 * 100 / 99.
        let half = 1.959_963_984_540_054 * (0.16 / 99.0_f64).sqrt();
        assert!(
            (spread.interval.low - (0.2 - half)).abs() < 1e-9,
            "{spread:?}"
        );
    }

    #[test]
    fn one_run_says_nothing_of_others() {
        let a = vec![row(&[(true, 7), (false, 3)])];
        let found = paired_difference(&a, &a).unwrap();
        assert_eq!((found.difference, found.spread), (0.0, None));
        assert_eq!(paired_difference(&a, &[]), None);
        assert_eq!(paired_difference(&[vec![]], &[vec![]]), None);
        assert_eq!(paired_difference(&a, &[vec![true]]), None);
    }

    #[test]
    fn a_recipe_does_not_differ_from_itself() {
        let a = side(&[7, 5, 6], 7);
        let p = |a: &[Vec<bool>]| paired_difference(a, a).unwrap().spread.unwrap().p;
        assert_eq!(p(&a), 1.0);
        let always_the_same = vec![row(&[(true, 7), (false, 3)]); 2];
        assert_eq!(p(&always_the_same), 1.0);
    }
}
