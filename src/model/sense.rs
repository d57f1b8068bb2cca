//! Whether what a checkpoint says about itself makes sense: every field, when it is read.

use std::collections::HashSet;

use crate::{
    error::{Error, Result},
    record::CheckpointInfo,
    settings::Resize,
    text,
};

/// Bytes of the name of a class.
const NAME: usize = 4096;
/// What normalisation may shift by, in units of a pixel's range, and what it may divide by.
const MEAN: f64 = 1e3;
const STD: std::ops::RangeInclusive<f64> = 1e-9..=1e6;
/// Batches that a BatchNorm may have seen: beyond them a float cannot count.
pub(super) const BATCHES: i64 = 1 << 53;

/// # Errors
/// Naming the field that makes no sense.
pub(super) fn check(info: &CheckpointInfo) -> Result<()> {
    if info.format != 1 {
        return Err(odd(
            "format",
            &format!("is {}, and this kfood reads 1", info.format),
        ));
    }
    let mut seen = HashSet::new();
    for class in &info.classes {
        if class.is_empty() || class.len() > NAME {
            return Err(odd(
                "classes",
                &format!("names a class `{}`", text::shown(class)),
            ));
        }
        if !seen.insert(class) {
            return Err(odd(
                "classes",
                &format!("names `{}` twice", text::shown(class)),
            ));
        }
    }
    // That a row is none too large is held where `Resize` is read.
    let transform = &info.transform;
    let resize = transform.pixels.resize;
    let (width, height) = (resize.width(), resize.height());
    let (mut shown_width, mut shown_height) = (width, height);
    if let Some(side) = transform.center_crop {
        if side == 0 || side > width.min(height) {
            return Err(odd(
                "transform.center_crop",
                &format!("is {side}, of {width} x {height} pixels"),
            ));
        }
        (shown_width, shown_height) = (side, side);
    }
    if let Some(side) = transform.test_resolution
        && (side == 0 || Resize::is_beyond(shown_width, shown_height, Some(side)))
    {
        return Err(odd(
            "transform.test_resolution",
            &format!("is {side}, of {shown_width} x {shown_height} pixels"),
        ));
    }
    for (mean, std) in transform
        .normalize
        .mean
        .iter()
        .zip(&transform.normalize.std)
    {
        if mean.is_nan() || mean.abs() > MEAN {
            return Err(odd("transform.normalize.mean", &format!("is {mean}")));
        }
        if !STD.contains(std) {
            return Err(odd(
                "transform.normalize.std",
                &format!("is {std}, which divides"),
            ));
        }
    }
    Ok(())
}

fn odd(field: &str, what: &str) -> Error {
    Error::failed(format!(
        "what it says about itself makes no sense: `{field}` {what}"
    ))
    .help("use the file that kfood wrote")
}
