//! Small pictures of photographs.

use image::{RgbImage, codecs::jpeg::JpegEncoder, imageops};

use super::Resampler;
use crate::{
    error::{Error, Result},
    record::Crop,
    settings::{Count, Filter, Fit, Pixels, Quality, Resize},
};

/// The longer side of a thumbnail of a page, in pixels.
const SIDE: u32 = 112;
/// Of 100: what of a dish is to be seen at this size stays.
const JPEG_QUALITY: u8 = 60;
/// Of 100: of a picture that is looked at alone.
const FINE_QUALITY: u8 = 90;

/// Makes thumbnails; keeps its buffers from one to the next.
pub struct Thumbnails {
    side: u32,
    resampler: Resampler,
}

impl Default for Thumbnails {
    fn default() -> Self {
        Self::of_side(SIDE)
    }
}

impl Thumbnails {
    /// Of pictures whose longer side is so many pixels.
    ///
    /// # Panics
    /// Of none.
    #[must_use]
    pub fn of_side(pixels: u32) -> Self {
        let side = Count::known(pixels);
        let resize = Resize::Sides {
            width: side,
            height: side,
            fit: Fit::Pad,
        };
        Self {
            side: pixels,
            resampler: Resampler::new(Pixels {
                resize,
                filter: Filter::Bilinear,
                quality: Quality::Fast,
            }),
        }
    }

    /// The bytes of a JPEG of at most 112 x 112 pixels of the upright photograph, or of a box in it; `None` where it cannot be decoded.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn of(&mut self, bytes: &[u8], crop: Option<Crop>) -> Result<Option<Vec<u8>>> {
        let picture = self.picture(bytes, crop);
        let jpeg = picture.map(|picture| encoded(&picture, JPEG_QUALITY));
        jpeg.transpose()
    }

    /// The same as pixels.
    pub fn picture(&mut self, bytes: &[u8], crop: Option<Crop>) -> Option<RgbImage> {
        let row = self.resampler.decode(bytes, crop).ok()?;
        let shown = crop.map_or((row.width, row.height), |crop| {
            let rest = |all: u32, from: u32, side: u32| side.min(all.saturating_sub(from)).max(1);
            (
                rest(row.width, crop.x, crop.width),
                rest(row.height, crop.y, crop.height),
            )
        });
        let side = self.side;
        let padded = RgbImage::from_raw(side, side, row.pixels)?;
        let (width, height) = within(shown, side);
        let (x, y) = ((side - width) / 2, (side - height) / 2);
        Some(imageops::crop_imm(&padded, x, y, width, height).to_image())
    }

    /// The same of a row of a pack: u8, height x width x (red, green, blue).
    ///
    /// # Errors
    /// When it has another size, or cannot be encoded.
    pub fn of_row(pixels: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
        encoded(&row_picture(pixels, (width, height), SIDE)?, JPEG_QUALITY)
    }

    /// The same in the size that it has, fit to be looked at alone.
    ///
    /// # Errors
    /// As [`Self::of_row`].
    pub fn of_whole_row(pixels: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
        let picture = row_picture(pixels, (width, height), u32::MAX)?;
        encoded(&picture, FINE_QUALITY)
    }

    /// The same as pixels.
    ///
    /// # Errors
    /// When it has another size.
    pub fn row_picture(&self, pixels: &[u8], width: usize, height: usize) -> Result<RgbImage> {
        row_picture(pixels, (width, height), self.side)
    }
}

fn row_picture(pixels: &[u8], sides: (usize, usize), side: u32) -> Result<RgbImage> {
    let (width, height) = (sides.0 as u32, sides.1 as u32);
    let row = RgbImage::from_raw(width, height, pixels.to_vec());
    let row = row.ok_or_else(|| Error::failed("a row of a pack has not the pack's size"))?;
    let (w, h) = within((width, height), side);
    let filter = imageops::FilterType::Triangle;
    Ok(match width.max(height) > side {
        true => imageops::resize(&row, w, h, filter),
        false => row,
    })
}

/// The sides that a picture of these has where the longer one is `most`.
fn within((width, height): (u32, u32), most: u32) -> (u32, u32) {
    let long = f64::from(width.max(height).max(1));
    let side = |of: u32| ((f64::from(of) * f64::from(most) / long).round() as u32).clamp(1, most);
    (side(width), side(height))
}

fn encoded(image: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
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
