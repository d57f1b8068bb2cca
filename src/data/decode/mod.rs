//! One file's bytes to RGB pixels, whatever its name says.
//!
//! Colour profiles (ICC) are not applied: the stored numbers are taken for sRGB, as Pillow and torchvision take them, and a
//! note says that a file carries one.

mod animated;
mod bounds;
mod complete;
mod jpeg;
mod markers;
mod orientation;
mod others;
mod plan;
mod sniff;
mod tiff;
mod unusable;
mod webp;

use image::{DynamicImage, RgbImage, metadata::Orientation};

#[cfg(feature = "libjpeg-turbo")]
use crate::native::JpegPlanes;
use crate::record::Unusable;

pub(super) use self::plan::{Area, Want};
pub use self::{
    bounds::MAX_PIXELS,
    jpeg::{JPEG_BY_COMPONENTS, JPEG_DECODER},
    webp::WEBP_DECODER,
};
use self::{jpeg::Jpeg, markers::Markers, orientation::Turn};

/// Pixel buffers up to this many bytes are kept from one image to the next.
const KEPT: usize = 64 << 20;

/// Decodes all of a JPEG, PNG, GIF, WebP, BMP, TIFF or PNM, known by its first bytes, at full size and upright.
///
/// The orientation that EXIF or XMP tells is applied, transparency lies over white, 16 bits are scaled to 8, CMYK is converted without a
/// colour profile, and an animation gives its first frame.
///
/// # Errors
/// When the bytes are no such image, are cut off or broken, or are larger than [`MAX_PIXELS`]. Never panics.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, Unusable> {
    let mut decoder = Decoder::new();
    let picture = decoder.decode(bytes, |head| Want::all(head.width, head.height))?;
    let (width, height) = (picture.width, picture.height);
    let image =
        RgbImage::from_raw(width, height, decoder.take_pixels()).ok_or(Unusable::FewerPixels)?;
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(picture.head.turn.orientation);
    Ok(image.into_rgb8())
}

/// What is known before pixels are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Stored width in pixels.
    pub(super) width: u32,
    /// Stored height.
    pub(super) height: u32,
    /// What turns the stored picture upright.
    pub(super) turn: Turn,
}

impl Head {
    /// The upright sides.
    pub(super) fn upright(&self) -> (u32, u32) {
        if turns_sides(self.turn.orientation) {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }

    fn check_size(&self) -> Result<(), Unusable> {
        bounds::check_size(self.width, self.height)
    }
}

/// Whether upright width is stored height.
pub(super) fn turns_sides(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// A decoded picture as it is stored, not yet turned; its pixels are the decoder's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    /// The whole picture.
    pub(super) head: Head,
    /// The width of the decoded pixels.
    pub(super) width: u32,
    /// Their height.
    pub(super) height: u32,
    /// The decoded size is 1 / `shrink` of the stored one.
    pub(super) shrink: u32,
    /// Where the pixels begin in the whole picture at its decoded size, from the left.
    pub(super) left: u32,
    /// From the top.
    pub(super) top: u32,
    /// Decoded to the components that it is stored in, and not to colours.
    pub(super) in_planes: bool,
    /// The format by content.
    pub(super) format: &'static str,
    /// What is unusual about the file.
    pub(super) odd: Vec<String>,
}

impl Picture {
    /// Whether nothing of the stored picture is left out.
    pub(super) fn is_whole(&self) -> bool {
        let sides = [self.head.width, self.head.height].map(|side| side.div_ceil(self.shrink));
        self.in_planes || [self.width, self.height] == sides
    }
}

/// The stored width and height of a JPEG of a common kind that says itself where it ends; nothing of any other file. Its data may still be
/// damaged.
pub(super) fn sides_of_whole_jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    if !bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return None;
    }
    let markers = Markers::of(bytes);
    let (width, height) = markers.size?;
    let common = matches!(markers.components, 1 | 3) && markers.rare.is_none();
    bounds::check_size(width, height).ok()?;
    let (components, progressive) = (markers.components, markers.progressive);
    bounds::check_jpeg((width, height), components, progressive, bytes.len()).ok()?;
    (common && complete::has_end(bytes)).then_some((width, height))
}

/// Decodes many images; keeps its buffers from one to the next.
pub(super) struct Decoder {
    jpeg: Jpeg,
    /// Red, green, blue; longer than the picture needs after a larger one.
    pixels: Vec<u8>,
    used: usize,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            jpeg: Jpeg::new(),
            pixels: Vec::new(),
            used: 0,
        }
    }

    /// Decodes what `want` asks for once the size is known; may give more.
    ///
    /// # Errors
    /// When the bytes are no usable image.
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        want: impl Fn(&Head) -> Want,
    ) -> Result<Picture, Unusable> {
        if self.pixels.len() > KEPT {
            self.pixels = Vec::new();
        }
        let mut picture = if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            self.jpeg.decode(bytes, &want, &mut self.pixels)?
        } else {
            if let Some(what) = sniff::not_an_image(bytes) {
                return Err(what);
            }
            let format = sniff::format(bytes).ok_or_else(|| sniff::unknown(bytes))?;
            let (picture, pixels) = others::decode(bytes, format)?;
            self.pixels = pixels;
            picture
        };
        self.used = match picture.in_planes {
            true => 0,
            false => picture.width as usize * picture.height as usize * 3,
        };
        if self.pixels.len() < self.used {
            return Err(Unusable::FewerPixels);
        }
        let turn = picture.head.turn;
        if turn.orientation != Orientation::NoTransforms {
            picture.odd.insert(0, format!("turned by {}", turn.by));
        }
        Ok(picture)
    }

    /// The components of the last picture, where they were decoded.
    #[cfg(feature = "libjpeg-turbo")]
    pub(super) fn planes(&self) -> Option<JpegPlanes<'_>> {
        self.jpeg.planes()
    }

    /// The pixels of the last picture.
    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels[..self.used]
    }

    fn take_pixels(mut self) -> Vec<u8> {
        self.pixels.truncate(self.used);
        self.pixels
    }
}

/// Lengthens a buffer to at least `length` and gives that much of it; what is in it stays, so that nothing is cleared twice.
#[cfg(feature = "libjpeg-turbo")]
fn at_least(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        // Not grown in place: nothing in it is worth the copy.
        *buffer = vec![0; length];
    }
    &mut buffer[..length]
}

#[cfg(test)]
mod tests;
