//! One file's bytes to upright RGB pixels, whatever its name says.

use std::{
    fmt,
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
    metadata::Orientation,
};

use super::{jpeg, sniff};

/// The largest image that is decoded, in pixels: about twice what today's cameras make.
pub const MAX_PIXELS: u64 = 200_000_000;

/// What a decoder may allocate, in bytes: it decides before allocating, from the size in the header.
const MAX_ALLOC: u64 = 1 << 30;

/// Why a file cannot be used, in words a person understands: "empty file", "a Git LFS pointer, …", "cut off: …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(String);

impl Unusable {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// Decodes JPEG, PNG, GIF, WebP, BMP or TIFF, known by its first bytes.
///
/// The EXIF orientation is applied, transparency lies over white, 16 bits are scaled to 8, CMYK is converted without a
/// colour profile, and an animation gives its first frame.
///
/// # Errors
/// When the bytes are no such image, are cut off or broken, or are larger than [`MAX_PIXELS`]. Never panics.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, Unusable> {
    // Decoders of other people's making read hostile files here: a panic in one is one bad file, not a lost run.
    catch_unwind(AssertUnwindSafe(|| decode_upright(bytes)))
        .unwrap_or_else(|_| Err(Unusable("broken: the decoder gave up on it".to_owned())))
}

fn decode_upright(bytes: &[u8]) -> Result<RgbImage, Unusable> {
    if let Some(what) = sniff::not_an_image(bytes) {
        return Err(Unusable(what));
    }
    let format = image::guess_format(bytes).map_err(|_| Unusable(sniff::unknown(bytes)))?;
    let (mut image, orientation) =
        decode_as(bytes, format).map_err(|e| Unusable(reason(format, e)))?;
    let again = |longer: &[u8]| Some(decode_as(longer, format).ok()?.0);
    if format == ImageFormat::Jpeg && !jpeg::is_complete(bytes, &image, again) {
        return Err(Unusable(CUT_OFF.to_owned()));
    }
    image.apply_orientation(orientation);
    Ok(over_white(image))
}

const CUT_OFF: &str = "cut off: the file ends before the image does";

fn decode_as(bytes: &[u8], format: ImageFormat) -> Result<(DynamicImage, Orientation), ImageError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_ALLOC {
        return Err(ImageError::Limits(image::error::LimitError::from_kind(
            image::error::LimitErrorKind::DimensionError,
        )));
    }
    // A broken EXIF block is common and says nothing about the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder)?;
    if image.width() == 0 || image.height() == 0 {
        return Err(ImageError::IoError(std::io::Error::other(
            "it has no pixels",
        )));
    }
    Ok((image, orientation))
}

/// Alpha composited over white, as a photograph on paper; then 8 bits a channel.
fn over_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let alpha = u32::from(from[3]);
        for channel in 0..3 {
            let mixed = u32::from(from[channel]) * alpha + 255 * (255 - alpha);
            to[channel] = ((mixed + 127) / 255) as u8;
        }
    }
    rgb
}

fn reason(format: ImageFormat, error: ImageError) -> String {
    let name = match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::Gif => "GIF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Avif => "AVIF",
        _ => "image",
    };
    match error {
        ImageError::Limits(_) => over_limit(),
        ImageError::Unsupported(e) => {
            format!(
                "a {name} of a kind that is not supported: {}",
                brief(&e.to_string())
            )
        }
        ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            CUT_OFF.to_owned()
        }
        e => {
            let text = e.to_string();
            let lower = text.to_ascii_lowercase();
            if [
                "unexpected end",
                "exhausted",
                "eof",
                "failed to fill",
                "not enough bytes",
            ]
            .iter()
            .any(|sign| lower.contains(sign))
            {
                return format!("{CUT_OFF} ({name})");
            }
            format!("a broken {name}: {}", brief(&text))
        }
    }
}

fn over_limit() -> String {
    format!(
        "over the size limit of {} megapixels",
        MAX_PIXELS / 1_000_000
    )
}

/// The first line of a decoder's message, not too long.
fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(120).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, Rgba, RgbaImage, codecs::jpeg::JpegEncoder};

    use super::*;

    fn photo(quality: u8) -> Vec<u8> {
        let image = RgbImage::from_fn(64, 48, |x, y| {
            image::Rgb([(x * 4) as u8, (y * 5) as u8, (x * y % 251) as u8])
        });
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality)
            .encode(&image, 64, 48, ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    #[test]
    fn a_cut_jpeg_is_refused_and_a_missing_end_marker_is_not() {
        let whole = photo(90);
        assert!(decode(&whole).is_ok());
        assert!(decode(&whole[..whole.len() - 2]).is_ok());
        for share in [5, 20, 50, 80, 90] {
            let mut cut = whole[..whole.len() * share / 100].to_vec();
            assert!(decode(&cut).is_err(), "{share} % without end marker");
            cut.extend([0xff, 0xd9]);
            assert!(decode(&cut).is_err(), "{share} % with an end marker");
        }
        let trailing = [whole.as_slice(), &[0x55; 3000]].concat();
        assert_eq!(decode(&trailing), decode(&whole));
    }

    #[test]
    fn reasons_are_in_plain_words() {
        let why = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
        assert_eq!(why(b""), "empty file");
        assert!(why(b"version https://git-lfs.github.com/spec/v1\n").contains("Git LFS"));
        assert!(why(b"<!DOCTYPE html><html>").contains("HTML page"));
        assert!(why(b"hello there").contains("not an image: starts with `hello there`"));
    }

    #[test]
    fn transparency_lies_over_white() {
        let image = RgbaImage::from_pixel(1, 1, Rgba([255, 0, 0, 127]));
        let mut png = Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).unwrap();
        assert_eq!(
            decode(png.get_ref()).unwrap().get_pixel(0, 0).0,
            [255, 128, 128]
        );
    }
}
