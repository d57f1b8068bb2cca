//! What turns a picture upright: the one place that decides it, for every format.
//!
//! A file may say it in EXIF and in XMP, each of which a format keeps in its own way. What counts is what Pillow's
//! `ImageOps.exif_transpose` looks at, in its order: the first directory of the EXIF profile; its tag there, of any type of numbers, is
//! the answer even where it makes no sense (0, 9, text); XMP answers only where EXIF has no such tag.
//!
//! Where Pillow gives up and a person would not, this goes on: an EXIF profile that is none is passed over for the next one and for XMP, XMP may
//! have blanks and single quotes as XML has them, PNG's `Raw profile type APP1` and `xmp` (ImageMagick's) are read as `exif` is,
//! and a WebP's chunks count without the flags in its header that announce them.

mod exif;
mod png;
mod webp;
mod xmp;

use std::borrow::Cow;

use image::{ImageFormat, metadata::Orientation};

pub(super) use self::exif::number_of as tiff_tag;
use super::bounds::MAX_PROFILE;

/// What turns a stored picture upright, and what says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) struct Turn {
    /// How the stored picture is turned.
    pub(in crate::data) orientation: Orientation,
    /// `EXIF` or `XMP`.
    pub(in crate::data) by: &'static str,
}

impl Turn {
    /// Of a picture that is stored upright, or doesn't say.
    pub(super) const NONE: Self = Self {
        orientation: Orientation::NoTransforms,
        by: "",
    };

    /// Of a file of this format; a JPEG's is found with its other segments, see [`Profiles`].
    pub(super) fn of(bytes: &[u8], format: ImageFormat) -> Self {
        match format {
            ImageFormat::Png => png::profiles(bytes).turn(),
            ImageFormat::WebP => webp::profiles(bytes).turn(),
            // Its own first directory is what an EXIF profile has.
            ImageFormat::Tiff => {
                let mut profiles = Profiles::default();
                profiles.exif_is(Cow::Borrowed(bytes));
                profiles.turn()
            }
            _ => Self::NONE,
        }
    }

    /// From a tag's number; nothing where it makes no sense.
    fn from_number(number: u8, by: &'static str) -> Self {
        match Orientation::from_exif(number) {
            Some(orientation) => Self { orientation, by },
            None => Self::NONE,
        }
    }
}

/// What a file has of profiles that may tell an orientation.
#[derive(Default)]
pub(super) struct Profiles<'a> {
    exif: Option<Cow<'a, [u8]>>,
    xmp: Option<Cow<'a, [u8]>>,
}

impl<'a> Profiles<'a> {
    /// Sets the EXIF profile, with or without `Exif` in front; whatever is none is passed over. Bytes behind the bound are not looked at.
    fn exif_is(&mut self, profile: Cow<'a, [u8]>) {
        if exif::is_one(&profile) {
            self.exif = Some(profile);
        }
    }

    /// The body of one of a JPEG's `APP1` segments. EXIF that is too long for one goes on in the next one.
    pub(super) fn app1(&mut self, body: &'a [u8]) {
        // Some cameras have another byte than zero behind `Exif` and a zero.
        if let [b'E', b'x', b'i', b'f', 0, _, profile @ ..] = body {
            match &mut self.exif {
                Some(before) if before.len() + profile.len() <= MAX_PROFILE => {
                    before.to_mut().extend_from_slice(profile);
                }
                Some(_) => {}
                None => self.exif_is(Cow::Borrowed(profile)),
            }
        } else if let Some(profile) = body.strip_prefix(xmp::NAMESPACE) {
            self.xmp = Some(Cow::Borrowed(profile));
        }
    }

    /// What they say.
    pub(super) fn turn(&self) -> Turn {
        let exif = self.exif.as_ref().map(|profile| exif::tags(profile));
        let (number, within) = match exif {
            Some(tags) => (tags.orientation, tags.xmp),
            None => (None, None),
        };
        if let Some(number) = number {
            return Turn::from_number(number, "EXIF");
        }
        let text = within.or(self.xmp.as_deref());
        let bounded = text.map(|text| &text[..text.len().min(MAX_PROFILE)]);
        match bounded.and_then(xmp::orientation) {
            Some(number) => Turn::from_number(number, "XMP"),
            None => Turn::NONE,
        }
    }
}

#[cfg(test)]
mod tests;
