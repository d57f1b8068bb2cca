//! What a look at folders, zips or a list gives: images with their class, and what was passed over.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use super::Place;
use crate::{
    name::nfc,
    record::{Crop, Looked, Part},
};

/// One image file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The part it was given for.
    pub part: Part,
    /// NFC, with `/`, starting with the role: `train/김밥/0001.jpg`.
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
    /// Whether the data set itself gives it to validation.
    pub validation: bool,
}

impl Found {
    /// An image, by its NFC path below what was looked through, of which nothing more is known.
    pub(super) fn new(role: Role, below: &str, class: String, place: Place) -> Self {
        Self {
            part: role.part(),
            name: format!("{}/{below}", role.name()),
            class,
            place,
            crop: None,
            group: None,
            source: None,
            validation: role == Role::Validation,
        }
    }

    /// What it was given for.
    #[must_use]
    pub fn role(&self) -> Role {
        match (self.part, self.validation) {
            (Part::Test, _) => Role::Test,
            (Part::Train, true) => Role::Validation,
            (Part::Train, false) => Role::Train,
        }
    }
}

/// What images are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// To train on, and to be split.
    Train,
    /// To validate on, by the data set's own word; part of the training part.
    Validation,
    /// Never trained on.
    Test,
}

impl Role {
    /// As in a pipeline file and in an image's path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The part that a word means, in any case. `eval` is none: it is said of validation and of test.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match nfc(word).to_lowercase().as_str() {
            "train" | "training" | "학습" | "훈련" => Self::Train,
            "validation" | "validate" | "valid" | "val" | "dev" | "development" | "검증" => {
                Self::Validation
            }
            "test" | "testing" | "테스트" | "시험" => Self::Test,
            _ => return None,
        })
    }

    /// The part that a folder's name means: `train`, `1.Training`, `kfood_val`, `test_images`.
    #[must_use]
    pub fn of_folder(name: &str) -> Option<Self> {
        let name = nfc(name).to_lowercase();
        let words = name.split(|c: char| !c.is_alphabetic());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        let of = |word: Option<&&str>| word.and_then(|word| Self::of_word(word));
        of(words.last()).or_else(|| of(words.first()))
    }

    /// The part that such images belong to.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::Train | Self::Validation => Part::Train,
            Self::Test => Part::Test,
        }
    }
}

/// All images of one or both parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// By part (train, then test), then by name in code point order.
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
