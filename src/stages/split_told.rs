//! What a split tells of look-alikes.

use crate::{
    data::across,
    error::{Error, Result},
    record::{Assignment, LookAlikes, Split},
    text::{count, either, first_lines},
};

/// Lines that are shown of a longer list.
const SHOWN: usize = 20;

/// Who is left out, in words.
pub(super) fn left_out(split: &Split, paths: &[&str]) -> Option<String> {
    let n = split.left_out.len();
    if n == 0 {
        return None;
    }
    let path = |image: u32| paths.get(image as usize).copied().unwrap_or_default();
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
pub(super) fn refuse_leaks(split: &Split, alike: &LookAlikes, paths: &[&str]) -> Result<()> {
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
            paths.get(image as usize).copied().unwrap_or_default()
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
