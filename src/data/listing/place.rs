//! Where the bytes of an image are: a file of its own, or an entry of a zip.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Archive;
use crate::{error::Result, files};

/// The place of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, spelt as the disk has it.
    File(PathBuf),
    /// In a zip, which is open; reading is safe from any thread.
    Zip {
        /// The zip.
        archive: Arc<Archive>,
        /// Its place in the directory of the zip.
        entry: usize,
    },
}

impl Place {
    /// The bytes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => files::read(path),
            Self::Zip { archive, entry } => archive.read(*entry),
        }
    }

    /// The file to be watched for changes.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Zip { archive, .. } => archive.path(),
        }
    }

    /// The bytes of its name, readable.
    pub(super) fn spelling(&self) -> String {
        match self {
            Self::File(path) => path
                .as_os_str()
                .as_encoded_bytes()
                .escape_ascii()
                .to_string(),
            Self::Zip { archive, entry } => archive.entries()[*entry].spelling.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Zip { archive, entry } => {
                let name = &archive.entries()[*entry].name;
                write!(f, "{}/{name}", archive.path().display())
            }
        }
    }
}
