//! The profiles of a WebP: chunks of their own.

use std::borrow::Cow;

use super::{super::webp::chunks, Profiles};

/// The first chunk of each kind.
pub(super) fn profiles(bytes: &[u8]) -> Profiles<'_> {
    let mut profiles = Profiles::default();
    for (kind, body) in chunks(bytes) {
        match kind {
            b"EXIF" if profiles.exif.is_none() => profiles.exif_is(Cow::Borrowed(body)),
            b"XMP " if profiles.xmp.is_none() => profiles.xmp = Some(Cow::Borrowed(body)),
            _ => {}
        }
    }
    profiles
}
