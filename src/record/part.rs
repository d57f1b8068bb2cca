//! The parts of a data set.

use serde::{Deserialize, Serialize};

/// A part of a data set: as it is given, to train with, and to evaluate on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What models learn from.
    Train,
    /// What they are selected by.
    Validation,
    /// What they never see before they are judged.
    Test,
}

impl Part {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The name as in a pipeline file and in an image's path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}
