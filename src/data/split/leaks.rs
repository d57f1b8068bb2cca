//! Look-alikes and the parts.

use super::Groups;
use crate::record::{Assignment, Labels, LeftOut, LookAlikes, Pair, Part, Split};

/// Joins look-alikes of the training part, but for those that are left out ([`copies`]).
pub fn join_look_alikes(groups: &mut Groups, labels: &Labels, alike: &LookAlikes) {
    let is_test = |image: usize| {
        labels
            .labels
            .get(image)
            .is_some_and(|l| l.part == Part::Test)
    };
    let out = alike.nearest(is_test);
    let stays = |image: u32| {
        let image = image as usize;
        image < labels.labels.len() && !is_test(image) && out[image].is_none()
    };
    for pair in alike.pairs.iter().filter(|p| stays(p.a) && stays(p.b)) {
        groups.join(pair.a as usize, pair.b as usize);
    }
}

/// The images of the training part that are to be left out: those that look like one of the test part, and, where the data
/// set's own validation part is `fixed`, those of the rest that look like one of it.
#[must_use]
pub fn copies(labels: &Labels, alike: &LookAlikes, fixed: bool) -> Vec<LeftOut> {
    let part = |image: usize| labels.labels.get(image).map(|label| label.part);
    let test = alike.nearest(|image| part(image) == Some(Part::Test));
    let validates =
        |image: usize| fixed && labels.validation.binary_search(&(image as u32)).is_ok();
    let validation = fixed.then(|| alike.nearest(validates));
    let like = |image: usize| {
        let of = |found: &[Option<(u32, _)>]| found.get(image).copied().flatten();
        let own = || match validates(image) {
            true => None,
            false => of(validation.as_deref()?),
        };
        let (like, likeness) = of(&test).or_else(own)?;
        Some(LeftOut {
            image: image as u32,
            like,
            likeness,
        })
    };
    (0..labels.labels.len())
        .filter(|image| part(*image) == Some(Part::Train))
        .filter_map(like)
        .collect()
}

/// The labels without these images: they are of no class that is divided.
#[must_use]
pub fn without(labels: &Labels, copies: &[LeftOut]) -> Labels {
    let mut rest = labels.clone();
    for copy in copies {
        rest.labels[copy.image as usize].part = Part::Test;
    }
    let out = |image: &u32| {
        copies
            .binary_search_by_key(image, |copy| copy.image)
            .is_ok()
    };
    rest.validation.retain(|image| !out(image));
    rest
}

/// Marks these images as left out of a split of the labels [`without`] them.
pub fn leave_out(split: &mut Split, copies: Vec<LeftOut>) {
    for copy in &copies {
        split.assignments[copy.image as usize] = Assignment::LeftOut;
    }
    split.left_out = copies;
}

/// The pairs of images in different parts or folds. None of them means that no two look-alikes are apart.
#[must_use]
pub fn across<'a>(split: &Split, alike: &'a LookAlikes) -> Vec<&'a Pair> {
    let place = |image: u32| split.assignments.get(image as usize).copied();
    let apart = |pair: &&Pair| match (place(pair.a), place(pair.b)) {
        (Some(Assignment::LeftOut), _) | (_, Some(Assignment::LeftOut)) => false,
        (a, b) => a != b,
    };
    alike.pairs.iter().filter(apart).collect()
}
