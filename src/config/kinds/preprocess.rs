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
use crate::settings::{Filter, Resize};

/// A preprocess as written.
pub(crate) struct Draft {
    dataset: Reference,
    resize: Resize,
    filter: Filter,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let dataset = fields.need_reference("dataset", &[Kind::Dataset]);
    let resize = fields.need("resize", "`{ width = 224, height = 224 }`");
    let filter = fields.take("filter", "`\"bilinear\"`, `\"bicubic\"` or `\"lanczos\"`");
    // Nothing is drawn here; a seed is accepted as on any stage.
    fields.seed();
    fields.finish()?;
    Some(Draft {
        dataset: dataset?,
        resize: resize?.into_inner(),
        filter: filter.map(Spanned::into_inner).unwrap_or_default(),
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let dataset = builder.one(&self.dataset)?;
        let settings = Preprocess {
            dataset: builder.id(dataset),
            resize: self.resize,
            filter: self.filter,
        };
        let origin = Origin {
            dataset: Some(dataset),
            ..Origin::default()
        };
        Some(vec![Outcome::plain(Settings::Preprocess(settings), origin)])
    }
}
