//! Writes a pack row by row, in any order, from any thread, with constant memory.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::pack::{CHANNELS, HEADER, MAGIC, VERSION};
use crate::error::{Error, Result};

/// A pack under way; see [`super::Pack`] for the format.
#[derive(Debug)]
pub struct PackWriter {
    file: File,
    path: PathBuf,
    row_bytes: usize,
}

impl PackWriter {
    /// Creates the file in its full length, all pixels black.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path, width: u32, height: u32, count: usize) -> Result<Self> {
        let fail = |e| Error::io("create", path, e);
        let row_bytes = (width as usize)
            .checked_mul(height as usize)
            .and_then(|n| n.checked_mul(CHANNELS))
            .filter(|row| row.checked_mul(count).is_some())
            .ok_or_else(|| {
                Error::usage(format!(
                    "{count} images of {width}x{height} pixels are too many bytes"
                ))
            })?;
        let file = File::create(path).map_err(fail)?;
        file.set_len((HEADER + row_bytes * count) as u64)
            .map_err(fail)?;
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        for number in [VERSION, width, height, CHANNELS as u32] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        header.extend_from_slice(&(count as u64).to_le_bytes());
        header.resize(HEADER, 0);
        file.write_all_at(&header, 0).map_err(fail)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            row_bytes,
        })
    }

    /// Writes row `i`, u8 in height x width x (red, green, blue).
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn write(&self, i: usize, row: &[u8]) -> Result<()> {
        debug_assert_eq!(row.len(), self.row_bytes);
        self.file
            .write_all_at(row, (HEADER + i * self.row_bytes) as u64)
            .map_err(|e| Error::io("write", &self.path, e))
    }
}
