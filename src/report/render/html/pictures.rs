//! The pictures that stand for photographs.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::report::Photograph;

/// A small picture of a photograph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// The bytes of a JPEG.
    pub jpeg: Vec<u8>,
    /// Whether the photograph itself was not to be had, so that it is of the row of a pack.
    pub from_pack: bool,
}

/// Pictures of some photographs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pictures {
    /// By photograph.
    pub thumbnails: BTreeMap<Photograph, Thumbnail>,
}

impl Pictures {
    /// How many are not of the photograph itself.
    #[must_use]
    pub fn from_pack(&self) -> usize {
        self.thumbnails.values().filter(|t| t.from_pack).count()
    }

    /// As addresses, by the numbers of the photographs.
    pub(super) fn sources(&self, places: &BTreeMap<&Photograph, usize>) -> BTreeMap<usize, String> {
        let source = |(photograph, place): (&&Photograph, &usize)| {
            let thumbnail = self.thumbnails.get(*photograph)?;
            let encoded = BASE64_STANDARD.encode(&thumbnail.jpeg);
            Some((*place, format!("data:image/jpeg;base64,{encoded}")))
        };
        places.iter().filter_map(source).collect()
    }
}
