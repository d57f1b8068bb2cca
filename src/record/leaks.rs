//! What an evaluation says about look-alikes across parts.

use serde::{Deserialize, Serialize};

use super::{Likeness, Part};

/// Look-alikes and what they do to the numbers; part of `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaks {
    /// Validation and test, as far as they were evaluated.
    pub parts: Vec<LeakedPart>,
    /// Pairs of look-alikes in the whole data set whose classes differ.
    pub conflicts: u64,
    /// The first few of them, by path.
    pub conflicting: Vec<[String; 2]>,
}

/// A part whose images were looked for in others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakedPart {
    /// Which part.
    pub part: Part,
    /// Images in it.
    pub images: u64,
    /// Images that look like one of the training part.
    pub like_train: u64,
    /// Images that look like one of the validation part; 0 for validation itself.
    pub like_validation: u64,
    /// Top-1 over all images.
    pub top1: f64,
    /// Top-1 over those that look like no training image; `None` where there are none.
    pub top1_without: Option<f64>,
    /// Those images that look like a training image.
    pub leaked: Vec<Leaked>,
}

/// One image that looks like another of the training part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaked {
    /// Its path.
    pub path: String,
    /// The path of the training image.
    pub like: String,
    /// How far.
    pub likeness: Likeness,
}

/// `leaks.json`: what the model's features say about look-alikes of training images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureLeaks {
    /// The cosine from which on two images count as look-alikes.
    pub cosine: f64,
    /// Validation and test, as far as they were evaluated.
    pub parts: Vec<ByFeatures>,
    /// At most one for each image: with the training image that the audit of pixels found, else with the nearest one.
    pub pairs: Vec<FeatureLeak>,
}

/// One part in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByFeatures {
    /// Which part.
    pub part: Part,
    /// Pairs that the audit of pixels found and the features confirm.
    pub confirmed: u64,
    /// Pairs that only the features show.
    pub further: u64,
    /// Top-1 over the images without any pair; `None` where there are none.
    pub top1_without: Option<f64>,
}

/// One pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureLeak {
    /// Where the image belongs.
    pub part: Part,
    /// Its path.
    pub path: String,
    /// The path of the training image.
    pub like: String,
    /// How far the audit of pixels found them the same; `None` where it did not.
    pub known: Option<Likeness>,
    /// Of their features, from -1 to 1.
    pub cosine: f64,
}
