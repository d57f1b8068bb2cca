//! Properties of every way to divide: groups stay whole, nobody is forgotten, the same again for the same seed.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::record::{Assignment, Label, Labels, Likeness, LookAlikes, Pair, Part, PathList, Split};

/// Images of these classes in training, and two of each class in test.
fn labels(classes: &[u32]) -> Labels {
    let count = classes.iter().max().map_or(0, |most| most + 1);
    let train = classes.iter().map(|class| (Part::Train, *class));
    let test = (0..count).flat_map(|class| [(Part::Test, class); 2]);
    Labels {
        classes: (0..count).map(|c| format!("c{c:02}")).collect(),
        labels: train
            .chain(test)
            .map(|(part, class)| Label { part, class })
            .collect(),
        ..Labels::default()
    }
}

fn grouped(labels: &Labels, numbers: &[u32]) -> Groups {
    let mut groups = Groups::new(labels.labels.len());
    let numbers: Vec<_> = numbers.iter().map(|n| Some(*n)).collect();
    groups.join_numbers(labels, &numbers);
    groups
}

/// Every group has one assignment, every training image one that fits, every test image its own.
fn whole(labels: &Labels, groups: &Groups, split: &Split) -> Result<(), TestCaseError> {
    prop_assert_eq!(split.assignments.len(), labels.labels.len());
    for (label, assignment) in labels.labels.iter().zip(&split.assignments) {
        let test = *assignment == Assignment::Test;
        prop_assert_eq!(test, label.part == Part::Test);
        if let (Some(k), Assignment::Fold(fold)) = (split.folds, assignment) {
            prop_assert!(*fold < k);
        }
    }
    for group in groups.members(|image| labels.labels[image].part == Part::Train) {
        for image in &group {
            prop_assert_eq!(split.assignments[*image], split.assignments[group[0]]);
        }
    }
    Ok(())
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("train/김밥/{i:04}.jpg")).collect()
}

fn borrowed(names: &[String]) -> PathList {
    names.iter().map(String::as_str).collect()
}

proptest! {
    #[test]
    fn groups_never_straddle(images in proptest::collection::vec((0_u32..5, 0_u32..30), 1..120), share in 0.0..0.9_f64, k in 2_u32..6, seed: u32) {
        let classes: Vec<_> = images.iter().map(|(class, _)| *class).collect();
        let numbers: Vec<_> = images.iter().map(|(_, group)| *group).collect();
        let labels = labels(&classes);
        let groups = grouped(&labels, &numbers);
        let (held, _) = hold_out_groups(&labels, &groups, share, seed);
        whole(&labels, &groups, &held)?;
        prop_assert_eq!(&held, &hold_out_groups(&labels, &groups, share, seed).0);
        let (folded, _) = fold_groups(&labels, &groups, k, seed);
        whole(&labels, &groups, &folded)?;
        prop_assert_eq!(&folded, &fold_groups(&labels, &groups, k, seed).0);
        let names = names(labels.labels.len());
        for division in [Division::HoldOut(share), Division::Folds(k)] {
            let (placed, _) = stable(&labels, &borrowed(&names), &groups, division, seed);
            whole(&labels, &groups, &placed)?;
        }
    }

    #[test]
    fn small_groups_meet_the_share(sizes in proptest::collection::vec(20_u32..60, 2..5), share in 0.1..0.5_f64, seed: u32) {
        // Groups of two images of one class.
        let classes: Vec<u32> = (0..).zip(&sizes).flat_map(|(c, n)| std::iter::repeat_n(c, 2 * *n as usize)).collect();
        let numbers: Vec<u32> = (0..classes.len() as u32).map(|i| i / 2).collect();
        let labels = labels(&classes);
        let (split, _) = hold_out_groups(&labels, &grouped(&labels, &numbers), share, seed);
        for (class, pairs) in (0..).zip(&sizes) {
            let held = (0..classes.len()).filter(|i| classes[*i] == class && split.assignments[*i] == Assignment::Validation).count();
            prop_assert!((held as f64 - share * f64::from(2 * pairs)).abs() <= 1.0 + 1e-9);
        }
    }

    #[test]
    fn new_images_move_no_earlier_one(before in 1_usize..80, more in 1_usize..80, seed: u32) {
        let all = names(before + more);
        for division in [Division::HoldOut(0.2), Division::Folds(5)] {
            let place = |n: usize| {
                let labels = labels(&vec![0; n]);
                let groups = Groups::new(labels.labels.len());
                stable(&labels, &borrowed(&all[..n]), &groups, division, seed).0.assignments[..n].to_vec()
            };
            prop_assert_eq!(&place(before)[..], &place(before + more)[..before]);
        }
    }
}

