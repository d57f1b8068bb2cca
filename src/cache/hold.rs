//! What a running process refers to, so that gc leaves it alone.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{ErrorKind, Write},
    path::PathBuf,
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{Cache, Found, Lock, place::may_only_read};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::Tell,
    files,
};

/// The extension of the lists in `runs`.
const KEYS: &str = "keys";

/// The keys that this run refers to: a locked file with a line for each. Gone when dropped; that of a killed process is
/// found unlocked by the next run or by gc.
#[derive(Debug)]
pub struct Hold {
    path: PathBuf,
    held: Mutex<(Holder, BTreeSet<Digest>)>,
}

#[derive(Debug)]
enum Holder {
    Listed(File),
    /// Of a cache of which one may only read: gc waits for as long as this is held.
    Waited(#[expect(dead_code, reason = "it is held")] Lock),
}

impl Cache {
    /// Starts to hold keys; makes the cache where there is none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn hold(&self) -> Result<Hold> {
        self.make()?;
        self.sweep();
        // Between creation and lock gc would take it for that of a dead process.
        let store = self.lock_store_shared()?;
        // Process ids repeat between containers that share a disk, so they do not name a run.
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let path = files::aside(&self.root.join(format!("runs/{nanos}"))).with_extension(KEYS);
        let file = File::options().create_new(true).write(true).open(&path);
        let holder = match file {
            Ok(file) => {
                file.lock().map_err(|e| Error::io("lock", &path, e))?;
                Holder::Listed(file)
            }
            Err(e) if may_only_read(&e) => Holder::Waited(store),
            // No folder `runs`: the store is a copy, made by a program that leaves out empty folders.
            Err(e) if e.kind() == ErrorKind::NotFound => Holder::Waited(store),
            Err(e) => return Err(Error::io("write", &path, e)),
        };
        Ok(Hold {
            path,
            held: Mutex::new((holder, BTreeSet::new())),
        })
    }

    /// Removes what killed runs left in `runs`, unless others are about to use the store: it is only a matter of order.
    fn sweep(&self) {
        let Some(_store) = self.try_lock_store() else {
            return;
        };
        if let Ok((_, dead)) = self.held() {
            for path in dead {
                let _ = fs::remove_file(path);
            }
        }
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
            if path.extension().is_none_or(|extension| extension != KEYS) {
                continue; // Nothing of ours.
            }
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
        if held.1.insert(*key)
            && let Holder::Listed(file) = &mut held.0
        {
            file.write_all(format!("{key}\n").as_bytes())
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
