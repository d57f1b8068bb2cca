//! What the logits of one image say about its label.

use std::cmp::Ordering;

/// Guesses that count for top-5.
const TOP: usize = 5;

/// One image, judged against its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The class with the largest logit; of equals the lowest.
    pub predicted: usize,
    /// Its softmax probability.
    pub probability: f64,
    /// Cross entropy against the label, in nats.
    pub loss: f64,
    /// Whether the label is the first guess.
    pub correct: bool,
    /// Whether the label is among the first five guesses (fewer classes: all of them).
    pub top5: bool,
}

/// Judges one image; `logits` (or log-probabilities) has one entry for each class and `label` is one of them. Sums are in f64, so a score does
/// not depend on the other images of its batch.
///
/// `None` when a logit is not finite: such a model has no ranking to judge.
#[must_use]
pub fn score<T: Copy + Into<f64>>(logits: &[T], label: usize) -> Option<Score> {
    let logits: Vec<f64> = logits.iter().map(|v| (*v).into()).collect();
    if !logits.iter().all(|v| v.is_finite()) {
        return None;
    }
    let truth = *logits.get(label)?;
    let predicted = (0..logits.len()).min_by(|a, b| earlier(&logits, *a, *b))?;
    let largest = logits[predicted];
    let sum: f64 = logits.iter().map(|v| (v - largest).exp()).sum();
    let before = (0..logits.len())
        .filter(|class| earlier(&logits, *class, label) == Ordering::Less)
        .count();
    Some(Score {
        predicted,
        probability: 1.0 / sum,
        loss: sum.ln() + largest - truth,
        correct: predicted == label,
        top5: before < TOP,
    })
}

/// Judges images in order; `logits` is row-major of shape [labels, classes].
///
/// # Errors
/// The number of images whose logits are not finite, if there are any.
pub fn scores<T: Copy + Into<f64>>(
    logits: &[T],
    labels: &[usize],
    classes: usize,
) -> Result<Vec<Score>, usize> {
    let judged: Vec<_> = logits
        .chunks_exact(classes.max(1))
        .zip(labels)
        .map(|(row, label)| score(row, *label))
        .collect();
    let bad = judged.iter().filter(|s| s.is_none()).count();
    if bad > 0 {
        return Err(bad);
    }
    Ok(judged.into_iter().flatten().collect())
}

/// The order of guesses: larger logit first, then lower class.
fn earlier(logits: &[f64], a: usize, b: usize) -> Ordering {
    let by_logit = logits[b].partial_cmp(&logits[a]);
    by_logit.unwrap_or(Ordering::Equal).then(a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 24] = [
        2.0, 1.0, 0.0, -1.0, 0.5, 0.25, //
        0.0, 3.0, -2.0, 1.0, 1.0, 1.0, //
        1.0, 1.0, 1.0, 1.0, 1.0, 1.0, //
        -5.0, 4.0, 0.0, 100.0, 2.0, 3.0,
    ];

    /// Losses and probabilities from numpy 2 in f64: `logsumexp(logits) - logits[label]` and `softmax(logits).max()`.
    #[test]
    fn loss_and_probability_equal_numpys() {
        let found = scores(&LOGITS, &[0, 2, 5, 0], 6).unwrap();
        let losses = [
            0.6677811131418512,
            5.38016840422719,
            1.791759469228055,
            105.0,
        ];
        let probabilities = [0.5128452618452869, 0.6837462537568374, 1.0 / 6.0, 1.0];
        for (i, score) in found.iter().enumerate() {
            assert!((score.loss - losses[i]).abs() < 1e-12, "{i}: {score:?}");
            assert!((score.probability - probabilities[i]).abs() < 1e-12);
        }
    }

    #[test]
    fn ties_go_to_the_lower_class() {
        let found = scores(&LOGITS, &[0, 2, 5, 0], 6).unwrap();
        let guesses: Vec<_> = found.iter().map(|s| (s.predicted, s.correct)).collect();
        assert_eq!(guesses, [(0, true), (1, false), (0, false), (3, false)]);
        // Six equal logits: the label 5 is the sixth guess, the label 4 the fifth.
        assert!(!score(&[1.0; 6], 5).unwrap().top5);
        assert!(score(&[1.0; 6], 4).unwrap().top5);
    }

    #[test]
    fn with_five_classes_or_fewer_every_label_is_in_the_top_five() {
        assert!(score(&[9.0, 8.0, 7.0, 6.0, 5.0], 4).unwrap().top5);
        assert!(score(&[9.0, 8.0], 1).unwrap().top5);
    }

    #[test]
    fn logits_that_are_not_finite_are_counted_and_never_ranked() {
        let logits = [1.0, f32::NAN, 0.0, 1.0, f32::INFINITY, 0.0];
        assert_eq!(scores(&logits, &[0, 1, 0], 2), Err(2));
    }
}
