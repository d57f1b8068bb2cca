//! Where the bytes of an image are: a file of its own.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{error::Result, files};

/// The place of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, spelt as the disk has it.
    File(PathBuf),
}

impl Place {
    /// The bytes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => files::read(path),
        }
    }

    /// The file to be watched for changes.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::File(path) => path,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
        }
    }
}
