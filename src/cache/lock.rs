//! Locks between processes and threads: the system's own, on files that are never unlinked.

use std::{
    fs::{File, TryLockError},
    path::Path,
    thread::sleep,
    time::Duration,
};

use super::Cache;
use crate::{
    digest::Digest,
    error::{Error, Result},
    stop::Stop,
};

/// A lock; free again when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file holds the lock")] File);

/// How often a lock is tried again, a millisecond apart, before it counts as held.
const MOMENTS: u32 = 50;

impl Cache {
    /// The lock on the making of one entry, if it is free.
    ///
    /// # Errors
    /// When the lock file cannot be opened.
    pub fn try_lock(&self, key: &Digest) -> Result<Option<Lock>> {
        let path = self.root.join("locks").join(format!("{key}.lock"));
        let file = open(&path)?;
        // A process that another thread is just starting holds copies of all open files, this lock's too, until it runs its
        // program: such a lock is free again within moments.
        for attempt in 0.. {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Lock(file))),
                Err(TryLockError::WouldBlock) if attempt < MOMENTS => {
                    sleep(Duration::from_millis(1))
                }
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path, e)),
            }
        }
        Ok(None)
    }

    /// The lock on the making of one entry; calls `waiting` once if another holds it, and looks for a stop meanwhile.
    ///
    /// # Errors
    /// When the lock file cannot be opened, or a stop was requested.
    pub fn lock(&self, key: &Digest, stop: &Stop, waiting: impl FnOnce()) -> Result<Lock> {
        if let Some(lock) = self.try_lock(key)? {
            return Ok(lock);
        }
        waiting();
        // Not a blocking lock: that could not be interrupted.
        loop {
            stop.check()?;
            sleep(Duration::from_millis(20));
            if let Some(lock) = self.try_lock(key)? {
                return Ok(lock);
            }
        }
    }

    /// The lock of a look-up by a run; gc waits for it.
    pub(super) fn lock_store_shared(&self) -> Result<Lock> {
        let path = self.root.join("locks/store.lock");
        let file = open(&path)?;
        file.lock_shared()
            .map_err(|e| Error::io("lock", &path, e))?;
        Ok(Lock(file))
    }

    /// The lock of gc; look-ups by runs wait for it.
    pub(super) fn lock_store(&self) -> Result<Lock> {
        let path = self.root.join("locks/store.lock");
        let file = open(&path)?;
        file.lock().map_err(|e| Error::io("lock", &path, e))?;
        Ok(Lock(file))
    }
}

fn open(path: &Path) -> Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|e| Error::io("open", path, e))
}
