//! `[dataset.x]`: folders of classes, or a manifest.

use serde::Deserialize;

use super::{
    super::{
        Dataset, Settings,
        build::{Origin, Outcome},
    },
    Fields,
};

/// `crop = "area"`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CropBy {
    Area,
}

/// A dataset as written.
pub(crate) struct Draft(Dataset);

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let header = fields.header();
    let places = ["train", "test", "manifest"].map(|key| fields.place(key));
    let dataset = Dataset {
        train: fields.path("train"),
        test: fields.path("test"),
        manifest: fields.path("manifest"),
        crop_area: fields.take::<CropBy>("crop", "`\"area\"`").is_some(),
    };
    // Nothing is drawn here; a seed is accepted as on any stage.
    fields.seed();
    let help = "give `train` (one folder per class) and, if there is one, `test`; or a `manifest` (a CSV with the columns `path`, `label` and optionally `part`) alone";
    match places {
        [Some(_), _, Some(at)] => fields.tell(&at, "`manifest` beside `train`", Some(help)),
        [None, Some(_), Some(at)] => fields.tell(&at, "`manifest` beside `test`", Some(help)),
        [None, _, None] => {
            let message = "a dataset with neither `train` nor `manifest`";
            fields.tell(&header, message, Some(help));
        }
        _ => {}
    }
    fields.finish()?;
    Some(Draft(dataset))
}

impl Draft {
    pub(crate) fn build(&self) -> Outcome {
        Outcome::plain(Settings::Dataset(self.0.clone()), Origin::default())
    }
}
