//! Two kinds of TIFF that the image crate refuses or takes wrongly: those with a palette, and those of floats.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageError, ImageFormat, RgbImage};
use tiff::{
    ColorType, TiffError,
    decoder::{Decoder, DecodingResult, Limits},
    tags::Tag,
};

use super::{
    bounds::{self, MAX_ALLOC},
    orientation::tiff_tag,
    unusable,
};
use crate::record::{Fault, Unusable};

const PHOTOMETRIC: u16 = 262;
const SAMPLE_FORMAT: u16 = 339;

/// A picture of one of these kinds, and what it is called.
pub(super) struct Special {
    pub(super) image: DynamicImage,
    pub(super) kind: &'static str,
}

/// Decodes a TIFF of one of these kinds; none where it is of another kind.
///
/// # Errors
/// When it is broken, too large, or its numbers don't say what is black and what is white.
pub(super) fn special(bytes: &[u8]) -> Option<Result<Special, Unusable>> {
    if tiff_tag(bytes, PHOTOMETRIC).is_some_and(|(number, _)| number == 3) {
        return Some(palette(bytes).map(|image| Special {
            image,
            kind: "palette",
        }));
    }
    if tiff_tag(bytes, SAMPLE_FORMAT).is_some_and(|(number, _)| number == 3) {
        return Some(floats(bytes).map(|image| Special {
            image,
            kind: "floats",
        }));
    }
    None
}

/// What to say of a TIFF whose colours nobody here can read, by its photometric interpretation.
pub(super) fn unread_colours(bytes: &[u8]) -> Option<Unusable> {
    let colours = match tiff_tag(bytes, PHOTOMETRIC)?.0 {
        6 => "YCbCr",
        8 => "CIELab",
        9 => "ICC Lab",
        10 => "ITU Lab",
        32844 | 32845 => "LogLuv",
        _ => return None,
    };
    Some(unsupported(&format!("its colours are stored as {colours}")))
}

/// Indices are read as grey values, which they are stored like, and looked up.
fn palette(bytes: &[u8]) -> Result<DynamicImage, Unusable> {
    let mut as_grey = bytes.to_vec();
    if let Some((_, place)) = tiff_tag(bytes, PHOTOMETRIC)
        && let Some(value) = as_grey.get_mut(place..place + 2)
    {
        // In either byte order: the other byte is 0, and 1 means that 0 is black.
        for byte in value {
            *byte = (*byte).min(1);
        }
    }
    let (mut decoder, width, height) = open(&as_grey)?;
    let bits = match decoder.colortype().map_err(broken)? {
        ColorType::Gray(bits @ (1 | 2 | 4 | 8)) => u32::from(bits),
        other => return Err(unsupported(&format!("a palette with {other:?}"))),
    };
    let map: Vec<u16> = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(broken)?;
    let colours = 1_usize << bits;
    if map.len() < 3 * colours {
        return Err(Unusable::Broken("TIFF".to_owned(), Fault::Palette));
    }
    // Values are 16 bits; some programs write 8.
    let shift = if map.iter().any(|value| *value > 255) {
        8
    } else {
        0
    };
    let DecodingResult::U8(packed) = decoder.read_image().map_err(broken)? else {
        return Err(unsupported("a palette with wide indices"));
    };
    let line = (width as usize * bits as usize).div_ceil(8);
    let mut image = RgbImage::new(width, height);
    for (row, packed) in image.rows_mut().zip(packed.chunks(line.max(1))) {
        for (x, pixel) in row.enumerate() {
            let first = x * bits as usize;
            let byte = packed.get(first / 8).copied().unwrap_or(0);
            let index = usize::from(byte) >> (8 - bits as usize - first % 8) & (colours - 1);
            pixel.0 = [0, 1, 2].map(|channel| (map[channel * colours + index] >> shift) as u8);
        }
    }
    Ok(DynamicImage::ImageRgb8(image))
}

/// From 0 to 1, as programs of photographs have them, or from 0 to 255, as Pillow takes them.
fn floats(bytes: &[u8]) -> Result<DynamicImage, Unusable> {
    let (mut decoder, width, height) = open(bytes)?;
    let colour = decoder.colortype().map_err(broken)?;
    let channels = match colour {
        ColorType::Gray(_) => 1,
        ColorType::RGB(_) => 3,
        other => return Err(unsupported(&format!("floats with {other:?}"))),
    };
    if channels > 1 && tiff_tag(bytes, 284).is_some_and(|(number, _)| number == 2) {
        return Err(unsupported("floats, each colour apart from the others"));
    }
    if tiff_tag(bytes, PHOTOMETRIC).is_some_and(|(number, _)| number == 0) {
        return Err(unsupported("floats of which 0 is white"));
    }
    let values: Vec<f32> = match decoder.read_image().map_err(broken)? {
        DecodingResult::F32(values) => values,
        DecodingResult::F16(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::F64(values) => values.into_iter().map(|value| value as f32).collect(),
        _ => return Err(unsupported("floats of an unknown length")),
    };
    let (least, most) = values.iter().fold(
        (f32::INFINITY, f32::NEG_INFINITY),
        |(least, most), value| (least.min(*value), most.max(*value)),
    );
    let scale = match values.iter().all(|value| value.is_finite()) && least >= 0.0 {
        true if most <= 1.0 => 255.0,
        // Between the two nobody knows: a bright spot of a photograph, or a dark one in the other scale.
        true if (16.0..=255.0).contains(&most) => 1.0,
        _ => {
            return Err(unsupported(&format!(
                "floats from {least} to {most}, which are neither from 0 to 1 nor from 0 to 255"
            )));
        }
    };
    let values: Vec<u8> = values
        .iter()
        .map(|value| (value * scale).round() as u8)
        .collect();
    let image = match channels {
        1 => GrayImage::from_raw(width, height, values).map(DynamicImage::ImageLuma8),
        _ => RgbImage::from_raw(width, height, values).map(DynamicImage::ImageRgb8),
    };
    image.ok_or(Unusable::FewerPixels)
}

type Opened<'a> = Decoder<Cursor<&'a [u8]>>;

/// With the sides, which are checked, and within the bounds of memory.
fn open(bytes: &[u8]) -> Result<(Opened<'_>, u32, u32), Unusable> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_ALLOC as usize;
    let decoder = Decoder::new(Cursor::new(bytes)).map_err(broken)?;
    let mut decoder = decoder.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(broken)?;
    bounds::check_size(width, height)?;
    Ok((decoder, width, height))
}

fn broken(error: TiffError) -> Unusable {
    let error = match error {
        TiffError::IoError(error) => ImageError::IoError(error),
        TiffError::LimitsExceeded => return unusable::too_large(),
        TiffError::UnsupportedError(what) => return unsupported(&what.to_string()),
        other => ImageError::Decoding(image::error::DecodingError::new(
            ImageFormat::Tiff.into(),
            other,
        )),
    };
    unusable::by_decoder(ImageFormat::Tiff, &error)
}

fn unsupported(what: &str) -> Unusable {
    Unusable::Unsupported("TIFF".to_owned(), what.to_owned())
}
