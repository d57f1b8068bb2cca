//! The confusion matrix and what follows from it, a class at a time.

use crate::record::ClassMetrics;

/// Counts by `[label][predicted]`, of shape [classes, classes], from pairs of label and prediction.
#[must_use]
pub fn confusion(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; classes]; classes];
    for (label, predicted) in pairs {
        if label < classes && predicted < classes {
            counts[label][predicted] += 1;
        }
    }
    counts
}

/// Precision, recall and F1 of each class; a ratio without a denominator is 0 (scikit-learn's `zero_division=0`).
#[must_use]
pub fn per_class(names: &[String], confusion: &[Vec<u64>]) -> Vec<ClassMetrics> {
    let of_class = |class: usize, name: &String| {
        let hits = confusion[class][class];
        let images: u64 = confusion[class].iter().sum();
        let predicted: u64 = confusion.iter().map(|row| row[class]).sum();
        ClassMetrics {
            class: name.clone(),
            images,
            precision: ratio(hits, predicted),
            recall: ratio(hits, images),
            f1: ratio(2 * hits, images + predicted),
        }
    };
    names
        .iter()
        .take(confusion.len())
        .enumerate()
        .map(|(class, name)| of_class(class, name))
        .collect()
}

/// The mean of the F1 scores over all classes, those without an image too; 0 without classes.
#[must_use]
pub fn macro_f1(per_class: &[ClassMetrics]) -> f64 {
    if per_class.is_empty() {
        return 0.0;
    }
    per_class.iter().map(|c| c.f1).sum::<f64>() / per_class.len() as f64
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [usize; 10] = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3];
    const PREDICTED: [usize; 10] = [0, 1, 0, 1, 2, 2, 2, 0, 2, 1];

    /// Numbers from scikit-learn 1.9.1: `confusion_matrix` and `precision_recall_fscore_support` with `labels=range(5)` and
    /// `zero_division=0`; `f1_score(average="macro")`.
    #[test]
    fn the_classes_figures_equal_scikit_learns() {
        let counts = confusion(5, LABELS.into_iter().zip(PREDICTED));
        let expected = [
            [2, 1, 0, 0, 0],
            [0, 1, 1, 0, 0],
            [1, 0, 3, 0, 0],
            [0, 1, 0, 0, 0],
            [0, 0, 0, 0, 0],
        ];
        assert_eq!(counts, expected.map(|row| row.to_vec()));

        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        let found = per_class(&names, &counts);
        let figures: Vec<_> = found
            .iter()
            .map(|c| (c.images, c.precision, c.recall))
            .collect();
        let third = 1.0 / 3.0;
        let expected = [
            (3, 2.0 * third, 2.0 * third),
            (2, third, 0.5),
            (4, 0.75, 0.75),
            (1, 0.0, 0.0),
            (0, 0.0, 0.0),
        ];
        assert_eq!(figures, expected);
        assert_eq!(found[1].f1, 0.4);
        assert!((macro_f1(&found) - 0.36333333333333334).abs() < 1e-15);
    }
}