#[test]
fn the_stable_share_is_met_on_average_and_the_ending_does_not_count() {
    let labels = labels(&[0; 4000]);
    let mut names = names(4000);
    let place = |names: &[String]| {
        let groups = Groups::new(labels.labels.len());
        stable(
            &labels,
            &borrowed(names),
            &groups,
            Division::HoldOut(0.2),
            7,
        )
        .0
    };
    let split = place(&names);
    let held = split.members(Part::Validation, None).len();
    assert!((720..880).contains(&held), "{held}");
    for name in &mut names {
        *name = name.replace(".jpg", ".png");
    }
    assert_eq!(place(&names), split);
}

#[test]
fn a_large_group_is_held_out_by_chance_alone_and_singles_meet_the_share() {
    // Two classes of 60: in each a group of 23 and 37 images apart.
    let labels = labels(&(0..120).map(|i| i % 2).collect::<Vec<_>>());
    let number = |i: u32| if i < 46 { i % 2 } else { i };
    let groups = grouped(&labels, &(0..120).map(number).collect::<Vec<_>>());
    let mut parts = BTreeSet::new();
    for seed in 0..20 {
        let (split, told) = hold_out_groups(&labels, &groups, 0.2, seed);
        assert_eq!(told, None);
        let held = split.members(Part::Validation, None);
        assert_eq!(held.len(), 24);
        assert!(held.iter().all(|image| *image >= 46));
        parts.insert(held);
    }
    assert_eq!(parts.len(), 20, "another seed holds out others");
}

#[test]
fn a_group_that_holds_all_of_a_class_stays_in_training_and_misfits_are_told() {
    let labels = labels(&[0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
    let groups = grouped(&labels, &[1, 1, 1, 2, 3, 4, 9, 9, 9, 9]);
    let (split, told) = hold_out_groups(&labels, &groups, 0.2, 1);
    assert!(
        split.assignments[6..10]
            .iter()
            .all(|a| *a == Assignment::Train)
    );
    let told = told.unwrap();
    assert!(
        told.contains("1 of 10 images instead of 2, because groups stay together"),
        "{told}"
    );
    let (split, told) = fold_groups(&labels, &groups, 3, 1);
    assert!(
        split.assignments[6..10]
            .iter()
            .all(|a| *a == Assignment::Train)
    );
    assert!(told.unwrap().contains("4 stay in training"));
}

fn alike(images: usize, pairs: &[(u32, u32)]) -> LookAlikes {
    let pair = |(a, b): &(u32, u32)| Pair {
        a: *a,
        b: *b,
        likeness: Likeness::Near,
        correlation: 0.9,
    };
    LookAlikes {
        images: images as u32,
        pairs: pairs.iter().map(pair).collect(),
    }
}

#[test]
fn copies_of_test_images_are_left_out_and_the_rest_stays_together() {
    // Eight of one class in training, then two in test: 0 looks like test image 8, 1 like 0, and 2 like 3.
    let labels = labels(&[0; 8]);
    let alike = alike(10, &[(0, 1), (0, 8), (2, 3)]);
    let mut groups = Groups::new(10);
    join_look_alikes(&mut groups, &labels, &alike);
    assert_eq!((groups.of(1), groups.of(3)), (1, 2));
    let copies = copies(&labels, &alike, false);
    let rest = without(&labels, &copies);
    let (mut split, told) = hold_out_groups(&rest, &groups, 0.25, 1);
    leave_out(&mut split, copies);
    // Two of the seven that are left, whole groups all the same.
    assert_eq!(told, None);
    assert_eq!(split.members(Part::Validation, None).len(), 2);
    assert_eq!(split.assignments[0], Assignment::LeftOut);
    assert_eq!(split.assignments[2], split.assignments[3]);
    let left: Vec<_> = split.left_out.iter().map(|l| (l.image, l.like)).collect();
    assert_eq!(left, [(0, 8)]);
    assert!(across(&split, &alike).is_empty());
    split.assignments[2] = Assignment::Train;
    split.assignments[3] = Assignment::Validation;
    assert_eq!(across(&split, &alike).len(), 1);
}

#[test]
fn a_given_validation_part_is_kept_and_its_copies_leave_training() {
    let mut labels = labels(&[0; 4]);
    assert!(given(&labels).is_none());
    labels.validation = vec![2];
    let copies = copies(&labels, &alike(6, &[(1, 2)]), true);
    let mut split = given(&without(&labels, &copies)).unwrap();
    assert_eq!(split.members(Part::Validation, None), [2]);
    leave_out(&mut split, copies);
    assert_eq!(split.members(Part::Train, None), [0, 3]);
    assert_eq!(split.members(Part::Validation, None), [2]);
}
