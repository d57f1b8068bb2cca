//! The pictures that stand for photographs.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::report::{Guess, Photograph, Shot};

/// A small picture of a photograph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// The bytes of a JPEG.
    pub jpeg: Vec<u8>,
    /// Whether the photograph itself was not to be had, so that it is of the row of a pack.
    pub from_pack: bool,
}

/// What speaks for guesses, as the bytes of a JPEG each.
pub type Evidence = BTreeMap<(Guess, Photograph), Vec<u8>>;

/// Pictures of some photographs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pictures {
    /// By photograph.
    pub thumbnails: BTreeMap<Photograph, Thumbnail>,
    /// What speaks for a guess, over the photograph as the model sees it: the bytes of a JPEG.
    pub evidence: Evidence,
}

impl Pictures {
    /// How many are not of the photograph itself.
    #[must_use]
    pub fn from_pack(&self) -> usize {
        self.thumbnails.values().filter(|t| t.from_pack).count()
    }

    /// Where the picture of a photograph lies beside a page, by its number.
    pub(in crate::report::render) fn file(number: usize) -> String {
        format!("pictures/{number}.jpg")
    }

    /// The address of what speaks for a guess, within the page.
    pub(super) fn evidence_of(&self, shot: &Shot) -> Option<String> {
        let guess = shot.guess.clone()?;
        let jpeg = self.evidence.get(&(guess, shot.photograph.clone()))?;
        Some(format!(
            "data:image/jpeg;base64,{}",
            BASE64_STANDARD.encode(jpeg)
        ))
    }

    /// As addresses, by the numbers of the photographs: within the page, or of files beside it.
    pub(super) fn sources(
        &self,
        places: &BTreeMap<&Photograph, usize>,
        beside: bool,
    ) -> BTreeMap<usize, String> {
        let source = |(photograph, place): (&&Photograph, &usize)| {
            let thumbnail = self.thumbnails.get(*photograph)?;
            if beside {
                return Some((*place, Self::file(*place)));
            }
            let encoded = BASE64_STANDARD.encode(&thumbnail.jpeg);
            Some((*place, format!("data:image/jpeg;base64,{encoded}")))
        };
        places.iter().filter_map(source).collect()
    }
}
