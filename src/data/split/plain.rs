//! Every image for itself: stratified by class, shuffled by the seed.

use rand::seq::SliceRandom;

use super::{held::Held, tell::list};
use crate::{
    record::{Assignment, Label, Labels, Part, Split},
    seed::Seed,
};

/// Holds out a share of every class of the training part.
///
/// A class gives `share` of its images, rounded down or up so that the whole is `share` of all, rounded (largest
/// remainders first, then by class). A class of one image stays in training; one of two or more gives at least one and
/// keeps at least one, unless `share` is 0. The second value says in words where these rules bend the share.
#[must_use]
pub fn hold_out(labels: &Labels, share: f64, seed: Seed) -> (Split, Option<String>) {
    hold_out_for(Held::Validation, labels, share, seed)
}

/// As [`hold_out`], for either part; what is held out is [`Assignment::Validation`] here.
pub(super) fn hold_out_for(
    held_for: Held,
    labels: &Labels,
    share: f64,
    seed: Seed,
) -> (Split, Option<String>) {
    let members = shuffled_classes(held_for, labels, seed);
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    let held = apportion(&sizes, share);
    let mut assignments = as_given(&labels.labels);
    for (members, held) in members.iter().zip(&held) {
        for image in &members[..*held] {
            assignments[*image] = Assignment::Validation;
        }
    }
    let told = deviation(held_for, labels, &sizes, &held, share);
    (
        Split {
            folds: None,
            assignments,
            left_out: Vec::new(),
        },
        told,
    )
}

/// Deals every class of the training part to `folds` folds; sizes of a class differ by at most one between folds, and so
/// do the sizes of whole folds. A class of one image stays in training in every fold. The second value names the classes
/// with fewer images than folds.
#[must_use]
pub fn folds(labels: &Labels, folds: u32, seed: Seed) -> (Split, Option<String>) {
    let members = shuffled_classes(Held::Validation, labels, seed);
    let mut assignments = as_given(&labels.labels);
    let mut next = 0;
    let mut small = Vec::new();
    for (class, members) in members.iter().enumerate() {
        if !members.is_empty() && members.len() < folds as usize {
            small.push((class, members.len()));
        }
        if members.len() < 2 {
            continue;
        }
        for image in members {
            assignments[*image] = Assignment::Fold(next);
            next = (next + 1) % folds;
        }
    }
    let told = (!small.is_empty()).then(|| {
        format!(
            "{} of {} classes have fewer images than the {folds} folds, so some folds validate without them: {}",
            small.len(),
            labels.classes.len(),
            list(labels, &small)
        )
    });
    let split = Split {
        folds: Some(folds),
        assignments,
        left_out: Vec::new(),
    };
    (split, told)
}

/// Every image where it was given: training or test.
pub(super) fn as_given(labels: &[Label]) -> Vec<Assignment> {
    let place = |label: &Label| match label.part {
        Part::Train | Part::Validation => Assignment::Train,
        Part::Test => Assignment::Test,
    };
    labels.iter().map(place).collect()
}

/// The training images of each class, in the order of the seed.
fn shuffled_classes(held: Held, labels: &Labels, seed: Seed) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); labels.classes.len()];
    for (image, label) in labels.labels.iter().enumerate() {
        if label.part == Part::Train {
            // A class beyond the list would be a damaged record; its image stays where it was given.
            if let Some(class) = members.get_mut(label.class as usize) {
                class.push(image);
            }
        }
    }
    for (class, members) in members.iter_mut().enumerate() {
        members.shuffle(&mut held.stream(seed, "split", &[class as u64]));
    }
    members
}

/// How many of each class are held out: bounded largest remainders.
fn apportion(sizes: &[usize], share: f64) -> Vec<usize> {
    let bounds = |size: usize| match size {
        0 | 1 => (0, 0),
        _ if share == 0.0 => (0, 0),
        _ => (1, size - 1),
    };
    let ideal = |size: usize| share * size as f64;
    let mut held: Vec<usize> = sizes
        .iter()
        .map(|size| {
            let (least, most) = bounds(*size);
            // A product such as 0.7 * 10 is a hair below 7; the hair is no image.
            ((ideal(*size) + 1e-9).floor() as usize).clamp(least, most)
        })
        .collect();
    let total = ideal(sizes.iter().sum()).round() as usize;
    let mut order: Vec<usize> = (0..sizes.len())
        .filter(|c| held[*c] < bounds(sizes[*c]).1 && (held[*c] as f64) < ideal(sizes[*c]) - 1e-9)
        .collect();
    let remainder = |class: usize| ideal(sizes[class]) - held[class] as f64;
    order.sort_by(|a, b| remainder(*b).total_cmp(&remainder(*a)).then(a.cmp(b)));
    let missing = total.saturating_sub(held.iter().sum());
    for class in order.into_iter().take(missing) {
        held[class] += 1;
    }
    held
}

