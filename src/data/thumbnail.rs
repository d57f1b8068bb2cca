//! Small pictures of photographs.

use image::{RgbImage, codecs::jpeg::JpegEncoder, imageops};

use super::Resampler;
use crate::{
    error::{Error, Result},
    record::Crop,
    settings::{Count, Filter, Fit, Pixels, Quality, Resize},
};

/// The longer side of a thumbnail, in pixels.
const SIDE: u32 = 112;
/// Of 100: what of a dish is to be seen at this size stays.
const JPEG_QUALITY: u8 = 60;

/// Makes thumbnails; keeps its buffers from one to the next.
pub struct Thumbnails {
    resampler: Resampler,
}

impl Default for Thumbnails {
    fn default() -> Self {
        let side = Count::known(SIDE);
        let resize = Resize::Sides {
            width: side,
            height: side,
            fit: Fit::Pad,
        };
        Self {
            resampler: Resampler::new(Pixels {
                resize,
                filter: Filter::Bilinear,
                quality: Quality::Fast,
            }),
        }
    }
}

impl Thumbnails {
    /// The bytes of a JPEG of at most 112 x 112 pixels of the upright photograph, or of a box in it; `None` where it cannot be decoded.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn of(&mut self, bytes: &[u8], crop: Option<Crop>) -> Result<Option<Vec<u8>>> {
        let Ok(row) = self.resampler.decode(bytes, crop) else {
            return Ok(None);
        };
        let shown = crop.map_or((row.width, row.height), |crop| {
            let rest = |all: u32, from: u32, side: u32| side.min(all.saturating_sub(from)).max(1);
            (
                rest(row.width, crop.x, crop.width),
                rest(row.height, crop.y, crop.height),
            )
        });
        let Some(padded) = RgbImage::from_raw(SIDE, SIDE, row.pixels) else {
            return Ok(None);
        };
        let (width, height) = within(shown);
        let (x, y) = ((SIDE - width) / 2, (SIDE - height) / 2);
        encoded(&imageops::crop_imm(&padded, x, y, width, height).to_image()).map(Some)
    }

    /// The same of a row of a pack: u8, height x width x (red, green, blue).
    ///
    /// # Errors
    /// When it has another size, or cannot be encoded.
    pub fn of_row(pixels: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
        let (width, height) = (width as u32, height as u32);
        let row = RgbImage::from_raw(width, height, pixels.to_vec());
        let row = row.ok_or_else(|| Error::failed("a row of a pack has not the pack's size"))?;
        let (w, h) = within((width, height));
        match width.max(height) > SIDE {
            true => encoded(&imageops::resize(
                &row,
                w,
                h,
                imageops::FilterType::Triangle,
            )),
            false => encoded(&row),
        }
    }
}

/// The sides that a picture of these has where the longer one is [`SIDE`].
fn within((width, height): (u32, u32)) -> (u32, u32) {
    let long = f64::from(width.max(height).max(1));
    let side = |of: u32| ((f64::from(of) * f64::from(SIDE) / long).round() as u32).clamp(1, SIDE);
    (side(width), side(height))
}

fn encoded(image: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .encode_image(image)
        .map_err(|e| Error::failed("cannot make a thumbnail").because(e))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_keeps_the_aspect_of_its_photograph_and_has_no_bars() {
        let photograph = RgbImage::from_pixel(600, 300, image::Rgb([200, 120, 40]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        photograph
            .write_to(&mut bytes, image::ImageFormat::Png)
            .unwrap();
        let bytes = bytes.into_inner();
        let mut thumbnails = Thumbnails::default();
        let open = |jpeg: &[u8]| image::load_from_memory(jpeg).unwrap().into_rgb8();
        let whole = open(&thumbnails.of(&bytes, None).unwrap().unwrap());
        assert_eq!(whole.dimensions(), (112, 56));
        assert!(whole.pixels().all(|p| p[0] > 150), "bars");
        let crop = Crop {
            x: 0,
            y: 0,
            width: 100,
            height: 200,
        };
        let part = open(&thumbnails.of(&bytes, Some(crop)).unwrap().unwrap());
        assert_eq!(part.dimensions(), (56, 112));
        assert_eq!(thumbnails.of(b"no image", None).unwrap(), None);
        let row = open(&Thumbnails::of_row(&[9; 224 * 224 * 3], 224, 224).unwrap());
        assert_eq!(row.dimensions(), (112, 112));
    }
}
