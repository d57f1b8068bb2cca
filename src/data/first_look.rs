//! A first look at a photograph before any stage has seen it: whether preprocess will be able to use it, and its size.

use super::{LARGEST_ENTRY, Place, Resampler, decode::sides_of_whole_jpeg};
use crate::{
    files,
    record::Unusable,
    settings::{Count, Pixels, Resize},
};

/// The side that photographs are decoded to: most JPEGs at an eighth of their size.
const SIDE: Count = Count::known(32);

/// Looks at many photographs; keeps its buffers from one to the next.
pub struct FirstLook {
    resampler: Resampler,
    decode_all: bool,
}

impl FirstLook {
    /// With `decode_all` every photograph is decoded, as small as it goes. Else a JPEG whose header can be read and whose end is there is
    /// taken to be usable, which costs no more than reading it; the others, which are few among photographs, are decoded.
    #[must_use]
    pub fn new(decode_all: bool) -> Self {
        Self {
            resampler: Resampler::new(Pixels::new(Resize::squash(SIDE, SIDE))),
            decode_all,
        }
    }

    /// The shorter side of a photograph in pixels.
    ///
    /// # Errors
    /// Why preprocess cannot use it, in the words of its decoders.
    pub fn shorter_side(&mut self, place: &Place) -> Result<u32, Unusable> {
        let bytes = place.read().map_err(|error| match place {
            Place::Zip { .. } => Unusable::InZip(error.to_string()),
            Place::File(_) if place.is_oversize() => Unusable::OverMegabytes(LARGEST_ENTRY >> 20),
            Place::File(path) => match files::why_lost(path, &error) {
                Some(why) => Unusable::Lost(why.to_owned()),
                None => Unusable::Lost(error.to_string()),
            },
        })?;
        let known = match self.decode_all {
            true => None,
            false => sides_of_whole_jpeg(&bytes),
        };
        let (width, height) = match known {
            Some(sides) => sides,
            None => {
                let row = self.resampler.decode(&bytes, None)?;
                (row.width, row.height)
            }
        };
        Ok(width.min(height))
    }
}
