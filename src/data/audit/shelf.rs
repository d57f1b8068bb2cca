//! Thumbnails in a file: of a million images they are a gigabyte, of which few are looked at at a time.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    fingerprint::{Fingerprint, SIDE},
    scratch::Scratch,
};
use crate::{digest::Digest, error::Result};

/// Where thumbnails are put away; they are gone with this.
#[derive(Debug)]
pub struct Shelf {
    scratch: Scratch,
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
        Ok(Self {
            scratch: Scratch::create(folder)?,
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
        self.scratch.write(&*fingerprint.thumbnail, at)?;
        Ok(Kept {
            pixels: fingerprint.pixels,
            place,
        })
    }

    /// A thumbnail again.
    pub(super) fn take(&self, kept: &Kept) -> Result<Box<[u8; SIDE * SIDE]>> {
        let mut thumbnail = Box::new([0; SIDE * SIDE]);
        let at = u64::from(kept.place) * (SIDE * SIDE) as u64;
        self.scratch.read(&mut *thumbnail, at)?;
        Ok(thumbnail)
    }

    /// A file beside the thumbnails.
    pub(super) fn scratch(&self) -> Result<Scratch> {
        self.scratch.another()
    }
}
