//! The output of a split stage, `membership.json`.

use serde::{Deserialize, Serialize};

use super::{Likeness, Part};

/// Which image belongs where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The number of folds; `None` for a hold-out.
    pub folds: Option<u32>,
    /// One for each image, in the order of `images.json`.
    pub assignments: Vec<Assignment>,
    /// Images that were left out, with the image whose copies they are; ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// An image of the training part that is the same picture as one of the test part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The image, by its place in `images.json`.
    pub image: u32,
    /// The test image that it looks like.
    pub like: u32,
    /// How far.
    pub likeness: Likeness,
}

/// Where one image belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// Trained on (hold-out).
    Train,
    /// Held out for validation (hold-out).
    Validation,
    /// In this fold: validation when the fold is used, training otherwise.
    Fold(u32),
    /// The given test part.
    Test,
    /// In no part: see [`Split::left_out`] and `left_out` of `labels.json`.
    LeftOut,
}

impl Split {
    /// The images (by place) of one part; `fold` says which fold validates, where there are folds.
    #[must_use]
    pub fn members(&self, part: Part, fold: Option<u32>) -> Vec<usize> {
        let belongs = |assignment: &Assignment| {
            let found = match *assignment {
                Assignment::Train => Part::Train,
                Assignment::Validation => Part::Validation,
                Assignment::Test => Part::Test,
                Assignment::Fold(k) if Some(k) == fold => Part::Validation,
                Assignment::Fold(_) => Part::Train,
                Assignment::LeftOut => return false,
            };
            found == part
        };
        (0..self.assignments.len())
            .filter(|i| belongs(&self.assignments[*i]))
            .collect()
    }
}
