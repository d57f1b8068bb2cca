//! Several tests at once.

/// Holm's step-down adjustment (1979): the probabilities by which at most one in twenty tables says anything wrong where none of its
/// differences is real. In the order given; each at least its own `p` and at most 1.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 0.0_f64;
    for (before, i) in order.into_iter().enumerate() {
        least = least.max(p[i] * (p.len() - before) as f64).min(1.0);
        adjusted[i] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R 4.3: `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")`; statsmodels' `multipletests(method="holm")` gives the same.
    #[test]
    fn the_adjustment_equals_rs() {
        let found = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, right) in found.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - right).abs() < 1e-12, "{found}, not {right}");
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
