//! `[dataset.x]`: folders or zips of classes, or a manifest.

use crate::{
    config::{
        build::{Builder, Draft, Made, Origin, Outcome},
        data_path::DataPath,
        fields::Fields,
        file::Span,
        names::PathText,
    },
    seed::Seed,
    settings::{
        FolderLevel,
        declare::{Described, Table, fields, words},
    },
};

/// Images in class folders (`train`, `validation`, `test`), each a folder, a zip or a folder of zips, or in a list (`manifest`).
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// Class folders, to be split.
    pub train: Option<DataPath>,
    /// Class folders beside `train` that the data set itself gives to validation.
    pub validation: Option<DataPath>,
    /// Class folders, never trained on.
    pub test: Option<DataPath>,
    /// A CSV or TSV with the columns `path`, `label` and optionally `part` (`train`, `validation` or `test`) and `group`,
    /// instead of folders. Paths in it are relative to its folder.
    pub manifest: Option<DataPath>,
    /// A file that lists photographs to leave out: a path on each line, or a CSV with a column `path`.
    pub exclude: Option<DataPath>,
    /// A list of corrected labels.
    pub corrections: Option<DataPath>,
    /// Whether it may correct labels of the test part.
    pub correct_test: bool,
    /// Whether the boxes of `crop_area.properties` are cut out (`crop = "area"`).
    pub crop_area: bool,
    /// Which folder names an image's class. Without it the deepest one, where that is clear.
    pub class: Option<FolderLevel>,
    /// Which folder is an image's group, for `split` to keep together.
    pub group: Option<FolderLevel>,
}

impl Made for Dataset {
    fn outside(&self) -> Vec<&DataPath> {
        let folders = [&self.train, &self.validation, &self.test];
        let lists = [&self.manifest, &self.exclude, &self.corrections];
        folders.into_iter().chain(lists).flatten().collect()
    }
}

words! {
    /// Which boxes are cut out.
    pub(crate) enum CropBy {
        /// The boxes of `crop_area.properties`, as AI Hub trees have them.
        Area = "area",
    }
}

fields! {
    /// Which photographs there are, their classes and their parts.
    pub(crate) struct Given read as GivenRead {
        /// Folders of class folders, nested to any depth; or a zip, or a folder of zips. Needed where there is no `manifest`.
        train: Option<PathText>,
        /// The same, to validate on.
        validation: Option<PathText>,
        /// The same, never trained on.
        test: Option<PathText>,
        /// A CSV or TSV list, in place of the three folders.
        manifest: Option<PathText>,
        /// A file that lists photographs to leave out: a path on each line, or a CSV with a column `path`.
        exclude: Option<PathText>,
        /// A list of corrected labels, as an `audit` stage proposes it: columns `path` and `suggested` or `label`, `leave_out` for a class.
        corrections: Option<PathText>,
        /// Whether `corrections` may name images of the test part.
        correct_test: bool = false,
        /// Take the boxes of an AI Hub tree.
        crop: Option<CropBy>,
        /// Which folder is the class.
        #[unset = "\"deepest\""]
        class: Option<FolderLevel>,
        /// The folder whose images `split` keeps together.
        group: Option<FolderLevel>,
        /// Nothing is drawn here; accepted as on any stage.
        #[unset = "the file's"]
        seed: Option<Seed>,
    }
}

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// A dataset as written.
struct Written(Dataset);

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let read = GivenRead::take(fields);
    let dataset = Dataset {
        train: fields.data_path(read.train.as_ref()),
        validation: fields.data_path(read.validation.as_ref()),
        test: fields.data_path(read.test.as_ref()),
        manifest: fields.data_path(read.manifest.as_ref()),
        exclude: fields.data_path(read.exclude.as_ref()),
        corrections: fields.data_path(read.corrections.as_ref()),
        correct_test: read
            .correct_test
            .as_ref()
            .is_some_and(|flag| *flag.get_ref()),
        crop_area: read.crop.is_some(),
        class: read.class.as_ref().map(|level| *level.get_ref()),
        group: read.group.as_ref().map(|level| *level.get_ref()),
    };
    refuse_mixed(fields);
    refuse_shared(fields, &dataset);
    fields.finish()?;
    Some(Box::new(Written(dataset)))
}

/// Folders and a list are two ways of naming images, and exclude one another.
fn refuse_mixed(fields: &mut Fields<'_, '_>) {
    let help = "give `train` (one folder per class, or a zip of them) and, if there are such, `validation` and `test`; or a `manifest` (a CSV or TSV with the columns `path`, `label` and optionally `part` and `group`) alone";
    let place = |key: &str| fields.place(key);
    let [train, validation, test] = ["train", "validation", "test"].map(place);
    let (manifest, crop) = (fields.place("manifest"), fields.place("crop"));
    let levels = ["class", "group"].map(|key| (key, fields.place(key)));
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
}

/// Two parts of one folder, or one inside the other, share their images: what is told of them is no test.
fn refuse_shared(fields: &mut Fields<'_, '_>, dataset: &Dataset) {
    let places: [Option<Span>; 3] = ["train", "validation", "test"].map(|key| fields.place(key));
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

impl Draft for Written {
    fn build(&self, _: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        Some(vec![Outcome::plain(self.0.clone(), Origin::default())])
    }
}
