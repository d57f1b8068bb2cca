//! Thumbnails in a file: of a million images they are a gigabyte, of which few are looked at at a time.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::fingerprint::{Fingerprint, SIDE};
use crate::{
    digest::Digest,
    error::{Error, Result},
};

/// A file without a name, which is gone with this.
#[derive(Debug)]
pub struct Shelf {
    file: File,
    folder: PathBuf,
    next: AtomicU32,
}

/// What stays in memory of a fingerprint.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Of the row's pixels.
    pub(super) pixels: Digest,
    place: u32,
}

impl Shelf {
    /// An empty one, in a folder.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn create(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).map_err(|e| Error::io("write to", folder, e))?;
        Ok(Self {
            file,
            folder: folder.to_owned(),
            next: AtomicU32::new(0),
        })
    }

    /// Puts a thumbnail away.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn put(&self, fingerprint: &Fingerprint) -> Result<Kept> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let at = u64::from(place) * (SIDE * SIDE) as u64;
        let put = self.file.write_all_at(&*fingerprint.thumbnail, at);
        put.map_err(|e| Error::io("write to", &self.folder, e))?;
        Ok(Kept {
            pixels: fingerprint.pixels,
            place,
        })
    }

    /// A thumbnail again.
    pub(super) fn take(&self, kept: &Kept) -> Result<Box<[u8; SIDE * SIDE]>> {
        let mut thumbnail = Box::new([0; SIDE * SIDE]);
        let at = u64::from(kept.place) * (SIDE * SIDE) as u64;
        let read = self.file.read_exact_at(&mut *thumbnail, at);
        read.map_err(|e| Error::io("read in", &self.folder, e))?;
        Ok(thumbnail)
    }
}
