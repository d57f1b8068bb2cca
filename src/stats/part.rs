//! All metrics of one part.

use crate::{
    digest::Digest,
    record::{Part, PartMetrics},
    stats::{Score, confusion, macro_f1, per_class, wilson},
};

/// The metrics of one part from its labels and scores, in the same order; `members` is the digest of its paths and labels.
#[must_use]
pub fn part_metrics(
    part: Part,
    classes: &[String],
    labels: &[usize],
    scores: &[Score],
    members: Digest,
) -> PartMetrics {
    let images = scores.len() as u64;
    let share = |count: u64| count as f64 / (images as f64).max(1.0);
    let first = scores.iter().filter(|s| s.correct).count() as u64;
    let five = scores.iter().filter(|s| s.top5).count() as u64;
    let loss: f64 = scores.iter().map(|s| s.loss).sum();
    let predicted = scores.iter().map(|s| s.predicted);
    let confusion = confusion(classes.len(), labels.iter().copied().zip(predicted));
    let per_class = per_class(classes, &confusion);
    PartMetrics {
        part,
        images,
        dropped: 0,
        members,
        loss: loss / (images as f64).max(1.0),
        top1: share(first),
        top1_interval: wilson(first, images),
        top5: share(five),
        top5_interval: wilson(five, images),
        macro_f1: macro_f1(&confusion),
        per_class,
        confusion,
    }
}

/// The number of right first guesses.
#[must_use]
pub fn correct(part: &PartMetrics) -> u64 {
    (0..part.confusion.len())
        .map(|c| part.confusion[c][c])
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::scores;

    #[test]
    fn a_parts_figures_agree_with_each_other() {
        let logits = [3.0, 1.0, 0.0, 0.0, 2.0, 1.0, 0.0, 5.0, 1.0, 0.0, 1.0, 9.0];
        let labels = [0, 1, 2, 2];
        let classes = ["김밥", "냉면", "비빔밥"].map(str::to_owned);
        let found = scores(&logits, &labels, 3).unwrap();
        let members = Digest::of(b"members");
        let part = part_metrics(Part::Test, &classes, &labels, &found, members);
        assert_eq!((part.images, correct(&part)), (4, 3));
        assert_eq!((part.top1, part.top5), (0.75, 1.0));
        assert_eq!(part.top1_interval, wilson(3, 4));
        assert_eq!(part.confusion, [[1, 0, 0], [0, 1, 0], [0, 1, 1]]);
        let mean = found.iter().map(|s| s.loss).sum::<f64>() / 4.0;
        assert_eq!(part.loss, mean);
    }
}
