//! Whether what a checkpoint says about itself makes sense: every field, when it is read.

use std::collections::HashSet;

use crate::{
    error::{Error, Result},
    record::CheckpointInfo,
    settings::{Resize, Side},
    text,
};

/// Pixels of an input, and of the photograph it is cut from. At 4096 x 4096 a batch of one already takes gigabytes.
const PIXELS: u64 = 2048 * 2048;
const UNCUT: u32 = 4096;
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
    let transform = &info.transform;
    let resize = transform.pixels.resize;
    let (width, height) = (resize.width(), resize.height());
    let uncut = match resize {
        Resize::ShortSide { short_side, .. } => short_side.get(),
        Resize::Sides { .. } => 1,
    };
    let beyond = uncut > UNCUT || width.max(height) > Side::LONGEST;
    if beyond || u64::from(width) * u64::from(height) > PIXELS {
        return Err(odd(
            "transform.pixels.resize",
            &format!("is {width} x {height} pixels, and at most {PIXELS} in all are read"),
        ));
    }
    if let Some(side) = transform.center_crop
        && (side == 0 || side > width.min(height))
    {
        return Err(odd(
            "transform.center_crop",
            &format!("is {side}, of {width} x {height} pixels"),
        ));
    }
    if let Some(side) = transform.test_resolution
        && (side == 0 || u64::from(side) * u64::from(side) > PIXELS)
    {
        return Err(odd(
            "transform.test_resolution",
            &format!("is {side} pixels"),
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
