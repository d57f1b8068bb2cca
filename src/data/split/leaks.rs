//! Look-alikes and the parts.

use super::Groups;
use crate::record::{Assignment, Labels, LeftOut, LookAlikes, Pair, Part, Split};

/// Joins look-alikes of the training part, but for those that [`leave_out`] will leave out.
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

/// Leaves out every image of training and validation that looks like one of the test part; where the validation part is the
/// data set's own (`fixed`), also every image of training that looks like one of it.
pub fn leave_out(split: &mut Split, alike: &LookAlikes, fixed: bool) {
    let assignments = split.assignments.clone();
    let is = |wanted| {
        let assignments = &assignments;
        move |image: usize| assignments.get(image) == Some(&wanted)
    };
    let test = alike.nearest(is(Assignment::Test));
    let validation = fixed.then(|| alike.nearest(is(Assignment::Validation)));
    for (image, assignment) in split.assignments.iter_mut().enumerate() {
        let of = |found: &[Option<(u32, _)>]| found.get(image).copied().flatten();
        let like = match assignment {
            Assignment::Test | Assignment::LeftOut => None,
            Assignment::Train => of(&test).or_else(|| of(validation.as_deref()?)),
            Assignment::Validation | Assignment::Fold(_) => of(&test),
        };
        if let Some((like, likeness)) = like {
            *assignment = Assignment::LeftOut;
            split.left_out.push(LeftOut {
                image: image as u32,
                like,
                likeness,
            });
        }
    }
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
