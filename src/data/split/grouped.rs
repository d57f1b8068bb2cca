//! Whole groups on one side, with each class as near to its share as groups allow.
//!
//! The misfit is the sum over classes of (images - wanted)² / images of the class. Folds are dealt the largest groups first (equal
//! ones in the order of the seed), each where it adds least to the misfit (as scikit-learn's `StratifiedGroupKFold` goes about it).
//! For a hold-out every group has its turn in the order of the seed and goes in where it fits; then single groups join or leave
//! as long as that lessens the misfit. A group that holds all images of a class stays in training, because without it nothing
//! of the class would be learnt. From two groups on, a class gives one to validation where that takes no class out of training.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Groups, held::Held, plain::as_given, tell::list};
use crate::{
    record::{Assignment, Labels, Part, Split},
    seed::Seed,
};

/// A group with its images by class.
struct Unit {
    images: Vec<usize>,
    classes: Vec<(usize, usize)>,
}

/// The groups of the training part, the largest first, and the images of each class.
struct Units {
    units: Vec<Unit>,
    sizes: Vec<usize>,
}

impl Units {
    fn new(held: Held, labels: &Labels, groups: &Groups, seed: Seed) -> Self {
        let classes = labels.classes.len();
        let class = |image: usize| labels.labels[image].class as usize;
        let wanted =
            |image: usize| labels.labels[image].part == Part::Train && class(image) < classes;
        let mut members = groups.members(wanted);
        members.shuffle(&mut held.stream(seed, "split groups", &[]));
        members.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let mut sizes = vec![0; classes];
        let mut units = Vec::new();
        for images in members {
            let mut of: Vec<usize> = images.iter().map(|image| class(*image)).collect();
            of.sort_unstable();
            let classes: Vec<_> = of
                .chunk_by(|a, b| a == b)
                .map(|c| (c[0], c.len()))
                .collect();
            for (class, count) in &classes {
                sizes[*class] += count;
            }
            units.push(Unit { images, classes });
        }
        Self { units, sizes }
    }

    /// Whether a class lies wholly in this group.
    fn holds_a_class(&self, unit: &Unit) -> bool {
        unit.classes
            .iter()
            .any(|(class, count)| self.sizes[*class] == *count)
    }

    /// How the misfit changes when a unit joins images of these counts that want to be `wanted`.
    fn change(&self, unit: &Unit, counts: &[usize], wanted: impl Fn(usize) -> f64) -> f64 {
        let of = |(class, count): &(usize, usize)| {
            let (over, count) = (counts[*class] as f64 - wanted(*class), *count as f64);
            (2.0 * over * count + count * count) / self.sizes[*class] as f64
        };
        unit.classes.iter().map(of).sum()
    }
}

fn add(counts: &mut [usize], unit: &Unit) {
    for (class, count) in &unit.classes {
        counts[*class] += count;
    }
}

fn remove(counts: &mut [usize], unit: &Unit) {
    for (class, count) in &unit.classes {
        counts[*class] -= count;
    }
}

/// Holds out a share of the training part in whole groups. The second value says in words how far the sizes are from the share.
#[must_use]
pub fn hold_out_groups(
    labels: &Labels,
    groups: &Groups,
    share: f64,
    seed: Seed,
) -> (Split, Option<String>) {
    hold_out_for(Held::Validation, labels, groups, share, seed)
}

/// As [`hold_out_groups`], for either part; what is held out is [`Assignment::Validation`] here.
pub(super) fn hold_out_for(
    held_for: Held,
    labels: &Labels,
    groups: &Groups,
    share: f64,
    seed: Seed,
) -> (Split, Option<String>) {
    let units = Units::new(held_for, labels, groups, seed);
    let mut counts = vec![0; units.sizes.len()];
    let mut held = vec![false; units.units.len()];
    if share > 0.0 {
        fill(
            &units,
            share,
            held_for.stream(seed, "split turns", &[]),
            &mut counts,
            &mut held,
        );
        balance(&units, &mut counts, &mut held);
    }
    let mut assignments = as_given(&labels.labels);
    for (unit, _) in units.units.iter().zip(&held).filter(|(_, held)| **held) {
        for image in &unit.images {
            assignments[*image] = Assignment::Validation;
        }
    }
    let told = deviation(held_for, labels, &units.sizes, &counts, share);
    let split = Split {
        folds: None,
        assignments,
        left_out: Vec::new(),
    };
    (split, told)
}

