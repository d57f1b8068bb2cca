//! What a foreign picture may ask for: the one place that bounds pixels, memory and profiles, before any is taken.
//!
//! Frames need no bound: only the first is decoded, and whether there are more is read off the structure without decoding.

use super::unusable;
use crate::record::Unusable;

/// The largest image that is decoded, in pixels: about twice what today's cameras make. Taken from the header, before memory is.
pub const MAX_PIXELS: u64 = 200_000_000;

/// What a decoder may allocate, in bytes: it decides before allocating, from the size in the header.
pub(super) const MAX_ALLOC: u64 = 1 << 30;

/// What is looked at of a profile (EXIF, XMP), in bytes, and what a compressed one may unpack to. A JPEG's segment has 64 KiB.
pub(super) const MAX_PROFILE: usize = 1 << 20;

/// From so many pixels on it is asked first whether a JPEG can hold them.
const LARGE: u64 = 1 << 24;

/// More pixels do not fit into a byte: each block of 8 x 8 takes a bit at least, for its first coefficient.
const PIXELS_OF_A_BYTE: u64 = 8 * 64;

/// The sides of a picture, from its header.
///
/// # Errors
/// When there are no pixels, or too many.
pub(super) fn check_size(width: u32, height: u32) -> Result<(), Unusable> {
    match u64::from(width) * u64::from(height) {
        0 => Err(Unusable::NoPixels),
        pixels if pixels > MAX_PIXELS => Err(unusable::too_large()),
        _ => Ok(()),
    }
}

/// What a decoder says that it will allocate.
///
/// # Errors
/// When that is too much.
pub(super) fn check_memory(bytes: u64) -> Result<(), Unusable> {
    match bytes > MAX_ALLOC {
        true => Err(unusable::too_large()),
        false => Ok(()),
    }
}

/// A JPEG by its frame, whose sides may still be 0: `components` samples a pixel, all in memory where it is progressive.
///
/// # Errors
/// When it is too large, or its file too short for so many pixels.
pub(super) fn check_jpeg(
    (width, height): (u32, u32),
    components: u8,
    progressive: bool,
    file: usize,
) -> Result<(), Unusable> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(unusable::too_large());
    }
    if progressive {
        // Coefficients are 16 bits each.
        check_memory(pixels * u64::from(components) * 2)?;
    }
    // Nothing would come of it but grey, after seconds.
    if pixels > LARGE && pixels / PIXELS_OF_A_BYTE > file as u64 {
        return Err(Unusable::CutOff(None));
    }
    Ok(())
}
