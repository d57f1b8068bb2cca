//! `[preprocess.x]`: decode and resize into a pack.

use crate::{
    config::{
        build::{Builder, Draft, Made, Origin, Outcome},
        fields::Fields,
        names::DataName,
        reference::Reference,
    },
    seed::Seed,
    settings::{
        Filter, Pixels, Quality, Resize, Storage, Unreadable,
        declare::{Described, Table, fields},
    },
};

/// Decode and resize into a pack.
#[derive(Clone, Debug)]
pub struct Preprocess {
    /// The dataset.
    pub dataset: String,
    /// How a photograph becomes a row.
    pub pixels: Pixels,
    /// What becomes of files that cannot be decoded.
    pub unreadable: Unreadable,
    /// How rows are stored.
    pub storage: Storage,
}

impl Made for Preprocess {}

fields! {
    /// Photographs become rows of pixels in one file, the pack.
    pub(crate) struct Given read as GivenRead {
        /// Whose photographs.
        dataset: DataName,
        /// The size of a row.
        resize: Resize,
        /// The resampling filter, antialiased when shrinking as in Pillow.
        filter: Filter = Filter::Bilinear,
        /// How exactly a JPEG is decoded.
        quality: Quality = Quality::Fast,
        /// What becomes of files that cannot be used.
        unreadable: Unreadable = Unreadable::Fail,
        /// Plain pixels, or each row as a JPEG of quality 95, about a tenth of the size.
        storage: Storage = Storage::Raw,
        /// Nothing is drawn here; accepted as on any stage.
        #[unset = "the file's"]
        seed: Option<Seed>,
    }
}

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// A preprocess as written.
struct Written {
    dataset: Reference,
    given: Given,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let read = GivenRead::take(fields);
    let dataset = fields.follow(read.dataset.as_ref());
    fields.finish()?;
    Some(Box::new(Written {
        dataset: dataset?,
        given: read.settle()?,
    }))
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let dataset = builder.one(&self.dataset)?;
        let given = &self.given;
        let settings = Preprocess {
            dataset: builder.id(dataset),
            pixels: Pixels {
                resize: given.resize,
                filter: given.filter,
                quality: given.quality,
            },
            unreadable: given.unreadable,
            storage: given.storage,
        };
        let origin = Origin {
            dataset: Some(dataset),
            ..Origin::default()
        };
        Some(vec![Outcome::plain(settings, origin)])
    }
}
