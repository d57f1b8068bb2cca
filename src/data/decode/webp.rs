//! The pixels of a still WebP through libwebp; headers, notes, animations and reasons are left to the image crate.

use image::{ColorType, DynamicImage, RgbImage, RgbaImage};

use crate::native;

/// The decoder of WebPs, for people.
pub const WEBP_DECODER: &str = "libwebp";

/// The picture of that size in pixels, with its transparency where `color` has it. None where libwebp refuses the file: an animation, one that
/// is cut off or broken, or one that it is stricter about; whoever asks then takes the other decoder, and its reason.
pub(super) fn decode(bytes: &[u8], size: (u32, u32), color: ColorType) -> Option<DynamicImage> {
    let (width, height) = size;
    let alpha = color.has_alpha();
    let holds = |name: &[u8]| chunks(bytes).any(|(kind, _)| kind == name);
    if alpha && holds(b"VP8 ") && !holds(b"ALPH") {
        return None; // Broken: libwebp would take it for opaque.
    }
    let length = width as usize * height as usize * if alpha { 4 } else { 3 };
    let mut pixels = vec![0; length];
    if !native::decode_webp(bytes, size, alpha, &mut pixels) {
        return None;
    }
    match alpha {
        true => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
        false => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
    }
}

/// Names and bodies of what the container holds, up to a chunk that is cut off.
pub(super) fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 12_usize;
    std::iter::from_fn(move || {
        let body = at.checked_add(8)?;
        let head = bytes.get(at..body)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let end = body.checked_add(length)?;
        // Chunks begin at even places.
        at = end.checked_add(length % 2)?;
        Some((&head[..4], bytes.get(body..end)?))
    })
}
