//! What a split tells of look-alikes.

use crate::{
    data::across,
    error::{Error, Result},
    record::{Assignment, LookAlikes, Split},
};

/// Lines that are shown of a longer list.
const SHOWN: usize = 20;

/// Who is left out, in words.
pub(super) fn left_out(split: &Split, paths: &[&str]) -> Option<String> {
    let n = split.left_out.len();
    if n == 0 {
        return None;
    }
    let (images, look) = if n == 1 {
        ("image", "looks")
    } else {
        ("images", "look")
    };
    let mut text = format!(
        "{n} {images} of the training part {look} like given test or validation images and {} left out:",
        if n == 1 { "is" } else { "are" }
    );
    for left in split.left_out.iter().take(SHOWN) {
        let path = |image: u32| paths.get(image as usize).copied().unwrap_or_default();
        text += &format!("\n  `{}` (like `{}`)", path(left.image), path(left.like));
    }
    if n > SHOWN {
        text += &format!("\n  … and {} more", n - SHOWN);
    }
    Some(text)
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
    let n = pairs.len();
    let mut text = format!(
        "{n} {} of look-alikes across parts:",
        if n == 1 { "pair" } else { "pairs" }
    );
    for pair in pairs.iter().take(SHOWN) {
        text += &format!("\n  {} and {}", named(pair.a), named(pair.b));
    }
    if n > SHOWN {
        text += &format!("\n  … and {} more", n - SHOWN);
    }
    Err(Error::failed(text).help(
        "set `leaks = \"group\"`, which keeps them together and leaves copies of test images out",
    ))
}
