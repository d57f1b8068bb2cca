//! Whether what a checkpoint says about itself makes sense, and whether its values can be computed with: when it is read.

use std::collections::HashSet;

use super::{StateDict, layout::Role, layout::Slot};
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

/// Of a network that diverged the weights are no numbers: whatever is made of it answers nonsense without a word.
///
/// # Errors
/// Naming the first tensor with values that are no numbers, or with a variance below 0.
pub(super) fn values(state: &StateDict, slots: &[Slot]) -> Result<()> {
    for slot in slots.iter().filter(|slot| slot.role != Role::NormCount) {
        let Some(tensor) = state.get(&slot.name) else {
            continue;
        };
        let values = tensor.to_f32();
        let (is_odd, what): (fn(&f32) -> bool, _) = match slot.role {
            Role::NormVar if values.iter().any(|v| *v < 0.0) => {
                (|v| *v < 0.0, "below 0, and it is a variance")
            }
            _ => (|v| v.is_nan(), "no number (NaN)"),
        };
        let n = values.iter().filter(|v| is_odd(v)).count();
        if n > 0 {
            let are = text::either(n, "is", "are");
            return Err(Error::failed(format!(
                "of the values of `{}` {} of {} {are} {what}",
                slot.name,
                text::number(n as u64),
                text::number(values.len() as u64)
            ))
            .help(
                "use another checkpoint: the training that wrote this one most likely diverged",
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
