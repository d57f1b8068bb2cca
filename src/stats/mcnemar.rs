//! McNemar's test: do two models differ on the same images?

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};

/// The discordant images of two models and the chance of so uneven a share if both were equally good.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// Images that only the first model has right.
    pub only_first: u64,
    /// Images that only the second model has right.
    pub only_second: u64,
    /// Two-sided exact p.
    pub p: f64,
}

/// The exact test (McNemar, 1947): under equal accuracy the discordant images fall to either side with probability one half, so
/// p is twice the smaller tail of a binomial distribution, at most 1. Entry `i` of both is whether image `i` was right.
#[must_use]
pub fn mcnemar(first: &[bool], second: &[bool]) -> McNemar {
    let pairs = || first.iter().zip(second);
    let only_first = pairs().filter(|(a, b)| **a && !**b).count() as u64;
    let only_second = pairs().filter(|(a, b)| !**a && **b).count() as u64;
    McNemar {
        only_first,
        only_second,
        p: exact(only_first, only_second),
    }
}

fn exact(b: u64, c: u64) -> f64 {
    // One half is always a valid probability; should the library ever think otherwise, nothing is claimed.
    let tail = Binomial::new(0.5, b + c).map_or(1.0, |coin| coin.cdf(b.min(c)));
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from statsmodels 0.15 (`mcnemar(exact=True)`), equal to scipy 1.17's `binomtest`.
    #[test]
    fn the_exact_p_equals_statsmodels() {
        let cases = [
            (121, 59, 4.4344492637551645e-06),
            (10, 3, 0.09228515625),
            (5, 5, 1.0),
            (0, 6, 0.03125),
            (0, 0, 1.0),
            (7, 1, 0.0703125),
            (40, 22, 0.030015864349067285),
        ];
        for (b, c, p) in cases {
            let found = exact(b, c);
            assert!((found / p - 1.0).abs() < 1e-9, "{b}, {c}: {found}, not {p}");
            assert_eq!(exact(c, b), found);
        }
    }

    #[test]
    fn only_discordant_images_count() {
        let found = mcnemar(&[true, true, false, false], &[true, false, true, false]);
        assert_eq!((found.only_first, found.only_second, found.p), (1, 1, 1.0));
    }
}
