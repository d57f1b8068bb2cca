//! 95% intervals for proportions.

use crate::record::Interval;

/// The 97.5% quantile of the standard normal distribution.
const Z: f64 = 1.959963984540054;

/// Wilson's score interval for `hits` of `images` (Wilson, 1927); the whole range without images.
#[must_use]
pub fn wilson(hits: u64, images: u64) -> Interval {
    if images == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    wilson_of_share(hits as f64 / images as f64, images)
}

/// The same for a share that need not be a whole number of images, such as a mean over runs on the same images, of which there is at least
/// one.
pub(super) fn wilson_of_share(p: f64, images: u64) -> Interval {
    let n = images as f64;
    let z2 = Z * Z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At 0 and at all hits an end is exact; rounding must not move it.
    Interval {
        low: if p <= 0.0 {
            0.0
        } else {
            (centre - half).max(0.0)
        },
        high: if p >= 1.0 {
            1.0
        } else {
            (centre + half).min(1.0)
        },
    }
}

/// Newcombe's hybrid score interval for the difference of two independent proportions, `first - second`, each as hits and
/// images (Newcombe, 1998, method 10).
#[must_use]
pub fn newcombe(first: (u64, u64), second: (u64, u64)) -> Interval {
    let share = |(hits, images): (u64, u64)| hits as f64 / (images as f64).max(1.0);
    let (p1, p2) = (share(first), share(second));
    let (w1, w2) = (wilson(first.0, first.1), wilson(second.0, second.1));
    let difference = p1 - p2;
    Interval {
        low: difference - (p1 - w1.low).hypot(w2.high - p2),
        high: difference + (w1.high - p1).hypot(p2 - w2.low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: Interval, low: f64, high: f64) {
        assert!((found.low - low).abs() < 1e-12, "{found:?}, not {low}");
        assert!((found.high - high).abs() < 1e-12, "{found:?}, not {high}");
    }

    /// The cases of Newcombe (1998, part I, table I), to more digits by statsmodels 0.15
    /// (`proportion_confint(method="wilson")`).
    #[test]
    fn wilsons_interval_equals_the_literature() {
        near(wilson(81, 263), 0.2552885198782742, 0.36620957698280004);
        near(wilson(15, 148), 0.06238639953073628, 0.16048724172330803);
        near(wilson(0, 20), 0.0, 0.1611251580528194);
        near(wilson(1, 29), 0.006113214292762667, 0.17175521879320294);
        near(wilson(29, 29), 0.8830302015002592, 1.0);
        near(wilson(0, 0), 0.0, 1.0);
    }

    /// The cases of Newcombe (1998, part II, table II, method 10), to more digits by statsmodels 0.15
    /// (`confint_proportions_2indep(method="newcomb")`).
    #[test]
    fn newcombes_interval_equals_the_literature() {
        let near = |first, second, low, high| near(newcombe(first, second), low, high);
        near((56, 70), (48, 80), 0.05243147240236498, 0.33387265403690614);
        near((9, 10), (3, 10), 0.1705227239345029, 0.809017973535488);
        near((6, 7), (2, 7), 0.05822792748231209, 0.8062496375242278);
        near((5, 56), (0, 29), -0.038137147903536936, 0.19256001385511165);
        near((0, 10), (0, 20), -0.1611251580528194, 0.27753279986288926);
        near((10, 10), (0, 10), 0.6075093504305241, 1.0);
    }
}
