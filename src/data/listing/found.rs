//! What a look at folders, zips or a list gives: images with their class, and what was passed over.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use super::Place;
use crate::{
    files::FileList,
    name::nfc,
    record::{Crop, Looked, Part},
};

/// One image file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The part it was given for.
    pub part: Part,
    /// NFC, with `/`, starting with the part: `train/김밥/0001.jpg`.
    pub name: String,
    /// The class name, NFC.
    pub class: String,
    /// Where its bytes are.
    pub place: Place,
    /// The box that is cut out of it.
    pub crop: Option<Crop>,
    /// The column `group` of a manifest.
    pub group: Option<String>,
    /// The address it came from.
    pub source: Option<String>,
}

impl Found {
    /// An image, by its NFC path below what was looked through, of which nothing more is known.
    pub(super) fn new(part: Part, below: &str, class: String, place: Place) -> Self {
        Self {
            part,
            name: format!("{}/{below}", part.name()),
            class,
            place,
            crop: None,
            group: None,
            source: None,
        }
    }
}

/// The part that a word means, in any case. `eval` is none: it is said of validation and of test.
pub(super) fn part_of_word(word: &str) -> Option<Part> {
    Some(match nfc(word).to_lowercase().as_str() {
        "train" | "training" | "학습" | "훈련" => Part::Train,
        "validation" | "validate" | "valid" | "val" | "dev" | "development" | "검증" => {
            Part::Validation
        }
        "test" | "testing" | "테스트" | "시험" => Part::Test,
        _ => return None,
    })
}

/// The part that a folder's name means: `train`, `1.Training`, `kfood_val`, `test_images`.
#[must_use]
pub fn part_of_folder(name: &str) -> Option<Part> {
    let name = nfc(name).to_lowercase();
    let words = name.split(|c: char| !c.is_alphabetic());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let of = |word: Option<&&str>| word.and_then(|word| part_of_word(word));
    of(words.last()).or_else(|| of(words.first()))
}

/// All images of one or both parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// By part (train, validation, test), then by name in code point order.
    pub images: Vec<Found>,
    /// What is there and was not taken.
    pub passed_over: PassedOver,
    /// Files other than images that the listing was made from, by name (NFC, starting with the role): zips, boxes, addresses.
    pub beside: Vec<(String, PathBuf)>,
    /// What else there is to tell.
    pub notes: Vec<String>,
    /// What is told because it may be a mistake.
    pub warnings: Vec<String>,
}

impl Listing {
    /// Adds another part.
    pub fn append(&mut self, other: Self) {
        self.images.extend(other.images);
        self.passed_over.append(other.passed_over);
        self.beside.extend(other.beside);
        self.notes.extend(other.notes);
        self.warnings.extend(other.warnings);
        self.sort();
    }

    /// The files behind it, in the order of their names: images that are files of their own, and what they were listed from.
    #[must_use]
    pub fn into_files(self) -> FileList {
        let images = self.images.into_iter();
        // What lies in a zip is read with the zip, which is listed once.
        let images = images.filter_map(|found| match found.place {
            Place::File(path) => Some((found.name, path)),
            Place::Zip { .. } => None,
        });
        let mut files: FileList = images.chain(self.beside).collect();
        files.sort();
        files
    }

    /// Brings the images into their order.
    pub(super) fn sort(&mut self) {
        self.images
            .sort_by(|a, b| (a.part, &a.name).cmp(&(b.part, &b.name)));
    }
}

/// How many entries of which kind were not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver(BTreeMap<String, usize>);

impl PassedOver {
    /// Counts one entry, such as a `hidden file`.
    pub fn count(&mut self, kind: impl Into<String>) {
        *self.0.entry(kind.into()).or_default() += 1;
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// By kind, in its order.
    #[must_use]
    pub fn by_kind(&self) -> &BTreeMap<String, usize> {
        &self.0
    }

    /// Adds what was counted elsewhere.
    pub(super) fn append(&mut self, other: Self) {
        for (kind, n) in other.0 {
            *self.0.entry(kind).or_default() += n;
        }
    }
}

/// "passed over 4 entries: 3 hidden, 1 `.txt`".
impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Looked::counted(&self.0))
    }
}
