//! `[dataset.x]`: folders or zips of classes, or a manifest.

use serde::Deserialize;

use super::{
    super::{
        Dataset, Settings,
        build::{Origin, Outcome},
        files::Span,
    },
    Fields,
};
use crate::settings::FolderLevel;

/// What `class` and `group` accept.
const LEVEL: &str = "`\"deepest\"`, `\"first\"` or `{ level = 2 }`, a folder between what the dataset names and an image";

/// `crop = "area"`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CropBy {
    Area,
}

/// A dataset as written.
pub(crate) struct Draft(Dataset);

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let levels = ["class", "group"].map(|key| (key, fields.place(key)));
    let level = |fields: &mut Fields<'_, '_>, key| {
        let level = fields.take::<FolderLevel>(key, LEVEL);
        level.map(toml::Spanned::into_inner)
    };
    let places = ["train", "validation", "test", "manifest", "crop"].map(|key| fields.place(key));
    let dataset = Dataset {
        train: fields.path("train"),
        validation: fields.path("validation"),
        test: fields.path("test"),
        manifest: fields.path("manifest"),
        exclude: fields.path("exclude"),
        crop_area: fields.take::<CropBy>("crop", "`\"area\"`").is_some(),
        class: level(fields, "class"),
        group: level(fields, "group"),
    };
    // Nothing is drawn here; a seed is accepted as on any stage.
    fields.seed();
    let help = "give `train` (one folder per class, or a zip of them) and, if there are such, `validation` and `test`; or a `manifest` (a CSV or TSV with the columns `path`, `label` and optionally `part` and `group`) alone";
    let [train, validation, test, manifest, crop] = places;
    if let Some(at) = &manifest {
        let folders = [
            ("train", &train),
            ("validation", &validation),
            ("test", &test),
        ];
        if let Some((beside, _)) = folders.into_iter().find(|(_, place)| place.is_some()) {
            fields.tell(at, format!("`manifest` beside `{beside}`"), Some(help));
        }
        if let Some(crop) = crop {
            let help = "the boxes are read beside the images of class folders; leave `crop` out";
            fields.tell(&crop, "`crop` beside `manifest`", Some(help));
        }
        for (key, at) in levels {
            let Some(at) = at else { continue };
            let column = if key == "class" { "label" } else { "group" };
            let help = format!("a list says it in its column `{column}`; leave `{key}` out");
            fields.tell(&at, format!("`{key}` beside `manifest`"), Some(&help));
        }
    } else if train.is_none() {
        let message = "a dataset with neither `train` nor `manifest`";
        fields.miss_any(vec!["train", "manifest"], message, help);
    }
    refuse_shared(fields, &dataset, [train, validation, test]);
    fields.finish()?;
    Some(Draft(dataset))
}

/// Two parts of one folder, or one inside the other, share their images: what is told of them is no test.
fn refuse_shared(fields: &mut Fields<'_, '_>, dataset: &Dataset, places: [Option<Span>; 3]) {
    let parts = [
        ("train", &dataset.train),
        ("validation", &dataset.validation),
        ("test", &dataset.test),
    ];
    let parts = parts.into_iter().zip(places);
    let parts: Vec<_> = parts
        .filter_map(|((key, folder), place)| {
            let path = &folder.as_ref()?.path;
            // Two names may lead to one folder.
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            Some((key, place?, real))
        })
        .collect();
    for (i, (other, _, theirs)) in parts.iter().enumerate() {
        for (key, place, own) in &parts[i + 1..] {
            let how = if own == theirs {
                "are one folder"
            } else if own.starts_with(theirs) || theirs.starts_with(own) {
                "lie inside one another"
            } else {
                continue;
            };
            let message = format!("`{other}` and `{key}` {how}, so they share images");
            let help = "give each part a folder of its own; `test = 0.1` in the split draws a test part from `train`";
            fields.tell(place, message, Some(help));
        }
    }
}

impl Draft {
    pub(crate) fn build(&self) -> Outcome {
        Outcome::plain(Settings::Dataset(self.0.clone()), Origin::default())
    }
}
