//! What a running process refers to, so that gc leaves it alone.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{Cache, Found};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::Tell,
    files,
};

/// The keys that this run refers to: a locked file with a line for each. Gone when dropped; that of a killed process is
/// found unlocked by gc.
#[derive(Debug)]
pub struct Hold {
    path: PathBuf,
    held: Mutex<(File, BTreeSet<Digest>)>,
}

impl Cache {
    /// Starts to hold keys.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn hold(&self) -> Result<Hold> {
        // Between creation and lock gc would take it for that of a dead process.
        let _store = self.lock_store_shared()?;
        // Process ids repeat between containers that share a disk, so they do not name a run.
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let path = files::aside(&self.root.join(format!("runs/{nanos}"))).with_extension("keys");
        let file = File::options()
            .create_new(true)
            .write(true)
            .open(&path)
            .map_err(|e| Error::io("write", &path, e))?;
        file.lock().map_err(|e| Error::io("lock", &path, e))?;
        Ok(Hold {
            path,
            held: Mutex::new((file, BTreeSet::new())),
        })
    }

    /// Looks an entry up and holds its key in one step: what it finds stays until the hold is dropped.
    ///
    /// # Errors
    /// When the hold cannot be written.
    pub fn find_and_hold(&self, key: &Digest, hold: &Hold, tell: Tell<'_>) -> Result<Found> {
        let _store = self.lock_store_shared()?;
        hold.add(key)?;
        let found = self.find(key, tell);
        if let Found::Hit(_) = found {
            self.touch(key);
        }
        Ok(found)
    }

    /// Keys held by processes that are alive. The store must be locked alone; files of dead processes come second.
    pub(super) fn held(&self) -> Result<(BTreeSet<Digest>, Vec<PathBuf>)> {
        let folder = self.root.join("runs");
        let (mut keys, mut dead) = (BTreeSet::new(), Vec::new());
        for entry in fs::read_dir(&folder).map_err(|e| Error::io("list", &folder, e))? {
            let path = entry.map_err(|e| Error::io("list", &folder, e))?.path();
            let Ok(file) = File::open(&path) else {
                continue; // Ended just now.
            };
            if file.try_lock().is_ok() {
                dead.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            keys.extend(text.lines().filter_map(|line| line.parse::<Digest>().ok()));
        }
        dead.sort();
        Ok((keys, dead))
    }
}

impl Hold {
    /// Holds one more key. The store must be locked, so that gc cannot come between.
    pub(super) fn add(&self, key: &Digest) -> Result<()> {
        let mut held = self
            .held
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if held.1.insert(*key) {
            held.0
                .write_all(format!("{key}\n").as_bytes())
                .map_err(|e| Error::io("write", &self.path, e))?;
        }
        Ok(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // If it stays, gc finds it unlocked.
        let _ = fs::remove_file(&self.path);
    }
}
