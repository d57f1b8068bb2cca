//! `labels.json` of a dataset stage, the input of split, train and evaluate. Entry `i` is that of `images.json`.

use serde::{Deserialize, Serialize};

use super::Part;

/// `labels.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// Class names, NFC, in code point order; a class is its place in this list.
    pub classes: Vec<String>,
    /// One for each image, in the order of `images.json`.
    pub labels: Vec<Label>,
    /// The column `group` of a manifest as numbers, one for each image; empty where nothing is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Option<u32>>,
    /// The address that each image came from, as numbers; empty where nothing is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Option<u32>>,
    /// The images of the training part that the data set itself gives to validation, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation: Vec<u32>,
    /// The images whose class in `labels` is a correction, ascending; splits are drawn by the class as given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrected: Vec<CorrectedLabel>,
    /// The images that a split puts into no part after it is drawn, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<u32>,
    /// Whether corrections may be of images that a split draws for test.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub correct_test: bool,
}

/// An image whose class is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectedLabel {
    /// Its place in `images.json`.
    pub image: u32,
    /// The class that it is given for.
    pub given: u32,
}

impl Labels {
    /// The part that an image is given for; `None` where it is left out.
    #[must_use]
    pub fn given_for(&self, image: usize) -> Option<Part> {
        let part = self.labels.get(image)?.part;
        let is_among = |images: &[u32]| {
            let image = u32::try_from(image);
            image.is_ok_and(|image| images.binary_search(&image).is_ok())
        };
        match part {
            _ if is_among(&self.left_out) => None,
            Part::Train if is_among(&self.validation) => Some(Part::Validation),
            part => Some(part),
        }
    }

    /// Every image with the class that it is given for, before corrections.
    #[must_use]
    pub fn as_given(&self) -> Self {
        let mut given = self.clone();
        for corrected in &self.corrected {
            if let Some(label) = given.labels.get_mut(corrected.image as usize) {
                label.class = corrected.given;
            }
        }
        given
    }
}

/// The part and the class of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The given part: `Test`, or `Train` for all others. Which of those the data set gives to validation is in
    /// [`Labels::validation`].
    pub part: Part,
    /// Its place in `classes`.
    pub class: u32,
}
