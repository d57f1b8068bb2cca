//! Where the bytes of an image are: a file of its own, or an entry of a zip.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Archive,
    archive::{LARGEST_ENTRY, LARGEST_TEXT},
    held::{Content, Room},
};
use crate::{
    error::Result,
    files,
    text::{shown, shown_path},
};

/// The place of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, spelt as the disk has it.
    File(PathBuf),
    /// In a zip, which is opened when it is read; that is safe from any thread.
    Zip {
        /// The zip.
        archive: Arc<Archive>,
        /// Its place in the directory of the zip.
        entry: usize,
    },
}

impl Place {
    /// The bytes of an image. Over all threads, those of large files are held in memory one after the other.
    ///
    /// # Errors
    /// When they cannot be read, or are more than any image has.
    pub fn read(&self) -> Result<Content> {
        match self {
            Self::File(path) => {
                let (file, length) = files::open_sized(path)?;
                let room = Room::for_bytes(length.min(LARGEST_ENTRY));
                let bytes = files::read_open(path, file, length, LARGEST_ENTRY)?;
                Ok(Content::new(bytes, room))
            }
            Self::Zip { archive, entry } => archive.read(*entry),
        }
    }

    /// The bytes of a text that lies beside images.
    ///
    /// # Errors
    /// When they cannot be read, or are more than such a text has.
    pub(super) fn read_text(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => files::read_bounded(path, LARGEST_TEXT),
            Self::Zip { archive, entry } => archive.read_text(*entry),
        }
    }

    /// Whether it is a file that has more bytes than any image: that is known without reading it.
    #[must_use]
    pub fn is_oversize(&self) -> bool {
        let Self::File(path) = self else { return false };
        path.metadata()
            .is_ok_and(|found| found.len() > LARGEST_ENTRY)
    }

    /// Whether it is in a zip that is another file than it was when its directory was read.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Zip { archive, .. } => archive.has_changed(),
        }
    }

    /// The file that holds it.
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
            Self::File(path) => f.write_str(&shown_path(path)),
            Self::Zip { archive, entry } => {
                let name = shown(&archive.entries()[*entry].name);
                write!(f, "{}/{name}", shown_path(archive.path()))
            }
        }
    }
}
