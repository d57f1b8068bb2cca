//! Splits that leave a part without images.

use crate::{
    error::{Error, Result},
    record::{Part, Split},
    settings::GroupBy,
};

/// A fold or a side without an image.
pub(super) fn refuse_empty(split: &Split, train: usize, wants_validation: bool) -> Result<()> {
    if let Some(k) = split.folds {
        let empty = (0..k).any(|fold| split.members(Part::Validation, Some(fold)).is_empty());
        if empty {
            return Err(Error::usage(format!(
                "`folds = {k}` of {train} images leaves folds without an image"
            ))
            .help("take fewer folds, or more images or groups"));
        }
        return Ok(());
    }
    if split.members(Part::Train, None).is_empty() {
        let message = format!("of {train} images none is left to train on");
        return Err(Error::usage(message).help("hold out less, or give the data set more images"));
    }
    let placed_by_groups = split.members(Part::Validation, None).is_empty();
    if wants_validation && placed_by_groups && train > 1 && !split.left_out.is_empty() {
        let message = format!(
            "of {train} images none is left for validation: {} are left out",
            split.left_out.len()
        );
        return Err(Error::usage(message).help("set `leaks = \"report\"`, or repair the data set"));
    }
    Ok(())
}

/// Groups that are too few or too large to hold one out, where a validation part is asked for.
pub(super) fn refuse_no_validation(split: &Split, train: usize, by: GroupBy) -> Result<()> {
    let none = split.folds.is_none() && split.members(Part::Validation, None).is_empty();
    if !none || train < 2 {
        return Ok(());
    }
    let by = match by {
        GroupBy::Group => "group",
        GroupBy::Source => "source",
    };
    let message = format!(
        "`group_by = \"{by}\"` leaves none of {train} images for validation: no group can be held out that leaves every class something to train on"
    );
    Err(Error::usage(message).help(
        "give the data set more and smaller groups or a validation part of its own, `validation` a larger share, or leave `group_by` out",
    ))
}
