//! What a file that is no image most likely is, in words a person understands.

use image::ImageFormat;

/// The first bytes of things that are found under the names of photographs.
const KNOWN: [(&[u8], &str); 14] = [
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the image itself (`git lfs pull` fetches it)",
    ),
    (
        b"\0\x05\x16\x07",
        "a macOS side file (AppleDouble), not an image",
    ),
    (b"%PDF", "a PDF document, not an image"),
    (b"PK\x03\x04", "a zip archive, not an image"),
    (b"\x1f\x8b", "a gzip archive, not an image"),
    (b"Rar!", "a RAR archive, not an image"),
    (b"8BPS", "a Photoshop document, not supported"),
    (b"\x7fELF", "a program, not an image"),
    (b"\xff\x0a", "a JPEG XL image, not supported"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image, not supported"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image, not supported"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image, not supported"),
    (b"{", "JSON text, not an image"),
    (b"\xef\xbb\xbf", "text, not an image"),
];

/// The name of what these bytes are, if it is known and no image that can be decoded.
pub(super) fn not_an_image(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return Some("empty file".to_owned());
    }
    if let Some((_, what)) = KNOWN.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some((*what).to_owned());
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        let brand = bytes.get(8..12).unwrap_or_default().escape_ascii();
        return Some(match bytes.get(8..11) {
            Some(b"hei" | b"hev" | b"mif" | b"msf") => {
                "a HEIC image, not supported; convert it to JPEG".to_owned()
            }
            Some(b"avi") => "an AVIF image, not supported; convert it to JPEG".to_owned(),
            _ => format!("a video or another media file (`{brand}`), not an image"),
        });
    }
    let head = &bytes[..bytes.len().min(512)];
    if head.iter().all(|byte| *byte == 0) {
        return Some("nothing but zero bytes at its start".to_owned());
    }
    let text = String::from_utf8_lossy(head.trim_ascii_start()).to_ascii_lowercase();
    if text.starts_with("<!doctype html") || text.starts_with("<html") || text.contains("<head") {
        return Some("an HTML page, not an image".to_owned());
    }
    if text.starts_with("<svg") || text.contains("<svg") {
        return Some("an SVG drawing, not supported".to_owned());
    }
    text.starts_with("<?xml")
        .then(|| "XML text, not an image".to_owned())
}

/// The format by the first bytes.
pub(super) fn format(bytes: &[u8]) -> Option<ImageFormat> {
    // BigTIFF, for files of more than 4 GiB and for programs that write nothing else.
    if bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+") {
        return Some(ImageFormat::Tiff);
    }
    image::guess_format(bytes).ok()
}

/// "not an image: starts with `…`", for what nobody knows.
pub(super) fn unknown(bytes: &[u8]) -> String {
    let start = bytes[..bytes.len().min(12)].escape_ascii();
    format!("not an image: starts with `{start}`")
}
