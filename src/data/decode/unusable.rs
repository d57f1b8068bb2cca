//! Why a file cannot be used, in words a person understands.

use std::{fmt, io::ErrorKind};

use image::{ImageError, ImageFormat};

use super::bounds::MAX_PIXELS;

/// Why a file cannot be used: "empty file", "a Git LFS pointer, …", "cut off after 61% of its rows".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(String);

impl Unusable {
    pub(in crate::data) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// Larger than [`MAX_PIXELS`], by the header.
    pub(super) fn too_large() -> Self {
        Self(format!(
            "over the size limit of {} megapixels",
            MAX_PIXELS / 1_000_000
        ))
    }

    /// A JPEG whose data end early; `share` of its rows, from 0 to 1, do not depend on what is missing.
    pub(super) fn cut_off(share: f64) -> Self {
        // Rounded down: what is cut off is never "100%" there.
        match (share * 100.0) as u32 {
            0 => Self("cut off before its first row of pixels".to_owned()),
            percent => Self(format!("cut off after {}% of its rows", percent.min(99))),
        }
    }

    /// A file that ends too early, whatever there is of it.
    pub(super) fn ends_early() -> Self {
        Self(CUT_OFF.to_owned())
    }

    /// From a decoder's message.
    pub(super) fn by_decoder(format: ImageFormat, error: &ImageError) -> Self {
        let name = format_name(format);
        let text = error.to_string();
        match error {
            ImageError::Limits(_) => Self::too_large(),
            ImageError::Unsupported(_) => Self(format!(
                "{} {name} of a kind that is not supported: {}; save it as PNG or JPEG",
                if name == "image" { "an" } else { "a" },
                unsupported(&text)
            )),
            ImageError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => Self::ends_early(),
            _ if ends_early(&text) => Self(format!("{CUT_OFF} ({name})")),
            _ => Self(format!("a broken {name}: {}", in_words(&text))),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

const CUT_OFF: &str = "cut off: the file ends before the image does";

/// The format as people write it.
pub(super) fn format_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::Gif => "GIF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Avif => "AVIF",
        _ => "image",
    }
}

fn ends_early(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    [
        "unexpected end",
        "exhausted",
        "eof",
        "failed to fill",
        "not enough bytes",
        "premature end",
    ]
    .iter()
    .any(|sign| lower.contains(sign))
}

/// What a decoder doesn't support, without its own name and the names of its modules.
fn unsupported(text: &str) -> String {
    if let Some((_, bits)) = text.split_once("color type `Unknown(")
        && let Some((bits, _)) = bits.split_once(')')
    {
        return format!("a pixel has {bits} bits");
    }
    let what = text.split_once("format features ");
    brief(what.map_or(text, |(_, what)| what))
}

/// What a decoder says of a broken file, as a person would say it; else what stands behind the names of its own modules.
fn in_words(text: &str) -> String {
    const KNOWN: [(&str, &str); 7] = [
        (
            "too large",
            "it says that it is larger than its decoder takes",
        ),
        ("CRC", "a checksum that does not fit its data"),
        ("ChunkType", "a chunk that nobody knows"),
        ("set to zero", "a width or height of 0"),
        ("quantization table", "a quantization table is missing"),
        ("huffman", "Huffman codes that are wrong"),
        ("inconsistent sizes", "sizes that contradict each other"),
    ];
    let known = KNOWN
        .iter()
        .find(|(sign, _)| text.to_lowercase().contains(&sign.to_lowercase()));
    match known {
        Some((_, words)) => (*words).to_owned(),
        None => brief(text.rsplit_once(" decoding ").map_or(text, |(_, rest)| {
            rest.split_once(": ").map_or(rest, |(_, rest)| rest)
        })),
    }
}

/// The first line of a decoder's message, not too long.
pub(super) fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(120).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use image::error::{DecodingError, ImageFormatHint};

    use super::*;

    fn said(text: &str) -> String {
        let hint = ImageFormatHint::Exact(ImageFormat::Png);
        let error = ImageError::Decoding(DecodingError::new(hint, text.to_owned()));
        Unusable::by_decoder(ImageFormat::Png, &error).to_string()
    }

    #[test]
    fn a_broken_file_is_told_without_the_names_of_a_decoder() {
        assert_eq!(
            said("ChunkType { type: x, critical: false }"),
            "a broken PNG: a chunk that nobody knows"
        );
        assert_eq!(said("a filter of 9"), "a broken PNG: a filter of 9");
        assert_eq!(
            said("Premature End of image"),
            "cut off: the file ends before the image does (PNG)"
        );
        assert_eq!(
            said("Image too large (one of (3000000, 2000000) > soft limit of 65535)"),
            "a broken PNG: it says that it is larger than its decoder takes"
        );
    }
}
