//! Each by its name alone, so that adding or removing images moves no other.
//!
//! An image's name is its path in the data set (NFC) without the ending; a hash of seed and name says where it goes. The price:
//! sizes are only near the share, as if a coin were tossed for each (of 1000 images at 0.2, 200 ± 25 in 19 of 20 cases), a
//! tiny class may miss validation or training altogether, and a renamed file may change sides. (By content instead of by name, a
//! file compressed anew would change sides, and a renamed one would not.)
//!
//! A group goes by one of its members: the one with the smallest hash of another kind. A new member decides anew with a chance
//! of 1 in the number of members then; nothing else can move a group, and groups that grow together are one from then on.

use super::{Groups, held::Held, plain::as_given, tell::list};
use crate::{
    digest::Parts,
    record::{Assignment, Labels, Part, PathList, Split},
    seed::Seed,
};

/// How images are divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Division {
    /// This share validates.
    HoldOut(f64),
    /// So many folds.
    Folds(u32),
}

/// Places each group by its members' `names`. The second value names classes that miss training or validation.
#[must_use]
pub fn stable(
    labels: &Labels,
    names: &PathList,
    groups: &Groups,
    division: Division,
    seed: Seed,
) -> (Split, Option<String>) {
    divide(Held::Validation, labels, names, groups, division, seed)
}

/// A hold-out for either part; what is held out is [`Assignment::Validation`] here.
pub(super) fn hold_out_for(
    held: Held,
    labels: &Labels,
    names: &PathList,
    groups: &Groups,
    share: f64,
    seed: Seed,
) -> (Split, Option<String>) {
    divide(held, labels, names, groups, Division::HoldOut(share), seed)
}

fn divide(
    held: Held,
    labels: &Labels,
    names: &PathList,
    groups: &Groups,
    division: Division,
    seed: Seed,
) -> (Split, Option<String>) {
    let place = held.purpose("place");
    let name = |image: usize| names.find(image).map_or("", without_ending);
    let leaders = leaders(labels, groups, |image| draw("leader", seed, name(image)));
    let mut assignments = as_given(&labels.labels);
    for image in training(labels) {
        let leader = leaders[groups.of(image)] as usize;
        // The others of its group go where it goes.
        if leader == image {
            assignments[image] = placed(division, draw(&place, seed, name(image)));
        }
    }
    for image in training(labels) {
        assignments[image] = assignments[leaders[groups.of(image)] as usize];
    }
    let folds = match division {
        Division::Folds(k) => Some(k),
        Division::HoldOut(_) => None,
    };
    let split = Split {
        folds,
        assignments,
        left_out: Vec::new(),
    };
    let told = uneven(held, labels, &split, division);
    (split, told)
}

/// Where a draw puts an image.
fn placed(division: Division, drawn: u64) -> Assignment {
    let at = drawn as f64 / 2.0_f64.powi(64);
    match division {
        Division::HoldOut(share) if at < share => Assignment::Validation,
        Division::HoldOut(_) => Assignment::Train,
        // Rounding may bring the largest draws to 1.
        Division::Folds(k) => Assignment::Fold(((at * f64::from(k)) as u32).min(k - 1)),
    }
}

fn training(labels: &Labels) -> impl Iterator<Item = usize> {
    let labels = labels.labels.iter().enumerate();
    labels.filter_map(|(image, label)| (label.part == Part::Train).then_some(image))
}

/// The training image that a group goes by, the one with the smallest hash, at the place of the image that stands for the group. Of
/// two of one hash, which are of one name, it does not matter.
fn leaders(labels: &Labels, groups: &Groups, hash: impl Fn(usize) -> u64) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let mut leaders = vec![NONE; labels.labels.len()];
    for image in training(labels) {
        let leader = &mut leaders[groups.of(image)];
        // Most are alone, and need no hash.
        if *leader == NONE || hash(image) < hash(*leader as usize) {
            *leader = image as u32;
        }
    }
    leaders
}

/// A path without what follows the last dot of its last name.
fn without_ending(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name..].rfind('.') {
        None | Some(0) => path,
        Some(dot) => &path[..name + dot],
    }
}

fn draw(purpose: &str, seed: Seed, name: &str) -> u64 {
    let mut parts = Parts::new("kfood 2026 stable split");
    parts.part(purpose).part(seed.to_le_bytes()).part(name);
    let mut first = [0; 8];
    first.copy_from_slice(&parts.finish().0[..8]);
    u64::from_be_bytes(first)
}

/// Classes that lie wholly on one side.
fn uneven(held: Held, labels: &Labels, split: &Split, division: Division) -> Option<String> {
    if division == Division::HoldOut(0.0) {
        return None;
    }
    // Of each class where its first image is, how many there are, and whether all of them are there.
    let mut places: Vec<Option<(Assignment, usize, bool)>> = vec![None; labels.classes.len()];
    for image in training(labels) {
        let at = split.assignments[image];
        if let Some(place) = places.get_mut(labels.labels[image].class as usize) {
            let (first, images, alone) = place.get_or_insert((at, 0, true));
            *images += 1;
            *alone &= *first == at;
        }
    }
    let sided = places.iter().enumerate();
    let sided: Vec<(usize, usize)> = sided
        .filter_map(|(class, place)| {
            let (_, images, alone) = (*place)?;
            alone.then_some((class, images))
        })
        .collect();
    (!sided.is_empty()).then(|| {
        format!(
            "`stable` places each image by its name alone, so some classes lie wholly {}: {}",
            match held {
                Held::Validation => "on one side",
                Held::Test => "in test or outside of it",
            },
            list(labels, &sided)
        )
    })
}
