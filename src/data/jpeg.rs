//! Whether a JPEG holds all of its pixels.
//!
//! Decoders are lenient: where the compressed data ends too early they fill the rest with grey, or with what zero bits decode
//! to, and say nothing. A model would then learn that. A file is complete if its end marker (EOI) is there and its last row
//! does not repeat itself as filling does; otherwise it is decoded once more with other data after its own: a complete
//! image takes no notice of them, a cut one changes.

use image::DynamicImage;

/// Pixels after which filling repeats itself: the widest block of samples that is coded together.
const PERIOD: usize = 32;
/// Pixels at the right edge that may differ, since smoothing of colour has no neighbour there.
const EDGE: usize = 8;

/// Whether `image`, decoded from `bytes`, used up no more data than there are. `again` decodes other bytes the same way.
pub(super) fn is_complete(
    bytes: &[u8],
    image: &DynamicImage,
    again: impl Fn(&[u8]) -> Option<DynamicImage>,
) -> bool {
    let end = end_of_image(bytes);
    if end.is_some() && !may_be_filled(image) {
        return true;
    }
    if end.is_none() && bytes.last() == Some(&0xff) {
        // Half a marker: whatever wrote this did not finish.
        return false;
    }
    let mut longer = bytes[..end.unwrap_or(bytes.len())].to_vec();
    longer.extend(other_data());
    longer.extend([0xff, 0xd9]);
    again(&longer).is_some_and(|changed| changed.as_bytes() == image.as_bytes())
}

/// The offset of the end marker, found by walking segments and compressed data; a thumbnail's inside a segment is not it.
fn end_of_image(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match *bytes.get(at + 1)? {
            0xd9 => return Some(at),
            // A fill byte: the next one may start a marker.
            0xff => at += 1,
            // A stuffed byte of compressed data, and markers without a length.
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let length = u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]);
                at += 2 + usize::from(length.max(2));
            }
        }
    }
}

/// Whether the end of the last row repeats itself; narrow images are not worth the look.
fn may_be_filled(image: &DynamicImage) -> bool {
    let pixel = usize::from(image.color().bytes_per_pixel());
    let (bytes, width) = (image.as_bytes(), image.width() as usize);
    if width < 2 * PERIOD + EDGE {
        return true;
    }
    let end = bytes.len() - EDGE * pixel;
    let last = &bytes[end - PERIOD * pixel..end];
    last == &bytes[end - 2 * PERIOD * pixel..end - PERIOD * pixel]
}

/// Bytes without markers that decode to noise.
fn other_data() -> impl Iterator<Item = u8> {
    (0..8192_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_marker_is_the_images_own() {
        let with_thumbnail = [
            0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 5, 0xff, 0, 0xff, 0xd0, 6,
            0xff, 0xd9, 1,
        ];
        assert_eq!(end_of_image(&with_thumbnail), Some(18));
        assert_eq!(end_of_image(&with_thumbnail[..18]), None);
        assert_eq!(end_of_image(b""), None);
    }
}
