//! Temporary folders that do not pile up: what a killed command left is removed by the next one.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::Path,
    time::Duration,
};

use tempfile::TempDir;

use crate::error::{Error, Result};

const PREFIX: &str = "kfood-";
/// Held as long as the folder is in use; the system frees it when the process ends, in whatever way.
const LOCK: &str = ".in-use";
/// Between its making and its lock a folder looks forgotten.
const MOMENTS: Duration = Duration::from_mins(1);

/// A private folder, removed when dropped.
pub(super) struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one, and removes those that killed commands of this user left.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn new() -> Result<Self> {
        let fail = |e| {
            let error = Error::failed("cannot make a temporary folder").because(e);
            error.help("let `TMPDIR` name a folder that can be written, with some room; without it that is `/tmp`")
        };
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir()
            .map_err(fail)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(fail)?;
        // Where files cannot be locked, a forgotten folder cannot be told from one in use, and stays.
        let _ = lock.try_lock();
        if let Some(all) = folder.path().parent() {
            sweep(all, folder.path());
        }
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn sweep(all: &Path, own: &Path) {
    let Ok(user) = fs::symlink_metadata(own).map(|meta| meta.uid()) else {
        return;
    };
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let path = entry.path();
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !named || path == own {
            continue;
        }
        let forgotten = || {
            let meta = fs::symlink_metadata(&path).ok()?;
            let old = meta.modified().ok()?.elapsed().ok()? > MOMENTS;
            let ours = meta.is_dir() && meta.uid() == user;
            // Without this file it is somebody else's.
            let lock = File::open(path.join(LOCK)).ok()?;
            (old && ours && lock.try_lock().is_ok()).then_some(())
        };
        if forgotten().is_some() {
            // Another command may do the same at the same time.
            let _ = fs::remove_dir_all(&path);
        }
    }
}
