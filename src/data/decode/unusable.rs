//! Why a file cannot be used, from what its decoder says.

use std::io::ErrorKind;

use image::{ImageError, ImageFormat};

use super::bounds::MAX_PIXELS;
use crate::record::{Fault, Unusable};

/// Larger than [`MAX_PIXELS`], by the header.
pub(super) fn too_large() -> Unusable {
    Unusable::OverMegapixels(MAX_PIXELS / 1_000_000)
}

/// A JPEG whose data end early; `share` of its rows, from 0 to 1, do not depend on what is missing.
pub(super) fn cut_off(share: f64) -> Unusable {
    // Rounded down: what is cut off is never "100%" there.
    Unusable::CutOffAfter((share * 100.0).clamp(0.0, 99.0) as u8)
}

/// From a decoder's message.
pub(super) fn by_decoder(format: ImageFormat, error: &ImageError) -> Unusable {
    let name = format_name(format).to_owned();
    let text = error.to_string();
    match error {
        ImageError::Limits(_) => too_large(),
        ImageError::Unsupported(_) if name == OTHER => Unusable::Format(short_name(format)),
        ImageError::Unsupported(_) => Unusable::Unsupported(name, unsupported(&text)),
        ImageError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => Unusable::CutOff(None),
        _ if ends_early(&text) => Unusable::CutOff(Some(name)),
        _ => Unusable::Broken(name, fault(&text)),
    }
}

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
        ImageFormat::Pnm => "PNM",
        _ => OTHER,
    }
}

/// What a format is called that is not decoded at all.
const OTHER: &str = "image";

/// The short name of a format that is known by its first bytes and not decoded, such as `ICO`.
fn short_name(format: ImageFormat) -> String {
    format
        .extensions_str()
        .first()
        .unwrap_or(&OTHER)
        .to_uppercase()
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

/// What a decoder says of a broken file; where it is none of the known ones, what stands behind the names of its own modules.
fn fault(text: &str) -> Fault {
    const KNOWN: [(&str, Fault); 7] = [
        ("too large", Fault::Size),
        ("crc", Fault::Checksum),
        ("chunktype", Fault::Chunk),
        ("set to zero", Fault::ZeroSide),
        ("quantization table", Fault::QuantizationTable),
        ("huffman", Fault::HuffmanCodes),
        ("inconsistent sizes", Fault::Sizes),
    ];
    let lower = text.to_lowercase();
    if let Some((_, known)) = KNOWN.iter().find(|(sign, _)| lower.contains(sign)) {
        return known.clone();
    }
    let said = text.rsplit_once(" decoding ").map_or(text, |(_, rest)| {
        rest.split_once(": ").map_or(rest, |(_, rest)| rest)
    });
    Fault::Decoder(brief(said))
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
        by_decoder(ImageFormat::Png, &error).to_string()
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
