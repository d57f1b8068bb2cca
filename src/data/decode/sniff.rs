//! What a file that is no image most likely is.

use image::ImageFormat;

use super::orientation::tiff_tag;
use crate::record::{Foreign, Unusable};

/// The first bytes of things that are found under the names of photographs.
const KNOWN: [(&[u8], Foreign); 14] = [
    (b"version https://git-lfs", Foreign::GitLfsPointer),
    (b"\0\x05\x16\x07", Foreign::AppleDouble),
    (b"%PDF", Foreign::Pdf),
    (b"PK\x03\x04", Foreign::Zip),
    (b"\x1f\x8b", Foreign::Gzip),
    (b"Rar!", Foreign::Rar),
    (b"8BPS", Foreign::Photoshop),
    (b"\x7fELF", Foreign::Program),
    (b"\xff\x0a", Foreign::JpegXl),
    (b"\0\0\0\x0cJXL ", Foreign::JpegXl),
    (b"\0\0\0\x0cjP  ", Foreign::Jpeg2000),
    (b"\xff\x4f\xff\x51", Foreign::Jpeg2000),
    (b"{", Foreign::Json),
    (b"\xef\xbb\xbf", Foreign::Text),
];

/// What these bytes are, if it is known and no image that can be decoded.
pub(super) fn not_an_image(bytes: &[u8]) -> Option<Unusable> {
    if bytes.is_empty() {
        return Some(Unusable::Empty);
    }
    if let Some((_, what)) = KNOWN.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(Unusable::Is(*what));
    }
    if is_camera_raw(bytes) {
        return Some(Unusable::Is(Foreign::CameraRaw));
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(match bytes.get(8..11) {
            Some(b"hei" | b"hev" | b"mif" | b"msf") => Unusable::Is(Foreign::Heic),
            Some(b"avi") => Unusable::Is(Foreign::Avif),
            _ => {
                let brand = bytes.get(8..12).unwrap_or_default().escape_ascii();
                Unusable::Media(brand.to_string())
            }
        });
    }
    let head = &bytes[..bytes.len().min(512)];
    if head.iter().all(|byte| *byte == 0) {
        return Some(Unusable::Zeros);
    }
    let text = String::from_utf8_lossy(head.trim_ascii_start()).to_ascii_lowercase();
    let is = |what| Some(Unusable::Is(what));
    if text.starts_with("<!doctype html") || text.starts_with("<html") || text.contains("<head") {
        return is(Foreign::Html);
    }
    if text.starts_with("<svg") || text.contains("<svg") {
        return is(Foreign::Svg);
    }
    text.starts_with("<?xml")
        .then_some(Unusable::Is(Foreign::Xml))
}

/// How raw files begin that are no TIFF: those of Fujifilm, Olympus and Panasonic, and Canon's newer ones.
const RAW: [&[u8]; 6] = [
    b"FUJIFILMCCD-RAW",
    b"IIRO\x08",
    b"IIRS\x08",
    b"MMOR\0",
    b"IIU\0",
    b"\0\0\0\x18ftypcrx ",
];

/// Whether a file is what a camera's sensor saw. Most of them are TIFFs whose first picture is a small preview: decoded as a TIFF, it
/// would be taken for the photograph.
fn is_camera_raw(bytes: &[u8]) -> bool {
    if RAW.iter().any(|start| bytes.starts_with(start)) {
        return true;
    }
    if format(bytes) != Some(ImageFormat::Tiff) {
        return false;
    }
    let tag = |tag: u16| tiff_tag(bytes, tag).map(|(number, _)| number);
    // A version of DNG; a photometric interpretation of sensors; a smaller copy of what a directory below it holds.
    bytes.get(8..10) == Some(b"CR")
        || tag(50706).is_some()
        || matches!(tag(262), Some(32803 | 34892))
        || tag(254).is_some_and(|kind| kind & 1 == 1) && tag(330).is_some()
}

/// The format by the first bytes.
pub(super) fn format(bytes: &[u8]) -> Option<ImageFormat> {
    // BigTIFF, for files of more than 4 GiB and for programs that write nothing else.
    if bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+") {
        return Some(ImageFormat::Tiff);
    }
    image::guess_format(bytes).ok()
}

/// What nobody knows.
pub(super) fn unknown(bytes: &[u8]) -> Unusable {
    let start = bytes[..bytes.len().min(12)].escape_ascii();
    Unusable::Unknown(start.to_string())
}
