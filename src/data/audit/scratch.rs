//! A file without a name, for what is too large for memory and of no use afterwards.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// Such a file; it is gone with this.
#[derive(Debug)]
pub(super) struct Scratch {
    file: File,
    folder: PathBuf,
}

impl Scratch {
    /// An empty one, in a folder.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).map_err(|e| Error::io("write to", folder, e))?;
        Ok(Self {
            file,
            folder: folder.to_owned(),
        })
    }

    /// Another one in the same folder.
    pub(super) fn another(&self) -> Result<Self> {
        Self::create(&self.folder)
    }

    /// Writes bytes at a place of the file.
    pub(super) fn write(&self, bytes: &[u8], at: u64) -> Result<()> {
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|e| Error::io("write to", &self.folder, e))
    }

    /// Fills the bytes from a place of the file.
    pub(super) fn read(&self, bytes: &mut [u8], at: u64) -> Result<()> {
        let read = self.file.read_exact_at(bytes, at);
        read.map_err(|e| Error::io("read in", &self.folder, e))
    }
}
