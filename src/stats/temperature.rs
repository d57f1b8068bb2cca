//! One temperature for all logits (Guo et al., 2017): `softmax(logits / T)`, with the `T` at which the mean cross entropy of some images
//! is least. The order of guesses stays as it is. On log-probabilities it is the same as on logits, for a constant added to all logits of
//! an image changes nothing.

/// `T` is sought from this one to its inverse.
const LEAST: f64 = 0.01;
/// Halvings of the range, in logarithms: past what f64 tells apart.
const HALVINGS: u32 = 60;

/// The temperature with the least mean cross entropy, and whether that lies within 0.01 to 100. At an end there is no minimum, as where
/// every image is right and more sureness is always better. `log_probabilities` is row-major of shape [labels, classes].
///
/// The cross entropy is convex in `1 / T`, so its derivative there has one sign on each side of the minimum.
#[must_use]
pub fn temperature(log_probabilities: &[f64], labels: &[usize], classes: usize) -> (f64, bool) {
    let rises = |log_inverse: f64| {
        let inverse = log_inverse.exp();
        derivative(log_probabilities, labels, classes, inverse) > 0.0
    };
    let (mut low, mut high) = (LEAST.ln(), -LEAST.ln());
    if rises(low) {
        return (1.0 / LEAST, false);
    }
    if !rises(high) {
        return (LEAST, false);
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if rises(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    ((-f64::midpoint(low, high)).exp(), true)
}

/// Of the summed cross entropy by `inverse = 1 / T`: what the model expects of the logits minus that of the label.
fn derivative(logits: &[f64], labels: &[usize], classes: usize, inverse: f64) -> f64 {
    let of_image = |(row, label): (&[f64], &usize)| {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weight = |logit: f64| ((logit - largest) * inverse).exp();
        let all: f64 = row.iter().map(|logit| weight(*logit)).sum();
        let mean: f64 = row
            .iter()
            .map(|logit| weight(*logit) * (logit - largest))
            .sum();
        mean / all - (row[*label] - largest)
    };
    let rows = logits.chunks_exact(classes.max(1));
    rows.zip(labels).map(of_image).sum()
}

/// Log-probabilities under a temperature, in the same shape.
#[must_use]
pub fn tempered(log_probabilities: &[f64], classes: usize, temperature: f64) -> Vec<f64> {
    let mut all = Vec::with_capacity(log_probabilities.len());
    for row in log_probabilities.chunks_exact(classes.max(1)) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let scaled = row.iter().map(|log| (log - largest) / temperature);
        let sum: f64 = scaled.clone().map(f64::exp).sum();
        let log = sum.ln();
        all.extend(scaled.map(|value| value - log));
    }
    all
}

/// The mean cross entropy, in nats; 0 without images.
#[must_use]
pub fn cross_entropy(log_probabilities: &[f64], labels: &[usize], classes: usize) -> f64 {
    let rows = log_probabilities.chunks_exact(classes.max(1));
    let sum: f64 = rows.zip(labels).map(|(row, label)| -row[*label]).sum();
    sum / (labels.len() as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_every_image_is_right_no_temperature_is_the_best() {
        let logs = [0.9_f64, 0.1, 0.2, 0.8].map(f64::ln);
        assert_eq!(temperature(&logs, &[0, 1], 2), (0.01, false));
        assert_eq!(temperature(&logs, &[1, 0], 2), (100.0, false));
    }
}
