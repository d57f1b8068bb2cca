//! Photographs to rows of a pack: decoded as far as needed, resized antialiased as in Pillow, turned upright.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use image::{DynamicImage, RgbImage, metadata::Orientation};

#[cfg(feature = "libjpeg-turbo")]
use super::planes::PlaneResizer;
use super::{
    Place,
    decode::{Decoder, Head, Picture, Want},
    fitting::Fitting,
};
use crate::{
    error::{Error, Result},
    files,
    record::{Crop, Unusable},
    settings::{Count, Filter, Pixels, Quality, Resize},
};

/// Decodes and resizes one photograph, as preprocess does: u8, height x width x (red, green, blue).
///
/// # Errors
/// When it cannot be read or is no usable image; the message says why.
pub fn decode_resized(resampler: &mut Resampler, place: &Place) -> Result<Vec<u8>> {
    let cannot = |why: &dyn fmt::Display| Error::failed(format!("cannot use `{place}`: {why}"));
    let bytes = place.read().map_err(|error| match place {
        Place::File(path) => match files::why_lost(path, &error) {
            Some(why) => cannot(&why),
            None => error,
        },
        Place::Zip { .. } => error,
    })?;
    let row = resampler.decode(&bytes, None);
    row.map(|row| row.pixels).map_err(|why| cannot(&why))
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
    /// All of the photograph (or of its box), where that was asked for: u8, [`COMPARED_SIDE`] squared x (red, green, blue).
    pub compared: Option<Vec<u8>>,
}

/// The sides of what is compared of a photograph of which a row shows a part, whatever the row's size and shape are.
pub const COMPARED_SIDE: u32 = 64;

