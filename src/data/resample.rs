//! Pixels to the size of a row, antialiased as in Pillow.

use std::path::Path;

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use image::RgbImage;

use super::{Unusable, decode::decode};
use crate::{
    error::{Error, Result},
    files,
    record::Crop,
    settings::{Filter, Pixels},
};

/// Decodes and resizes one file, as preprocess does: u8, height x width x (red, green, blue).
///
/// # Errors
/// When the file cannot be read or is no usable image; the message says why.
pub fn decode_resized(path: &Path, pixels: Pixels) -> Result<Vec<u8>> {
    let bytes = files::read(path)?;
    Resampler::new(pixels)
        .decode(&bytes, None)
        .map(|row| row.pixels)
        .map_err(|why| Error::failed(format!("cannot use `{}`: {why}", path.display())))
}

/// One photograph as a row of a pack, with what was seen of it on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// u8, height x width x (red, green, blue).
    pub pixels: Vec<u8>,
    /// Upright width of the whole photograph.
    pub width: u32,
    /// Upright height.
    pub height: u32,
    /// The format by content, such as `JPEG`.
    pub format: &'static str,
    /// What is unusual about the file.
    pub odd: Vec<String>,
}

/// Decodes and resizes many images; keeps its buffers from one to the next.
pub struct Resampler {
    resizer: Resizer,
    options: ResizeOptions,
    width: u32,
    height: u32,
}

impl Resampler {
    /// For rows made this way.
    #[must_use]
    pub fn new(pixels: Pixels) -> Self {
        let kernel = match pixels.filter {
            Filter::Bilinear => FilterType::Bilinear,
            Filter::Bicubic => FilterType::CatmullRom,
            Filter::Lanczos => FilterType::Lanczos3,
        };
        Self {
            resizer: Resizer::new(),
            options: ResizeOptions::new().resize_alg(ResizeAlg::Convolution(kernel)),
            width: pixels.resize.width(),
            height: pixels.resize.height(),
        }
    }

    /// Decodes and resizes `crop` of a photograph, or all of it.
    ///
    /// # Errors
    /// When the bytes are no usable image.
    pub fn decode(&mut self, bytes: &[u8], _crop: Option<Crop>) -> Result<Row, Unusable> {
        let image = decode(bytes)?;
        Ok(Row {
            pixels: self.resize(&image).map_err(Unusable::new)?,
            width: image.width(),
            height: image.height(),
            format: "JPEG",
            odd: Vec::new(),
        })
    }

    fn resize(&mut self, image: &RgbImage) -> Result<Vec<u8>, String> {
        let (width, height) = image.dimensions();
        let from = ImageRef::new(width, height, image.as_raw(), PixelType::U8x3)
            .map_err(|e| e.to_string())?;
        let mut to = Image::new(self.width, self.height, PixelType::U8x3);
        self.resizer
            .resize(&from, &mut to, Some(&self.options))
            .map_err(|e| e.to_string())?;
        Ok(to.into_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Count, Resize};

    fn side(n: u32) -> Count {
        Count::new(n).unwrap()
    }

    #[test]
    fn shrinking_averages_what_it_covers() {
        // Columns of black and white: antialiasing gives even grey, point sampling would give black or white.
        let image = RgbImage::from_fn(64, 64, |x, _| image::Rgb([(x % 2 * 255) as u8; 3]));
        let resize = Resize::squash(side(8), side(4));
        for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
            let pixels = Pixels {
                filter,
                ..Pixels::new(resize)
            };
            let row = Resampler::new(pixels).resize(&image).unwrap();
            assert_eq!(row.len(), 8 * 4 * 3);
            assert!(
                row.iter().all(|v| (110..=145).contains(v)),
                "{filter:?} {row:?}"
            );
        }
    }
}
