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
    record::{Assignment, Labels, Part, Split},
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
    names: &[&str],
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
    names: &[&str],
    groups: &Groups,
    share: f64,
    seed: Seed,
) -> (Split, Option<String>) {
    divide(held, labels, names, groups, Division::HoldOut(share), seed)
}

fn divide(
    held: Held,
    labels: &Labels,
    names: &[&str],
    groups: &Groups,
    division: Division,
    seed: Seed,
) -> (Split, Option<String>) {
    let place = held.purpose("place");
    let mut assignments = as_given(&labels.labels);
    let train = |image: usize| labels.labels[image].part == Part::Train;
    for group in groups.members(train) {
        let name = |image: &usize| names.get(*image).map_or("", |name| without_ending(name));
        let leader = group
            .iter()
            .map(|image| (draw("leader", seed, name(image)), name(image)))
            .min();
        let at = leader.map_or(0.0, |(_, name)| {
            draw(&place, seed, name) as f64 / 2.0_f64.powi(64)
        });
        for image in group {
            assignments[image] = match division {
                Division::HoldOut(share) if at < share => Assignment::Validation,
                Division::HoldOut(_) => Assignment::Train,
                // Rounding may bring the largest draws to 1.
                Division::Folds(k) => Assignment::Fold(((at * f64::from(k)) as u32).min(k - 1)),
            };
        }
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
    let mut places: Vec<Vec<Assignment>> = vec![Vec::new(); labels.classes.len()];
    for (label, assignment) in labels.labels.iter().zip(&split.assignments) {
        if label.part == Part::Train
            && let Some(places) = places.get_mut(label.class as usize)
        {
            places.push(*assignment);
        }
    }
    let sided: Vec<(usize, usize)> = (0..places.len())
        .filter(|c| !places[*c].is_empty() && places[*c].iter().all(|a| *a == places[*c][0]))
        .map(|c| (c, places[c].len()))
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