/// Decodes and resizes many images; keeps its buffers from one to the next.
pub struct Resampler {
    pixels: Pixels,
    options: ResizeOptions,
    compares: bool,
    decoder: Decoder,
    resizer: Resizer,
    #[cfg(feature = "libjpeg-turbo")]
    planes: PlaneResizer,
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
            pixels,
            options: ResizeOptions::new()
                .resize_alg(ResizeAlg::Convolution(kernel))
                .use_alpha(false),
            compares: false,
            decoder: Decoder::new(),
            resizer: Resizer::new(),
            #[cfg(feature = "libjpeg-turbo")]
            planes: PlaneResizer::new(pixels.filter),
        }
    }

    /// Gives [`Row::compared`], too.
    #[must_use]
    pub fn comparing(mut self) -> Self {
        self.compares = true;
        self
    }

    /// Decodes and resizes `crop` of the upright photograph, or all of it.
    ///
    /// With a crop, a JPEG that is cut off below it may be taken, since its end is not looked at.
    ///
    /// # Errors
    /// When the bytes are no usable image, or the crop lies outside it. Never panics.
    pub fn decode(&mut self, bytes: &[u8], crop: Option<Crop>) -> Result<Row, Unusable> {
        let done = catch_unwind(AssertUnwindSafe(|| self.decode_row(bytes, crop)));
        done.unwrap_or_else(|_| {
            // What a panic left behind is not used again.
            *self = Self {
                compares: self.compares,
                ..Self::new(self.pixels)
            };
            Err(Unusable::DecoderGaveUp)
        })
    }

    fn decode_row(&mut self, bytes: &[u8], crop: Option<Crop>) -> Result<Row, Unusable> {
        let pixels = self.pixels;
        let fitting = |head: &Head| {
            let sides = head.upright();
            let fitting = Fitting::new(pixels.resize, sides, crop)?;
            let (from, width, height) = fitting.stored(head.turn.orientation, sides);
            let want = Want {
                from,
                width,
                height,
                reach: pixels.filter.reach(),
                quality: pixels.quality,
            };
            Some((fitting, want))
        };
        let all = |head: &Head| Want::all(head.width, head.height);
        let picture = self.decoder.decode(bytes, |head| {
            fitting(head).map_or_else(|| all(head), |(_, want)| want)
        })?;
        let (width, height) = picture.head.upright();
        let Some((fitting, want)) = fitting(&picture.head) else {
            return Err(Unusable::CropOutside(width, height));
        };
        let row = self.resize(&picture, &want).map_err(Unusable::Resize)?;
        let row = turned(row, &want, picture.head.turn.orientation);
        let pixels = self.placed(row, &fitting);
        let compared = match self.compares {
            true => Some(self.compared(bytes, crop, &picture, &pixels)?),
            false => None,
        };
        Ok(Row {
            pixels,
            width,
            height,
            format: picture.format,
            odd: picture.odd,
            compared,
        })
    }

    /// All of the photograph or of its box, stretched to a small square. Of a JPEG of which a part was decoded for the row, all is decoded once
    /// more, as small as it goes; where that can't be done, because the file is cut off behind the part, the row itself is compared.
    fn compared(
        &mut self,
        bytes: &[u8],
        crop: Option<Crop>,
        picture: &Picture,
        row: &[u8],
    ) -> Result<Vec<u8>, Unusable> {
        let (reach, side) = (self.pixels.filter.reach(), COMPARED_SIDE);
        let all = |head: &Head| {
            let sides = head.upright();
            let side = Count::new(side)?;
            let fitting = Fitting::new(Resize::squash(side, side), sides, crop)?;
            let (from, width, height) = fitting.stored(head.turn.orientation, sides);
            Some(Want {
                from,
                width,
                height,
                reach,
                quality: Quality::Fast,
            })
        };
        let again = match picture.is_whole() {
            true => None,
            false => Some(self.decoder.decode(bytes, |head| {
                all(head).unwrap_or_else(|| Want::all(head.width, head.height))
            })),
        };
        let picture = match &again {
            None => Some(picture),
            Some(again) => again.as_ref().ok(),
        };
        if let Some(picture) = picture
            && let Some(want) = all(&picture.head)
        {
            let small = self.resize(picture, &want).map_err(Unusable::Resize)?;
            return Ok(turned(small, &want, picture.head.turn.orientation));
        }
        let (width, height) = (self.pixels.resize.width(), self.pixels.resize.height());
        let row = ImageRef::new(width, height, row, PixelType::U8x3);
        let mut small = Image::new(side, side, PixelType::U8x3);
        row.map_err(|e| e.to_string())
            .and_then(|row| {
                self.resizer
                    .resize(&row, &mut small, Some(&self.options))
                    .map_err(|e| e.to_string())
            })
            .map_err(Unusable::Resize)?;
        Ok(small.into_vec())
    }

    /// The wanted part of the decoded picture, resized as it is stored.
    fn resize(&mut self, picture: &Picture, want: &Want) -> Result<Vec<u8>, String> {
        // Rounding must not carry the box past the edge.
        let span = |from: f64, length: f64, offset: u32, limit: u32| {
            let (shrink, limit) = (f64::from(picture.shrink), f64::from(limit));
            let start =
                (from / shrink - f64::from(offset)).clamp(0.0, limit - f64::EPSILON * limit);
            (start, (length / shrink).min(limit - start))
        };
        let (left, width) = span(want.from.x, want.from.width, picture.left, picture.width);
        let (top, height) = span(want.from.y, want.from.height, picture.top, picture.height);
        #[cfg(feature = "libjpeg-turbo")]
        if picture.in_planes
            && let Some(planes) = self.decoder.planes()
        {
            let (sides, spans) = (
                (picture.width, picture.height),
                [(left, width), (top, height)],
            );
            return Ok(self.planes.resize(&planes, sides, spans, want));
        }
        let from = self.decoder.pixels();
        let from = ImageRef::new(picture.width, picture.height, from, PixelType::U8x3)
            .map_err(|e| e.to_string())?;
        let mut to = Image::new(want.width, want.height, PixelType::U8x3);
        let options = self.options.crop(left, top, width, height);
        self.resizer
            .resize(&from, &mut to, Some(&options))
            .map_err(|e| e.to_string())?;
        Ok(to.into_vec())
    }

    /// In its place on a black row, where it does not fill it.
    fn placed(&self, pixels: Vec<u8>, fitting: &Fitting) -> Vec<u8> {
        let (width, height) = (self.pixels.resize.width(), self.pixels.resize.height());
        if (fitting.width, fitting.height) == (width, height) {
            return pixels;
        }
        let mut row = vec![0; width as usize * height as usize * 3];
        let (line, across) = (fitting.width as usize * 3, width as usize * 3);
        let start = fitting.top as usize * across + fitting.left as usize * 3;
        for (from, to) in pixels
            .chunks_exact(line)
            .zip(row[start..].chunks_mut(across))
        {
            to[..line].copy_from_slice(from);
        }
        row
    }
}

/// Upright.
fn turned(row: Vec<u8>, want: &Want, orientation: Orientation) -> Vec<u8> {
    if orientation == Orientation::NoTransforms {
        return row;
    }
    match RgbImage::from_raw(want.width, want.height, row) {
        None => Vec::new(),
        Some(row) => {
            let mut row = DynamicImage::ImageRgb8(row);
            row.apply_orientation(orientation);
            row.into_rgb8().into_raw()
        }
    }
}

#[cfg(test)]
mod tests;
