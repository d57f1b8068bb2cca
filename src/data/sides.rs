//! The sides of a photograph, from its first bytes.

use std::io::Cursor;

use image::ImageReader;

use super::Place;

/// The shorter side of an image in pixels, without decoding it; nothing where that cannot be read.
#[must_use]
pub fn shorter_side(place: &Place) -> Option<u32> {
    let bytes = place.read().ok()?;
    let reader = ImageReader::new(Cursor::new(&*bytes));
    let (width, height) = reader.with_guessed_format().ok()?.into_dimensions().ok()?;
    Some(width.min(height))
}
