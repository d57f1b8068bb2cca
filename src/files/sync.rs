//! What is to be on the disk for good.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
};

use crate::error::{Error, Result};

/// Makes the entries of a folder durable.
///
/// # Errors
/// When the sync fails.
pub fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|folder| synced(&folder))
        .map_err(|e| Error::io("sync", path, e))
}

/// Makes a file or a folder durable, where its file system knows how.
pub(super) fn synced(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

/// Makes every file below a folder, and the folder, durable.
///
/// # Errors
/// When a sync fails.
pub fn sync_tree(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).map_err(|e| Error::io("list", path, e))? {
        let entry = entry.map_err(|e| Error::io("list", path, e))?.path();
        if entry.is_dir() {
            sync_tree(&entry)?;
        } else {
            sync_folder(&entry)?;
        }
    }
    sync_folder(path)
}
