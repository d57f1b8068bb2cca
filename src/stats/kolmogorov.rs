//! Whether two samples are of one distribution.

/// How far two samples are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// The largest distance of their empirical distributions, from 0 to 1.
    pub distance: f64,
    /// The probability of such a distance where both are of one distribution.
    pub p: f64,
}

/// The two-sample test of Kolmogorov and Smirnov, two-sided, p by the limiting distribution with Stephens' correction for small samples
/// (1970). `None` where a sample is empty or has a value that is none.
#[must_use]
pub fn kolmogorov_smirnov(first: &[f64], second: &[f64]) -> Option<Apart> {
    if first.iter().chain(second).any(|value| value.is_nan()) {
        return None;
    }
    let (a, b) = (sorted(first), sorted(second));
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j, mut distance) = (0, 0, 0.0_f64);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let at = x.min(*y);
        i += a[i..].iter().take_while(|value| **value <= at).count();
        j += b[j..].iter().take_while(|value| **value <= at).count();
        distance = distance.max((i as f64 / n - j as f64 / m).abs());
    }
    let effective = (n * m / (n + m)).sqrt();
    (n > 0.0 && m > 0.0).then(|| Apart {
        distance,
        p: survival((effective + 0.12 + 0.11 / effective) * distance),
    })
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// The limiting distribution's upper tail, `2 * sum of (-1)^(k-1) exp(-2 k^2 x^2)`; near 0 the series says nothing and it is 1.
fn survival(x: f64) -> f64 {
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * (-2.0 * f64::from(k * k) * x * x).exp()
    };
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.kstwobign.sf`, and the distance of `scipy.stats.ks_2samp`.
    #[test]
    fn distance_and_tail_equal_scipys() {
        for (x, right) in [
            (0.5, 0.963_945_243_664_876),
            (1.0, 0.269_999_671_677_355),
            (1.358, 0.050_026_797_334_447),
            (2.0, 0.000_670_925_255_780),
        ] {
            let found = survival(x);
            assert!((found - right).abs() < 1e-6, "{x}: {found}, not {right}");
        }
        let found = kolmogorov_smirnov(&[1.0, 2.0, 2.0, 3.0], &[2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!((found.unwrap().distance - 0.6).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn equal_samples_are_not_apart_and_far_ones_are() {
        let low: Vec<f64> = (0..200).map(f64::from).collect();
        let high: Vec<f64> = (0..200).map(|i| f64::from(i) + 100.0).collect();
        let same = kolmogorov_smirnov(&low, &low).unwrap();
        assert_eq!((same.distance, same.p), (0.0, 1.0));
        let apart = kolmogorov_smirnov(&low, &high).unwrap();
        assert!(
            (apart.distance - 0.5).abs() < 1e-12 && apart.p < 1e-9,
            "{apart:?}"
        );
        assert_eq!(kolmogorov_smirnov(&low, &[]), None);
        assert_eq!(kolmogorov_smirnov(&[f64::NAN], &low), None);
    }
}
