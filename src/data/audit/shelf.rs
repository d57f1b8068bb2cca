//! Fingerprints of a pack's rows in files: of a million they are a gigabyte, of which few are looked at at a time.

use std::{ops::Range, path::Path};

use super::fingerprint::{Fingerprint, SIDE};
use crate::{digest::Digest, error::Result, files::Scratch};

/// Bytes of a digest.
const DIGEST: usize = 32;
/// In the place of the digest of a row that was never put away: none that is ever found.
const NONE: [u8; DIGEST] = [0; DIGEST];

/// Where they are put away, each in the place of its row; they are gone with this.
#[derive(Debug)]
pub struct Shelf {
    thumbnails: Scratch,
    digests: Scratch,
    count: usize,
}

impl Shelf {
    /// An empty one for so many rows, in a folder.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn create(folder: &Path, count: usize) -> Result<Self> {
        let thumbnails = Scratch::create(folder)?;
        let digests = thumbnails.another()?;
        digests.reach((count * DIGEST) as u64)?;
        Ok(Self {
            thumbnails,
            digests,
            count,
        })
    }

    /// Puts the fingerprint of a row away.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn put(&self, i: usize, fingerprint: &Fingerprint) -> Result<()> {
        self.thumbnails
            .write(&*fingerprint.thumbnail, thumbnail_at(i))?;
        self.digests.write(&fingerprint.pixels.0, digest_at(i))
    }

    /// Says that row `i` is equal to row `of`, one before it. Only the first of equal rows is looked at, so that a thumbnail is not
    /// needed.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn repeat(&self, of: usize, i: usize) -> Result<()> {
        let mut digest = NONE;
        self.digests.read(&mut digest, digest_at(of))?;
        self.digests.write(&digest, digest_at(i))
    }

    /// How many rows there may be.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The digests of some rows; `None` for those that were never put away.
    pub(super) fn digests(&self, which: Range<usize>) -> Result<Vec<Option<Digest>>> {
        let mut digests = vec![NONE; which.len()];
        self.digests
            .read(digests.as_flattened_mut(), digest_at(which.start))?;
        let digest = |digest| Some(digest).filter(|digest| *digest != NONE).map(Digest);
        Ok(digests.into_iter().map(digest).collect())
    }

    /// A thumbnail again, of a row that was put away.
    pub(super) fn thumbnail(&self, i: usize) -> Result<Box<[u8; SIDE * SIDE]>> {
        let mut thumbnail = Box::new([0; SIDE * SIDE]);
        self.thumbnails.read(&mut *thumbnail, thumbnail_at(i))?;
        Ok(thumbnail)
    }

    /// A file beside the thumbnails.
    pub(super) fn scratch(&self) -> Result<Scratch> {
        self.thumbnails.another()
    }
}

fn thumbnail_at(i: usize) -> u64 {
    (i * SIDE * SIDE) as u64
}

fn digest_at(i: usize) -> u64 {
    (i * DIGEST) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_repeat_another_have_its_digest_and_dropped_ones_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::create(folder.path(), 4).unwrap();
        let row: Vec<u8> = (0..3 * 40 * 40).map(|i| (i % 251) as u8).collect();
        let fingerprint = Fingerprint::of(&row, 40, 40);
        shelf.put(1, &fingerprint).unwrap();
        shelf.repeat(0, 2).unwrap();
        shelf.repeat(1, 3).unwrap();
        let some = Some(fingerprint.pixels);
        assert_eq!(shelf.digests(0..4).unwrap(), [None, some, None, some]);
        assert_eq!(shelf.digests(3..4).unwrap(), [some]);
        assert_eq!(shelf.thumbnail(1).unwrap(), fingerprint.thumbnail);
    }
}
