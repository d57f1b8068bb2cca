//! Whether a JPEG holds all of its pixels.
//!
//! Decoders are lenient: where the compressed data end too early they fill the rest with grey, or with what zero bits decode
//! to. A model would then learn that. Whoever has a doubt decodes the picture once more with other data after its own: a
//! complete one takes no notice of them, a cut one changes, from the row on where its data end.

use std::collections::BTreeMap;

/// Whether the file ends within a marker, or, where it is progressive, before all of its scans; whatever wrote it did not finish. One
/// that says itself that it ends there is taken as it is.
pub(super) fn ends_early(bytes: &[u8], progressive: bool) -> bool {
    let unfinished = bytes.last() == Some(&0xff) || (progressive && !has_all_scans(bytes));
    unfinished && end_of_image(bytes).is_none()
}

/// Whether every bit of every coefficient is in one of the scans.
fn has_all_scans(bytes: &[u8]) -> bool {
    // By component, of each coefficient the bits that are still to come.
    let mut to_come: BTreeMap<u8, [u8; 64]> = BTreeMap::new();
    for (_, marker, body) in (Marks { bytes, at: 2 }) {
        match (marker, body) {
            (0xc2 | 0xc6 | 0xca | 0xce, [_, _, _, _, _, _, components @ ..]) => {
                to_come.extend(components.chunks_exact(3).map(|of| (of[0], [u8::MAX; 64])));
            }
            (0xda, [count, rest @ ..]) => {
                let Some((components, [first, last, bits, ..])) =
                    rest.split_at_checked(2 * usize::from(*count))
                else {
                    continue;
                };
                for component in components.chunks_exact(2) {
                    if let Some(known) = to_come.get_mut(&component[0]) {
                        let band = usize::from(*first).min(64)..usize::from(*last).min(63) + 1;
                        known
                            .iter_mut()
                            .take(band.end)
                            .skip(band.start)
                            .for_each(|known| *known = bits & 15);
                    }
                }
            }
            _ => {}
        }
    }
    to_come.values().flatten().all(|bits| *bits == 0)
}

/// The bytes with other data where the image's own end.
pub(super) fn lengthened(bytes: &[u8]) -> Vec<u8> {
    let end = end_of_image(bytes).unwrap_or(bytes.len());
    let mut longer = Vec::with_capacity(end + OTHER + 2);
    longer.extend_from_slice(&bytes[..end]);
    longer.extend(other_data());
    longer.extend([0xff, 0xd9]);
    longer
}

/// The share of rows before the first that differs, from 0 to 1; none where all are equal.
///
/// For a progressive JPEG it is the share of rows that its last, unfinished scan covers.
pub(super) fn share_alike(one: &[u8], other: &[u8], row_bytes: usize) -> Option<f64> {
    if one.len() != other.len() {
        return Some(0.0);
    }
    let rows = one.len() / row_bytes.max(1);
    let mut pairs = one
        .chunks(row_bytes.max(1))
        .zip(other.chunks(row_bytes.max(1)));
    let first = pairs.position(|(one, other)| one != other)?;
    Some(first as f64 / rows as f64)
}

/// Whether the picture needs no second look: its end marker (EOI) is there, and its last row does not repeat itself as filling
/// does. For decoders that give no warning.
pub(super) fn surely_complete(bytes: &[u8], rgb: &[u8], width: usize) -> bool {
    end_of_image(bytes).is_some() && !may_be_filled(rgb, width)
}

/// Whether its end marker (EOI) is there.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    end_of_image(bytes).is_some()
}

/// The offset of the end marker; a thumbnail's inside a segment is not it.
fn end_of_image(bytes: &[u8]) -> Option<usize> {
    let mut marks = Marks { bytes, at: 2 };
    marks.find_map(|(at, marker, _)| (marker == 0xd9).then_some(at))
}

/// Offsets, markers and what their segments hold, as far as it is there, past compressed data and to the end.
struct Marks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Marks<'a> {
    type Item = (usize, u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.bytes;
        loop {
            let mut left = bytes.get(self.at..)?.iter();
            let at = self.at + left.position(|byte| *byte == 0xff)?;
            let marker = *bytes.get(at + 1)?;
            match marker {
                // A fill byte: the next one may start a marker.
                0xff => self.at = at + 1,
                // A stuffed byte of compressed data, and markers without a length.
                0x00 | 0x01 | 0xd0..=0xd8 => self.at = at + 2,
                0xd9 => {
                    self.at = at + 2;
                    return Some((at, marker, &[]));
                }
                _ => {
                    let length = [*bytes.get(at + 2)?, *bytes.get(at + 3)?];
                    self.at = at + 2 + usize::from(u16::from_be_bytes(length).max(2));
                    return Some((
                        at,
                        marker,
                        &bytes[at + 4..self.at.clamp(at + 4, bytes.len())],
                    ));
                }
            }
        }
    }
}

/// Pixels after which filling repeats itself: the widest block of samples that is coded together.
const PERIOD: usize = 32;
/// Pixels at the right edge that may differ, since smoothing of colour has no neighbour there.
const EDGE: usize = 8;

/// Whether the end of the last row repeats itself; narrow images are not worth the look.
fn may_be_filled(rgb: &[u8], width: usize) -> bool {
    if width < 2 * PERIOD + EDGE || rgb.len() < 3 * width {
        return true;
    }
    let end = rgb.len() - EDGE * 3;
    let last = &rgb[end - PERIOD * 3..end];
    last == &rgb[end - 2 * PERIOD * 3..end - PERIOD * 3]
}

const OTHER: usize = 8192;

/// Bytes without markers that decode to noise.
fn other_data() -> impl Iterator<Item = u8> {
    (0..OTHER as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f)
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

    #[test]
    fn the_share_ends_at_the_first_row_that_differs() {
        let mut other = vec![7; 40];
        assert_eq!(share_alike(&[7; 40], &other, 4), None);
        other[25] = 8;
        assert_eq!(share_alike(&[7; 40], &other, 4), Some(0.6));
    }
}
