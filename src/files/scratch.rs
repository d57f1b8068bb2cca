//! Files without a name, for what is too large for memory and of no use afterwards.

use std::{
    fs::File,
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

/// A file without a name; it is gone with this.
#[derive(Debug)]
pub struct Scratch {
    file: File,
    folder: PathBuf,
}

impl Scratch {
    /// An empty one, in a folder.
    ///
    /// # Errors
    /// When none can be made there.
    pub fn create(folder: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(folder).map_err(|e| Error::io("write to", folder, e))?;
        Ok(Self {
            file,
            folder: folder.to_owned(),
        })
    }

    /// Another one in the same folder.
    ///
    /// # Errors
    /// As [`Scratch::create`].
    pub fn another(&self) -> Result<Self> {
        Self::create(&self.folder)
    }

    /// Writes bytes at a place of the file.
    ///
    /// # Errors
    /// When they cannot be written, as on a full disk.
    pub fn write(&self, bytes: &[u8], at: u64) -> Result<()> {
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|e| Error::io("write to", &self.folder, e))
    }

    /// Fills the bytes from a place of the file.
    ///
    /// # Errors
    /// When they cannot be read, or the file ends before.
    pub fn read(&self, bytes: &mut [u8], at: u64) -> Result<()> {
        let read = self.file.read_exact_at(bytes, at);
        read.map_err(|e| Error::io("read in", &self.folder, e))
    }

    /// Makes the file so long; what was never written is zeros.
    ///
    /// # Errors
    /// When the file system takes none of that length.
    pub fn reach(&self, length: u64) -> Result<()> {
        let reached = self.file.set_len(length);
        reached.map_err(|e| Error::io("write to", &self.folder, e))
    }
}

/// Bytes that wait to be written together.
const WAITING: usize = 1 << 16;

/// Items of `N` bytes one behind the other in such a file, known by their places.
#[derive(Debug)]
pub struct Column<const N: usize> {
    scratch: Scratch,
    count: usize,
    waiting: Vec<u8>,
}

impl<const N: usize> Column<N> {
    /// An empty one; `scratch` is where it goes.
    #[must_use]
    pub fn new(scratch: Scratch) -> Self {
        Self {
            scratch,
            count: 0,
            waiting: Vec::new(),
        }
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds the next item. What was added can be read after [`Column::written`].
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn push(&mut self, item: [u8; N]) -> Result<()> {
        self.extend(&[item])
    }

    /// Adds more items.
    ///
    /// # Errors
    /// When they cannot be written, as on a full disk.
    pub fn extend(&mut self, items: &[[u8; N]]) -> Result<()> {
        self.waiting.extend_from_slice(items.as_flattened());
        self.count += items.len();
        match self.waiting.len() < WAITING {
            true => Ok(()),
            false => self.write(),
        }
    }

    /// With all of it where it can be read, and no memory that waits for more.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn written(mut self) -> Result<Self> {
        self.write()?;
        self.waiting = Vec::new();
        Ok(self)
    }

    fn write(&mut self) -> Result<()> {
        let at = self.count * N - self.waiting.len();
        self.scratch.write(&self.waiting, at as u64)?;
        self.waiting.clear();
        Ok(())
    }

    /// One item.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn get(&self, i: usize) -> Result<[u8; N]> {
        let mut item = [0; N];
        self.scratch.read(&mut item, (i * N) as u64)?;
        Ok(item)
    }

    /// Some of them, one behind the other.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self, which: Range<usize>, items: &mut Vec<[u8; N]>) -> Result<()> {
        items.clear();
        items.resize(which.len(), [0; N]);
        let at = (which.start * N) as u64;
        self.scratch.read(items.as_flattened_mut(), at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_by_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let mut column = Column::<8>::new(Scratch::create(folder.path()).unwrap());
        for i in 0..20_000_u64 {
            column.push(i.to_le_bytes()).unwrap();
        }
        let column = column.written().unwrap();
        assert_eq!(column.len(), 20_000);
        let mut items = Vec::new();
        column.read(8_190..8_195, &mut items).unwrap();
        let items: Vec<_> = items.into_iter().map(u64::from_le_bytes).collect();
        assert_eq!(items, [8_190, 8_191, 8_192, 8_193, 8_194]);
        assert_eq!(u64::from_le_bytes(column.get(19_999).unwrap()), 19_999);
        assert!(column.get(20_000).is_err());
    }
}
