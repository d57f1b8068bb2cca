//! Paths of data, and models that a pipeline names.

use std::path::PathBuf;

use super::location::Location;
use crate::settings::{Arch, Checkpoint, Normalize, Pretrained};

/// A path of data outside the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPath {
    /// As written in the file, variables unexpanded.
    pub written: String,
    /// Absolute, variables expanded; spelt as the disk has it.
    pub path: PathBuf,
    /// The root of the project whose file names it.
    pub root: PathBuf,
    /// Where it is written.
    pub location: Location,
}

/// A model: of a stage, or a file.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a stage has one of them")]
pub enum ModelSource {
    /// Of a train, transfer or select instance.
    Stage {
        /// Its id.
        id: String,
        /// Its best or its last state.
        checkpoint: Checkpoint,
    },
    /// Of an ensemble instance.
    Ensemble {
        /// Its id.
        id: String,
    },
    /// A `.pt`, `.pth` or `.safetensors` file.
    File {
        /// Where.
        path: DataPath,
        /// Normalisation, for a file that does not say.
        normalize: Option<Normalize>,
        /// Class names in the order of the model's outputs, for a file that does not say.
        classes: Option<Vec<String>>,
        /// Which of several sets of weights.
        weights: Option<String>,
        /// Published weights, where it is named as such or known by its name.
        pretrained: Option<&'static Pretrained>,
    },
}

impl ModelSource {
    /// The file, where it is one.
    #[must_use]
    pub fn outside(&self) -> Option<&DataPath> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Stage { .. } | Self::Ensemble { .. } => None,
        }
    }
}

/// Where the network of a stage's model comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Network<'a> {
    /// It is built by its name.
    Built(Arch),
    /// It is that of another stage's model.
    Of(&'a str),
    /// It is that of one of these stages, which the result says.
    OneOf(&'a [String]),
    /// They are those of all these stages.
    All(&'a [String]),
    /// A file brings it, or there is none.
    Unknown,
}
