//! Hashing everything in the cache, and removing what is damaged.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::{Cache, Lock, Record, place::only_readable};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    text::either,
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
    /// Whether its outputs are sound and only a file beside them is meant, which is removed alone.
    pub beside: bool,
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
                Check::Sound(record, damaged) => {
                    verified.sound += 1;
                    verified.bytes += record.bytes();
                    if damaged.is_empty() {
                        continue;
                    }
                    verified.damaged.push(Damaged {
                        key: *key,
                        what: beside(&damaged),
                        removed: self.remove_beside(key)?,
                        stage: Some(record.stage),
                        beside: true,
                    });
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
                        beside: false,
                    });
                }
            }
        }
        Ok(verified)
    }

    /// The lock on an entry that is to be mended; none where it is made right now, or one may only read.
    fn lock_to_mend(&self, key: &Digest) -> Result<Option<Lock>> {
        match self.try_lock(key) {
            Err(error) if only_readable(&error) => Ok(None),
            lock => lock,
        }
    }

    fn verify_entry(&self, key: &Digest) -> Check {
        let path = self.entry(key).join(Record::FILE);
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
                let damaged = self.damaged_beside(&record);
                Check::Sound(Box::new(record), damaged)
            }
            Err(what) => Check::Damaged(Some(record.stage), what),
        }
    }

    /// Removes an entry, its record first, unless its key is locked. Says whether it did.
    /// Looks once more under the lock, for a run may have made the entry anew since.
    fn remove_if_damaged(&self, key: &Digest) -> Result<bool> {
        let Some(lock) = self.lock_to_mend(key)? else {
            return Ok(false);
        };
        if !matches!(self.verify_entry(key), Check::Damaged(..)) {
            return Ok(false);
        }
        mended(self.remove_locked(key, &lock))
    }

    /// Removes what is damaged beside the outputs of an entry, from its record too, unless its key is locked.
    fn remove_beside(&self, key: &Digest) -> Result<bool> {
        let Some(_lock) = self.lock_to_mend(key)? else {
            return Ok(false);
        };
        let Some(mut record) = self.record(key) else {
            return Ok(false);
        };
        let damaged = self.damaged_beside(&record);
        let paths = damaged.iter().map(|name| self.result(&record).join(name));
        let removed = paths.into_iter().try_for_each(|path| files::remove(&path));
        for name in &damaged {
            record.beside.remove(name);
        }
        let path = self.entry(key).join(Record::FILE);
        mended(removed.and_then(|()| record.write(&path)))
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
        files::remove(&entry.join(Record::FILE))?;
        files::remove(&entry)
    }
}

/// Who may only read cannot mend.
fn mended(done: Result<()>) -> Result<bool> {
    match done {
        Err(error) if only_readable(&error) => Ok(false),
        done => done.map(|()| true),
    }
}

fn beside(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let verb = either(names.len(), "is", "are");
    format!("{} beside its result {verb} damaged", quoted.join(", "))
}

enum Check {
    /// The record, and the files beside the outputs that are damaged.
    Sound(Box<Record>, Vec<String>),
    Unfinished,
    Damaged(Option<String>, String),
}
