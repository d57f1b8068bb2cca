//! A file as a slice of bytes: mapped read-only, so that opening costs microseconds whatever the size.
#![allow(unsafe_code)]

use std::{fs::File, ops::Deref, path::Path};

use crate::error::{Error, Result};

/// A read-only memory map of a whole file.
#[derive(Debug)]
pub struct Map {
    map: memmap2::Mmap,
    file: File,
}

impl Map {
    /// Maps a file.
    ///
    /// # Errors
    /// When it cannot be opened or mapped.
    pub fn open(path: &Path) -> Result<Self> {
        let fail = |e| Error::io("open", path, e);
        let file = File::open(path).map_err(fail)?;
        // SAFETY: the map is read-only, and the files that are mapped are published outputs of the cache, which are
        // replaced by renames and never written in place. Whoever truncates one by hand ends this process with SIGBUS.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(fail)?;
        Ok(Self { map, file })
    }

    /// The mapped file, as for copying from it.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
