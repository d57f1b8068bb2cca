//! `[preprocess.x]`: decode and resize into a pack.

use toml::Spanned;

use super::{
    super::{
        Preprocess, Settings,
        build::{Builder, Origin, Outcome},
        reference::Reference,
    },
    Fields, Kind,
};
use crate::settings::{Pixels, Resize, Storage, Unreadable};

/// A preprocess as written.
pub(crate) struct Draft {
    dataset: Reference,
    pixels: Pixels,
    unreadable: Unreadable,
    storage: Storage,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let dataset = fields.need_reference("dataset", &[Kind::Dataset]);
    let resize = fields.need::<Resize>(
        "resize",
        "`{ width = 224, height = 224 }` or `{ short_side = 256, crop = 224 }`",
    );
    let filter = fields.take("filter", "`\"bilinear\"`, `\"bicubic\"` or `\"lanczos\"`");
    let quality = fields.take("quality", "`\"fast\"` or `\"exact\"`");
    let unreadable = fields.take("unreadable", "`\"fail\"` or `\"drop\"`");
    let storage = fields.take("storage", "`\"raw\"` or `\"jpeg\"`");
    // Nothing is drawn here; a seed is accepted as on any stage.
    fields.seed();
    fields.finish()?;
    Some(Draft {
        dataset: dataset?,
        pixels: Pixels {
            resize: resize?.into_inner(),
            filter: filter.map(Spanned::into_inner).unwrap_or_default(),
            quality: quality.map(Spanned::into_inner).unwrap_or_default(),
        },
        unreadable: unreadable.map(Spanned::into_inner).unwrap_or_default(),
        storage: storage.map(Spanned::into_inner).unwrap_or_default(),
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let dataset = builder.one(&self.dataset)?;
        let settings = Preprocess {
            dataset: builder.id(dataset),
            pixels: self.pixels,
            unreadable: self.unreadable,
            storage: self.storage,
        };
        let origin = Origin {
            dataset: Some(dataset),
            ..Origin::default()
        };
        Some(vec![Outcome::plain(Settings::Preprocess(settings), origin)])
    }
}