/// Where tiny classes bend the share, in words.
fn deviation(
    part: Held,
    labels: &Labels,
    sizes: &[usize],
    held: &[usize],
    share: f64,
) -> Option<String> {
    let part = part.name();
    let images: usize = sizes.iter().sum();
    let (total, wanted) = (
        held.iter().sum::<usize>(),
        (share * images as f64).round() as usize,
    );
    let bent: Vec<(usize, usize)> = (0..sizes.len())
        .filter(|c| {
            let ideal = share * sizes[*c] as f64;
            sizes[*c] == 1 || (held[*c] as f64 - ideal).abs() >= 1.0
        })
        .map(|c| (c, sizes[c]))
        .collect();
    if bent.is_empty() && total == wanted {
        return None;
    }
    let mut text = format!(
        "{part} has {total} of {images} images instead of {wanted}, because every class keeps one image in training and, from two images on, gives one to {part}"
    );
    if total == wanted {
        text = "a class of one image stays in training".to_owned();
    }
    if !bent.is_empty() {
        text.push_str(&format!(": {}", list(labels, &bent)));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Part;

    fn labels(sizes: &[usize], test: usize) -> Labels {
        let train = sizes
            .iter()
            .enumerate()
            .flat_map(|(c, n)| std::iter::repeat_n((Part::Train, c), *n));
        let test = (0..sizes.len()).flat_map(|c| std::iter::repeat_n((Part::Test, c), test));
        Labels {
            classes: (0..sizes.len()).map(|c| format!("c{c:02}")).collect(),
            labels: train
                .chain(test)
                .map(|(part, class)| Label {
                    part,
                    class: class as u32,
                })
                .collect(),
            ..Labels::default()
        }
    }

    fn count(split: &Split, labels: &Labels, class: u32, what: Assignment) -> usize {
        let pairs = split.assignments.iter().zip(&labels.labels);
        pairs
            .filter(|(a, l)| **a == what && l.class == class)
            .count()
    }

    #[test]
    fn the_share_is_met_in_every_class_and_in_all() {
        let labels = labels(&[101, 102, 103, 104], 7);
        let (split, told) = hold_out(&labels, 0.2, 1);
        let held: Vec<_> = (0..4)
            .map(|c| count(&split, &labels, c, Assignment::Validation))
            .collect();
        assert_eq!((held, told), (vec![20, 20, 21, 21], None));
        assert_eq!(split.members(Part::Test, None).len(), 28);
        assert_ne!(split, hold_out(&labels, 0.2, 2).0);
        assert_eq!(split, hold_out(&labels, 0.2, 1).0);
    }

    #[test]
    fn tiny_classes_follow_their_rule_and_it_is_told() {
        let labels = labels(&[1, 2, 3, 50], 0);
        let (split, told) = hold_out(&labels, 0.2, 1);
        let held: Vec<_> = (0..4)
            .map(|c| count(&split, &labels, c, Assignment::Validation))
            .collect();
        assert_eq!(held, [0, 1, 1, 10]);
        let told = told.unwrap();
        assert!(
            told.contains("12 of 56 images instead of 11") && told.contains("`c00` (1)"),
            "{told}"
        );
        let (split, told) = folds(&labels, 5, 1);
        assert_eq!(split.assignments[0], Assignment::Train);
        assert!(told.unwrap().starts_with("3 of 4 classes"));
    }

    proptest! {
        #[test]
        fn a_class_deviates_by_less_than_one_image(sizes in proptest::collection::vec(2_usize..200, 2..12), share in 0.0..1.0_f64, seed: u32) {
            let labels = labels(&sizes, 3);
            let (split, told) = hold_out(&labels, share, seed);
            let mut total = 0;
            for (class, size) in sizes.iter().enumerate() {
                let held = count(&split, &labels, class as u32, Assignment::Validation);
                total += held;
                prop_assert!((held as f64 - share * *size as f64).abs() < 1.0 + 1e-9);
                prop_assert!(share == 0.0 || (1..*size).contains(&held));
            }
            let all: usize = sizes.iter().sum();
            prop_assert!(told.is_some() || total == (share * all as f64).round() as usize);
        }

        #[test]
        fn folds_are_even_in_every_class_and_in_all(sizes in proptest::collection::vec(2_usize..60, 1..8), k in 2_u32..8, seed: u32) {
            let labels = labels(&sizes, 2);
            let (split, _) = folds(&labels, k, seed);
            let spread = |of: &dyn Fn(u32) -> usize| {
                let counts: Vec<_> = (0..k).map(of).collect();
                counts.iter().max().unwrap() - counts.iter().min().unwrap()
            };
            for class in 0..sizes.len() as u32 {
                prop_assert!(spread(&|f| count(&split, &labels, class, Assignment::Fold(f))) <= 1);
            }
            prop_assert!(spread(&|f| split.members(Part::Validation, Some(f)).len()) <= 1);
        }
    }
}
