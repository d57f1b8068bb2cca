//! Hashing everything in the cache, and removing what is damaged.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::{Cache, Lock, Record};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
};

/// What `cache verify` found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Entries that are as they were made.
    pub sound: usize,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Entries that were not.
    pub damaged: Vec<Damaged>,
}

/// One damaged entry.
#[derive(Clone, Debug)]
pub struct Damaged {
    /// Its key.
    pub key: Digest,
    /// The stage it was made for, where the record can be read.
    pub stage: Option<String>,
    /// What is wrong, in a few words.
    pub what: String,
    /// Whether it was removed; not while its stage is being made again.
    pub removed: bool,
}

impl Cache {
    /// Hashes every output of every entry and removes damaged entries; the next run makes them again.
    ///
    /// # Errors
    /// When a damaged entry cannot be removed.
    pub fn verify(&self, tell: Tell<'_>) -> Result<Verified> {
        let mut keys = self.keys();
        keys.sort_unstable();
        let total = keys.len() as u64;
        let done = AtomicU64::new(0);
        let check = |key| {
            let checked = self.verify_entry(key);
            tell(StageEvent::Progress {
                what: "verifying".to_owned(),
                done: done.fetch_add(1, Ordering::Relaxed) + 1,
                total,
                unit: "entries".to_owned(),
            });
            (key, checked)
        };
        let checked: Vec<_> = keys.par_iter().map(check).collect();
        let mut verified = Verified::default();
        for (key, checked) in checked {
            match checked {
                Check::Sound(bytes) => {
                    verified.sound += 1;
                    verified.bytes += bytes;
                }
                Check::Unfinished => {}
                Check::Damaged(stage, what) => {
                    let removed = self.remove_if_damaged(key)?;
                    let key = *key;
                    verified.damaged.push(Damaged {
                        key,
                        stage,
                        what,
                        removed,
                    });
                }
            }
        }
        Ok(verified)
    }

    fn verify_entry(&self, key: &Digest) -> Check {
        let path = self.entry(key).join("record.json");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            // The leftover of a killed process; gc removes it.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Check::Unfinished,
            Err(e) => return Check::Damaged(None, Error::io("read", &path, e).to_string()),
        };
        let mut record = match Record::parse(&text) {
            Ok(record) if record.key == *key && record.document.key() == *key => record,
            Ok(_) => return Check::Damaged(None, "its record is that of another entry".to_owned()),
            Err(what) => return Check::Damaged(None, format!("its record {what}")),
        };
        match self.check(&mut record, true) {
            Ok(moved) => {
                if moved {
                    self.remember(&record);
                }
                Check::Sound(record.bytes())
            }
            Err(what) => Check::Damaged(Some(record.stage), what),
        }
    }

    /// Removes an entry, its record first, unless its key is locked. Says whether it did.
    /// Looks once more under the lock, for a run may have made the entry anew since.
    fn remove_if_damaged(&self, key: &Digest) -> Result<bool> {
        let Some(lock) = self.try_lock(key)? else {
            return Ok(false);
        };
        if !matches!(self.verify_entry(key), Check::Damaged(..)) {
            return Ok(false);
        }
        self.remove_locked(key, &lock)?;
        Ok(true)
    }

    pub(super) fn remove_entry(&self, key: &Digest) -> Result<bool> {
        let Some(lock) = self.try_lock(key)? else {
            return Ok(false);
        };
        self.remove_locked(key, &lock)?;
        Ok(true)
    }

    fn remove_locked(&self, key: &Digest, _lock: &Lock) -> Result<()> {
        let entry = self.entry(key);
        files::remove(&entry.join("record.json"))?;
        files::remove(&entry)
    }
}

enum Check {
    Sound(u64),
    Unfinished,
    Damaged(Option<String>, String),
}
