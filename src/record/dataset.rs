//! The two outputs of a dataset stage: `images.json` (content, the input of preprocess) and `labels.json` (the input of
//! split, train and evaluate). Entry `i` of both is the same image; rows of a pack have the same order.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// `images.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    /// Sorted by part (train, then test) and then by path in code point order.
    pub images: Vec<Image>,
}

/// One image by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// NFC, with `/`, relative to the data set and starting with its part: `train/김밥/0001.jpg`.
    pub path: String,
    /// blake3 of the file's bytes.
    pub digest: Digest,
    /// The file's size.
    pub bytes: u64,
    /// The part of the upright photograph that is used; all of it where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
}

/// A box in an upright photograph, in pixels; it is clipped to the photograph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Crop {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

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
}

/// The part and the class of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The given part.
    pub part: Part,
    /// Its place in `classes`.
    pub class: u32,
}

/// A part of a data set as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// To be split into train and validation.
    Train,
    /// Never trained on.
    Test,
}
