//! How right a model is on the images of which it is sure enough, over how many those are.

use super::{Answer, wilson};
use crate::record::{Coverage, Sure};

/// The accuracy on the surest images, from the surest tenth to all, ten steps: images of equal confidence are never told apart, so a step
/// may take in a few more.
#[must_use]
pub fn coverage(answers: &[Answer]) -> Vec<Coverage> {
    let steps = cuts(answers);
    let n = answers.len() as f64;
    let step = |tenth: u32| {
        let wanted = n * f64::from(tenth) / 10.0;
        let cut = steps
            .iter()
            .find(|cut| cut.images as f64 >= wanted - 1e-9)?;
        Some(Coverage {
            threshold: cut.threshold,
            coverage: cut.images as f64 / n,
            accuracy: cut.right as f64 / cut.images as f64,
        })
    };
    let mut found: Vec<Coverage> = (1..=10).filter_map(step).collect();
    found.dedup();
    found
}

/// The least confidence from which on the answers are right as often as wanted, so that most are covered; `None` where no confidence
/// does it. `precision` is a share.
#[must_use]
pub fn threshold(answers: &[Answer], precision: f64) -> Option<f64> {
    let enough = |cut: &&Cut| cut.right as f64 >= precision * cut.images as f64;
    cuts(answers).iter().rfind(enough).map(|cut| cut.threshold)
}

/// What is answered from a confidence on, and how much of it is right, with Wilson's interval.
#[must_use]
pub fn sure(answers: &[Answer], threshold: f64) -> Sure {
    let answered = || answers.iter().filter(|a| a.confidence >= threshold);
    let images = answered().count() as u64;
    let right = answered().filter(|a| a.correct).count() as u64;
    Sure {
        images: answers.len() as u64,
        answered: images,
        right,
        interval: wilson(right, images),
    }
}

/// The images from a confidence on.
struct Cut {
    threshold: f64,
    images: u64,
    right: u64,
}

/// One for each confidence that there is, the surest first.
fn cuts(answers: &[Answer]) -> Vec<Cut> {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut cuts: Vec<Cut> = Vec::new();
    let mut right = 0;
    for (before, answer) in (0..).zip(sorted) {
        right += u64::from(answer.correct);
        let cut = Cut {
            threshold: answer.confidence,
            images: before + 1,
            right,
        };
        match cuts.last_mut() {
            Some(last) if last.threshold == cut.threshold => *last = cut,
            _ => cuts.push(cut),
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Vec<Answer> {
        let of = |(confidence, correct)| Answer {
            confidence,
            correct,
        };
        [
            (0.9, true),
            (0.9, false),
            (0.95, true),
            (0.8, true),
            (0.5, false),
        ]
        .map(of)
        .to_vec()
    }

    #[test]
    fn a_threshold_covers_as_much_as_the_wanted_precision_allows() {
        // From 0.8 on three of four are right, from 0.95 on all: equal ones are never told apart.
        assert_eq!(threshold(&answers(), 0.75), Some(0.8));
        assert_eq!(threshold(&answers(), 0.76), Some(0.95));
        assert_eq!(threshold(&answers(), 0.6), Some(0.5));
        assert_eq!(threshold(&answers()[1..2], 0.5), None);
        let found = sure(&answers(), 0.8);
        assert_eq!((found.images, found.answered, found.right), (5, 4, 3));
    }

    #[test]
    fn coverage_goes_from_the_surest_to_all() {
        let found = coverage(&answers());
        let shares: Vec<_> = found.iter().map(|c| (c.coverage, c.accuracy)).collect();
        assert_eq!(
            shares,
            [(0.2, 1.0), (0.6, 2.0 / 3.0), (0.8, 0.75), (1.0, 0.6)]
        );
    }
}