/// Takes groups in the order of the seed where they fit, then mends what that leaves open.
fn fill(units: &Units, share: f64, mut draws: ChaCha8Rng, counts: &mut [usize], held: &mut [bool]) {
    let wanted = |class: usize| share * units.sizes[class] as f64;
    let mut turns: Vec<usize> = (0..held.len())
        .filter(|u| !units.holds_a_class(&units.units[*u]))
        .collect();
    turns.shuffle(&mut draws);
    for u in &turns {
        let unit = &units.units[*u];
        let fits = |(class, count): &(usize, usize)| {
            (counts[*class] + count) as f64 <= wanted(*class).round()
        };
        if unit.classes.iter().all(fits) {
            held[*u] = true;
            add(counts, unit);
        }
    }
    // Each turn lessens the misfit, which is bounded: this ends.
    loop {
        let mut moved = false;
        for u in &turns {
            let unit = &units.units[*u];
            if held[*u] {
                remove(counts, unit);
            }
            let stays = units.change(unit, counts, wanted) < if held[*u] { 1e-9 } else { -1e-9 };
            moved |= stays != held[*u];
            held[*u] = stays;
            if stays {
                add(counts, unit);
            }
        }
        if !moved {
            return;
        }
    }
}

/// Gives back what left a class without a training image, then gives each class without a validation image its smallest group.
fn balance(units: &Units, counts: &mut [usize], held: &mut [bool]) {
    for class in 0..counts.len() {
        let has = |unit: &Unit| unit.classes.iter().any(|(c, _)| *c == class);
        // The smallest groups come last.
        if counts[class] == units.sizes[class]
            && let Some(last) = (0..held.len())
                .rev()
                .find(|u| held[*u] && has(&units.units[*u]))
        {
            held[last] = false;
            remove(counts, &units.units[last]);
        }
    }
    for class in 0..counts.len() {
        let fits = |unit: &Unit, counts: &[usize]| {
            unit.classes.iter().any(|(c, _)| *c == class)
                && unit
                    .classes
                    .iter()
                    .all(|(c, count)| counts[*c] + count < units.sizes[*c])
        };
        if counts[class] == 0
            && let Some(last) = (0..held.len())
                .rev()
                .find(|u| fits(&units.units[*u], counts))
        {
            held[last] = true;
            add(counts, &units.units[last]);
        }
    }
}

/// Deals whole groups to folds. The second value says in words how far the folds' sizes are from each other.
#[must_use]
pub fn fold_groups(
    labels: &Labels,
    groups: &Groups,
    folds: u32,
    seed: Seed,
) -> (Split, Option<String>) {
    let units = Units::new(Held::Validation, labels, groups, seed);
    let mut counts = vec![vec![0; units.sizes.len()]; folds as usize];
    let mut totals = vec![0; folds as usize];
    let mut assignments = as_given(&labels.labels);
    for unit in &units.units {
        if units.holds_a_class(unit) {
            continue;
        }
        let wanted = |class: usize| units.sizes[class] as f64 / f64::from(folds);
        let misfit = |fold: usize| units.change(unit, &counts[fold], wanted);
        let Some(best) = (0..folds as usize).min_by(|a, b| {
            let by_misfit = misfit(*a).total_cmp(&misfit(*b));
            by_misfit.then(totals[*a].cmp(&totals[*b])).then(a.cmp(b))
        }) else {
            break;
        };
        add(&mut counts[best], unit);
        totals[best] += unit.images.len();
        for image in &unit.images {
            assignments[*image] = Assignment::Fold(best as u32);
        }
    }
    let (least, most) = (totals.iter().min().copied(), totals.iter().max().copied());
    let images: usize = units.sizes.iter().sum();
    let told = match (least, most) {
        (Some(least), Some(most)) if most - least > 1 || totals.iter().sum::<usize>() < images => {
            let mut text = format!(
                "groups stay together, so the {folds} folds have {least} to {most} of {images} images"
            );
            let always = images - totals.iter().sum::<usize>();
            if always > 0 {
                text += &format!(
                    ", and {always} stay in training because their group holds all images of a class"
                );
            }
            Some(text)
        }
        _ => None,
    };
    let split = Split {
        folds: Some(folds),
        assignments,
        left_out: Vec::new(),
    };
    (split, told)
}

/// Where groups bend the share, in words; the numbers behind the classes are those held out.
fn deviation(
    part: Held,
    labels: &Labels,
    sizes: &[usize],
    held: &[usize],
    share: f64,
) -> Option<String> {
    let part = part.name();
    let images: usize = sizes.iter().sum();
    let total: usize = held.iter().sum();
    let wanted = (share * images as f64).round() as usize;
    let off = |class: &usize| (held[*class] as f64 - share * sizes[*class] as f64).abs();
    let mut bent: Vec<usize> = (0..sizes.len()).filter(|c| off(c) >= 1.0).collect();
    if bent.is_empty() && total == wanted {
        return None;
    }
    bent.sort_by(|a, b| off(b).total_cmp(&off(a)).then(a.cmp(b)));
    let mut text = format!(
        "{part} has {total} of {images} images instead of {wanted}, because groups stay together"
    );
    if !bent.is_empty() {
        let bent: Vec<_> = bent.iter().map(|c| (*c, held[*c])).collect();
        text += &format!(
            "; held out of the classes farthest from the share: {}",
            list(labels, &bent)
        );
    }
    Some(text)
}
