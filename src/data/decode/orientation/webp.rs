//! The profiles of a WebP: chunks of their own.

use std::borrow::Cow;

use super::Profiles;

/// The first chunk of each kind.
pub(super) fn profiles(bytes: &[u8]) -> Profiles<'_> {
    let mut profiles = Profiles::default();
    let mut at = 12_usize;
    while let Some(head) = at.checked_add(8).and_then(|end| bytes.get(at..end)) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let Some(body) = (at + 8)
            .checked_add(length)
            .and_then(|end| bytes.get(at + 8..end))
        else {
            break;
        };
        match &head[..4] {
            b"EXIF" if profiles.exif.is_none() => profiles.exif_is(Cow::Borrowed(body)),
            b"XMP " if profiles.xmp.is_none() => profiles.xmp = Some(Cow::Borrowed(body)),
            _ => {}
        }
        // Chunks begin at even places.
        at += 8 + length + length % 2;
    }
    profiles
}
