//! Locks between processes and threads: the system's own, on files that are never unlinked.

use std::{
    fs::{File, Permissions, TryLockError},
    os::unix::fs::PermissionsExt,
    path::Path,
    thread::sleep,
    time::Duration,
};

use super::{
    Cache,
    place::{file_mode, helped, may_only_read, only_readable},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    stop::Stop,
};

/// A lock; free again when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file holds the lock")] Option<File>);

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
                Ok(()) => return Ok(Some(Lock(Some(file)))),
                Err(TryLockError::WouldBlock) if attempt < MOMENTS => {
                    sleep(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path, e)),
            }
        }
        Ok(None)
    }

    /// Whether somebody is at work on a key now. Where that cannot be told, as in a cache that can only be read, nobody is.
    #[must_use]
    pub fn is_worked_on(&self, key: &Digest) -> bool {
        // Who is at work has a folder: no lock file is made for a key that nobody ever began.
        self.attempt_folder(key).is_dir() && matches!(self.try_lock(key), Ok(None))
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

    /// The lock of a look-up by a run; gc waits for it. Where there is no file to lock and none can be made, nobody's gc can run
    /// either.
    pub(super) fn lock_store_shared(&self) -> Result<Lock> {
        let path = self.root.join("locks/store.lock");
        let file = match open(&path) {
            Err(error) if only_readable(&error) => return Ok(Lock(None)),
            file => file?,
        };
        file.lock_shared()
            .map_err(|e| Error::io("lock", &path, e))?;
        Ok(Lock(Some(file)))
    }

    /// The lock of gc if it is free.
    pub(super) fn try_lock_store(&self) -> Option<Lock> {
        let file = open(&self.root.join("locks/store.lock")).ok()?;
        file.try_lock().ok()?;
        Some(Lock(Some(file)))
    }

    /// The lock of gc; look-ups by runs wait for it.
    pub(super) fn lock_store(&self) -> Result<Lock> {
        let path = self.root.join("locks/store.lock");
        let file = open(&path)?;
        file.lock().map_err(|e| Error::io("lock", &path, e))?;
        Ok(Lock(Some(file)))
    }
}

/// Opens a lock file, and makes it where there is none: with the mode of its folder, for all who share the cache lock it. One that
/// may only be read can be locked as well.
fn open(path: &Path) -> Result<File> {
    let made = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    match made {
        Ok(file) => {
            share(&file, path);
            Ok(file)
        }
        Err(e) if may_only_read(&e) => {
            File::open(path).map_err(|_| helped(Error::io("open", path, e)))
        }
        Err(e) => Err(Error::io("open", path, e)),
    }
}

/// Gives a new lock file the mode of its folder. Only a convenience to others.
fn share(file: &File, path: &Path) {
    let wanted = path.parent().and_then(|f| f.metadata().ok());
    let (Some(folder), Ok(meta)) = (wanted, file.metadata()) else {
        return;
    };
    let wanted = file_mode(&folder);
    if meta.permissions().mode() & 0o666 != wanted {
        let _ = file.set_permissions(Permissions::from_mode(wanted));
    }
}
