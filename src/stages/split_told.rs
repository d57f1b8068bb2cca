//! What a split tells of look-alikes.

use crate::{
    data::across,
    error::{Error, Result},
    record::{Assignment, Labels, LookAlikes, Part, PathList, Split},
    text::{count, either, first_lines},
};

/// Lines that are shown of a longer list.
const SHOWN: usize = 20;

/// Who is left out, in words.
pub(super) fn left_out(split: &Split, paths: &PathList) -> Option<String> {
    let n = split.left_out.len();
    if n == 0 {
        return None;
    }
    let path = |image: u32| paths.find(image as usize).unwrap_or_default();
    let pairs = split.left_out.iter();
    let pairs = pairs.map(|left| format!("`{}` (like `{}`)", path(left.image), path(left.like)));
    Some(format!(
        "{} of the training part {} like given test or validation images and {} left out:{}",
        count(n, "image"),
        either(n, "looks", "look"),
        either(n, "is", "are"),
        first_lines(pairs, SHOWN)
    ))
}

/// The error of `leaks = "fail"`.
pub(super) fn refuse_leaks(split: &Split, alike: &LookAlikes, paths: &PathList) -> Result<()> {
    let pairs = across(split, alike);
    if pairs.is_empty() {
        return Ok(());
    }
    let named = |image: u32| {
        let part = match split.assignments.get(image as usize) {
            Some(Assignment::Train) | None => "train".to_owned(),
            Some(Assignment::Validation) => "validation".to_owned(),
            Some(Assignment::Fold(k)) => format!("fold {k}"),
            Some(Assignment::Test) => "test".to_owned(),
            Some(Assignment::LeftOut) => "left out".to_owned(),
        };
        format!(
            "`{}` ({part})",
            paths.find(image as usize).unwrap_or_default()
        )
    };
    let lines = pairs.iter();
    let lines = lines.map(|pair| format!("{} and {}", named(pair.a), named(pair.b)));
    let text = format!(
        "{} of look-alikes across parts:{}",
        count(pairs.len(), "pair"),
        first_lines(lines, SHOWN)
    );
    Err(Error::failed(text).help(
        "set `leaks = \"group\"`, which keeps them together and leaves copies of test images out",
    ))
}

/// Classes of which copies of test images were all that there was to learn from.
pub(super) fn refuse_lost_classes(split: &Split, labels: &Labels, rest: &Labels) -> Result<()> {
    let mut learnt = vec![false; labels.classes.len()];
    let mut given = learnt.clone();
    let drawn = |i: usize| rest.labels[i].part == Part::Test;
    for (i, (label, assignment)) in labels.labels.iter().zip(&split.assignments).enumerate() {
        let class = label.class as usize;
        if label.part == Part::Train && class < learnt.len() {
            given[class] |= *assignment == Assignment::LeftOut || !drawn(i);
            learnt[class] |= matches!(assignment, Assignment::Train | Assignment::Fold(_));
        }
    }
    let lost: Vec<_> = (0..learnt.len())
        .filter(|c| given[*c] && !learnt[*c])
        .map(|c| format!("`{}`", labels.classes[c]))
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    let message = format!(
        "nothing is left to train on of {}, for what looks like a given test or validation image is left out",
        lost.join(", ")
    );
    Err(Error::usage(message).help("set `leaks = \"report\"`, or give these classes other images"))
}

/// Corrections of images that are drawn for test, where nobody asked for that. Those of a given test part are refused with the list.
pub(super) fn refuse_corrected_test(split: &Split, labels: &Labels) -> Result<()> {
    if labels.correct_test {
        return Ok(());
    }
    let relabelled = labels.corrected.iter().map(|corrected| corrected.image);
    let all = relabelled.chain(labels.left_out.iter().copied());
    let test = |image: &u32| split.assignments.get(*image as usize) == Some(&Assignment::Test);
    match all.filter(test).count() {
        0 => Ok(()),
        n => Err(Error::usage(format!(
            "{} of the list of corrections {} drawn for test",
            count(n, "image"),
            either(n, "is", "are")
        ))
        .help("set `correct_test = true` in the dataset, and results before and after are of two tests; or take these rows out")),
    }
}
