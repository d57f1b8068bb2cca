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

/// The mean of the classes' F1 scores. A class that is in neither labels nor predictions does not count; one that is predicted and
/// not there counts 0 (scikit-learn's `f1_score(average="macro")` with its default of `labels`). 0 where no class counts.
#[must_use]
pub fn macro_f1(confusion: &[Vec<u64>]) -> f64 {
    let of_class = |class: usize| {
        let images: u64 = confusion[class].iter().sum();
        let predicted: u64 = confusion.iter().map(|row| row[class]).sum();
        (images + predicted > 0).then(|| ratio(2 * confusion[class][class], images + predicted))
    };
    let scores: Vec<f64> = (0..confusion.len()).filter_map(of_class).collect();
    if scores.is_empty() {
        return 0.0;
    }
    scores.iter().sum::<f64>() / scores.len() as f64
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
    /// `zero_division=0`; `f1_score(average="macro")` without `labels`.
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
        assert!((macro_f1(&counts) - 0.4541666666666666).abs() < 1e-15);
    }

    /// Numbers from scikit-learn 1.9.1's `f1_score(average="macro", zero_division=0)`, which takes no empty lists: the last is ours.
    #[test]
    fn only_classes_in_neither_labels_nor_predictions_do_not_count() {
        let of = |labels: &[usize], predicted: &[usize]| {
            let pairs = labels.iter().copied().zip(predicted.iter().copied());
            macro_f1(&confusion(3, pairs))
        };
        assert_eq!(of(&[0, 1], &[0, 1]), 1.0);
        // Two right, one taken for a class that is not there: (1 + 2/3 + 0) / 3.
        assert!((of(&[0, 1, 1], &[0, 1, 2]) - 5.0 / 9.0).abs() < 1e-15);
        // One that is there and never predicted counts 0 as well: (2/3 + 0) / 2.
        assert!((of(&[0, 1], &[0, 0]) - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(of(&[], &[]), 0.0);
    }
}
