//! Removing what nothing refers to.

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    Cache, Record,
    entry::{folders, names},
};
use crate::{digest::Digest, error::Result, files};

/// What to remove. With neither limit everything that nothing refers to.
#[derive(Clone, Debug, Default)]
pub struct Gc {
    /// Keys that stay: of pipelines, lock files and pinned runs. Those of running processes stay anyway.
    pub keep: BTreeSet<Digest>,
    /// What was used since then stays: a run may have finished it after `keep` was collected.
    pub since: Option<SystemTime>,
    /// Remove entries and leftovers that were not used for this long.
    pub older_than: Option<Duration>,
    /// Then remove the longest unused ones until this many bytes are left.
    pub max_bytes: Option<u64>,
}

/// One entry, for `cache ls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Digest,
    /// The kind of the stage.
    pub kind: String,
    /// The stage it was first made for.
    pub stage: String,
    /// The pipeline file of that stage, as it was given.
    pub pipeline: Option<String>,
    /// All files in bytes.
    pub bytes: u64,
    /// When it was last used (to the day).
    pub used: SystemTime,
}

/// What an interrupted process left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The file or folder.
    pub path: PathBuf,
    /// All files in bytes.
    pub bytes: u64,
    key: Option<Digest>,
}

/// What gc removed, or would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Results, sorted by key.
    pub entries: Vec<Entry>,
    /// Leftovers, sorted by path.
    pub leftovers: Vec<Leftover>,
    /// Entries that stay.
    pub kept: usize,
    /// Their files in bytes.
    pub kept_bytes: u64,
}

impl Removed {
    /// Bytes in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let entries = self.entries.iter().map(|e| e.bytes).sum::<u64>();
        entries + self.leftovers.iter().map(|l| l.bytes).sum::<u64>()
    }
}

impl Cache {
    /// All finished entries, sorted by key.
    #[must_use]
    pub fn list(&self) -> Vec<Entry> {
        self.records()
            .into_iter()
            .filter_map(|record| {
                let folder = self.entry(&record.key);
                let meta = std::fs::metadata(folder.join(Record::FILE)).ok()?;
                Some(Entry {
                    key: record.key,
                    kind: record.document.kind,
                    stage: record.stage,
                    pipeline: record.pipeline,
                    bytes: size(&folder),
                    used: meta.modified().ok()?,
                })
            })
            .collect()
    }

    /// Removes what nothing refers to; `dry` only says what that would be. Waits for look-ups of running processes and
    /// makes them wait; what they refer to stays.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn gc(&self, gc: &Gc, dry: bool) -> Result<Removed> {
        if !self.is_made() {
            return Ok(Removed::default());
        }
        self.make()?;
        let _store = self.lock_store()?;
        let (held, dead_runs) = self.held()?;
        let keep: BTreeSet<_> = gc.keep.union(&held).copied().collect();
        let removed = self.choose(gc, &keep, &held, dead_runs)?;
        if !dry {
            for entry in &removed.entries {
                self.remove_entry(&entry.key)?;
            }
            for leftover in &removed.leftovers {
                // Locked while it goes, so that no process starts to use it at that moment.
                let lock = leftover.key.map(|key| self.try_lock(&key)).transpose()?;
                if !matches!(lock, Some(None)) {
                    files::remove(&leftover.path)?;
                }
            }
        }
        Ok(removed)
    }

    fn choose(
        &self,
        gc: &Gc,
        keep: &BTreeSet<Digest>,
        held: &BTreeSet<Digest>,
        dead_runs: Vec<PathBuf>,
    ) -> Result<Removed> {
        let all = self.list();
        let total = all.len();
        let mut left: u64 = all.iter().map(|e| e.bytes).sum();
        let mut entries = Vec::new();
        let mut candidates = Vec::new();
        let young = |used: SystemTime| gc.since.is_some_and(|since| used >= since);
        for entry in all
            .iter()
            .filter(|e| !keep.contains(&e.key) && !young(e.used))
        {
            if self.try_lock(&entry.key)?.is_some() {
                candidates.push(entry.clone());
            }
        }
        candidates.sort_by_key(|e| (e.used, Reverse(e.bytes), e.key));
        let now = SystemTime::now();
        let limited = gc.older_than.is_some() || gc.max_bytes.is_some();
        for entry in candidates {
            let age = now.duration_since(entry.used).unwrap_or_default();
            let old = gc.older_than.is_some_and(|limit| age > limit);
            let too_much = gc.max_bytes.is_some_and(|limit| left > limit);
            if old || too_much || !limited {
                left -= entry.bytes;
                entries.push(entry);
            }
        }
        self.spare(&all, &mut entries);
        entries.sort_by_key(|e| e.key);
        let kept = total - entries.len();
        let gone: u64 = entries.iter().map(|e| e.bytes).sum();
        let kept_bytes = all.iter().map(|e| e.bytes).sum::<u64>() - gone;
        let mut leftovers = self.leftovers(keep, &all)?;
        leftovers.extend(self.half_written(&leftovers)?);
        leftovers.extend(self.replaced(held, &all, &entries)?);
        leftovers.extend(dead_runs.into_iter().map(|path| Leftover {
            bytes: size(&path),
            path,
            key: None,
        }));
        if let Some(limit) = gc.older_than {
            // The state of an interrupted training counts as used when it was last written.
            let age = |l: &Leftover| now.duration_since(newest(&l.path)?).ok();
            leftovers.retain(|l| age(l).is_none_or(|age| age > limit));
        }
        leftovers.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Removed {
            entries,
            leftovers,
            kept,
            kept_bytes,
        })
    }

    /// Takes out of what goes whatever a result that stays refers to.
    fn spare(&self, all: &[Entry], going: &mut Vec<Entry>) {
        loop {
            let goes: BTreeSet<Digest> = going.iter().map(|e| e.key).collect();
            let stays = all.iter().filter(|e| !goes.contains(&e.key));
            let records = stays.filter_map(|e| self.record(&e.key));
            let referred: BTreeSet<Digest> = records
                .flat_map(|r| r.refers_to().collect::<Vec<_>>())
                .collect();
            going.retain(|e| !referred.contains(&e.key));
            if going.len() == goes.len() {
                return;
            }
        }
    }

    /// Attempts of dead processes and results without a record.
    fn leftovers(&self, keep: &BTreeSet<Digest>, whole: &[Entry]) -> Result<Vec<Leftover>> {
        let whole: BTreeSet<_> = whole.iter().map(|e| e.key).collect();
        let attempts = names(&self.root.join("attempts"));
        let attempts = attempts.iter().filter_map(|name| name.parse().ok());
        let attempts = attempts.map(|key| (key, self.attempt_folder(&key)));
        let without_record = self.keys().into_iter().filter(|key| !whole.contains(key));
        let without_record = without_record.map(|key| (key, self.entry(&key)));
        let mut found = Vec::new();
        for (key, path) in attempts.chain(without_record) {
            // Of a finished entry a kill may have left the attempt behind: nobody goes on from it.
            if (!keep.contains(&key) || whole.contains(&key)) && self.try_lock(&key)?.is_some() {
                let bytes = size(&path);
                found.push(Leftover {
                    path,
                    bytes,
                    key: Some(key),
                });
            }
        }
        Ok(found)
    }

    /// What a kill or a full disk left half written: the result of an attempt that will start anew, and files that were to replace
    /// others. The state that an attempt goes on from stays.
    fn half_written(&self, going: &[Leftover]) -> Result<Vec<Leftover>> {
        let parsed = |folder: &str| -> Vec<Digest> {
            let names = names(&self.root.join(folder));
            names.iter().filter_map(|name| name.parse().ok()).collect()
        };
        let mut found: Vec<(PathBuf, Option<Digest>)> = Vec::new();
        for key in parsed("attempts") {
            let out = self.attempt_folder(&key).join("out");
            if out.exists() {
                found.push((out, Some(key)));
            }
            let state = self.attempt_folder(&key).join("state");
            let inside = walkdir::WalkDir::new(&state).into_iter().flatten();
            let inside = inside.filter(|entry| entry.file_type().is_file());
            let aside = inside.filter(|entry| is_aside(&entry.file_name().to_string_lossy()));
            found.extend(aside.map(|entry| (entry.into_path(), Some(key))));
        }
        for key in self.keys() {
            let entry = self.entry(&key);
            let aside = names(&entry).into_iter().filter(|name| is_aside(name));
            found.extend(aside.map(|name| (entry.join(name), Some(key))));
        }
        for folder in ["", "digests", "entries"].map(|name| self.root.join(name)) {
            let aside = names(&folder).into_iter().filter(|name| is_aside(name));
            let aside = aside.map(|name| folder.join(name));
            // Nothing is locked while these are written, in moments.
            let old = aside.filter(|path| newest(path).is_some_and(settled));
            found.extend(old.map(|path| (path, None)));
        }
        // Stores forget uploads that did not end.
        let uploads = self.root.join("uploads");
        let notes = names(&uploads).into_iter().map(|name| uploads.join(name));
        let old = notes.filter(|path| {
            let age = newest(path).and_then(|written| written.elapsed().ok());
            age.is_some_and(|age| age > FORGOTTEN)
        });
        found.extend(old.map(|path| (path, None)));
        let mut left = Vec::new();
        for (path, key) in found {
            let counted = going.iter().any(|l| path.starts_with(&l.path));
            let locked = match &key {
                Some(key) => self.try_lock(key)?.is_none(),
                None => false,
            };
            if !counted && !locked {
                let bytes = size(&path);
                left.push(Leftover { path, bytes, key });
            }
        }
        Ok(left)
    }

    /// Results that a forced rerun replaced, in entries that stay. Processes that are alive may still read them.
    fn replaced(
        &self,
        held: &BTreeSet<Digest>,
        whole: &[Entry],
        going: &[Entry],
    ) -> Result<Vec<Leftover>> {
        let mut found = Vec::new();
        for Entry { key, .. } in whole.iter().filter(|e| !going.contains(e)) {
            let entry = self.entry(key);
            let old = folders(&entry);
            if old.len() < 2 || held.contains(key) || self.try_lock(key)?.is_none() {
                continue;
            }
            let current = self.record(key).map(|r| r.folder);
            for folder in old.into_iter().filter(|f| Some(f) != current.as_ref()) {
                let path = entry.join(folder);
                found.push(Leftover {
                    bytes: size(&path),
                    path,
                    key: Some(*key),
                });
            }
        }
        Ok(found)
    }
}

/// After so long nobody goes on with an upload.
const FORGOTTEN: Duration = Duration::from_hours(7 * 24);

/// Whether a name is that of a file that is written beside another one to replace it (`files::aside`), or of one that `tempfile` has
/// taken the name from at once, where a file system has no files without a name (NFS): a kill may come between the two.
fn is_aside(name: &str) -> bool {
    let unnamed = name.strip_prefix(".tmp").is_some_and(|random| {
        random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    unnamed || (name.starts_with('.') && name.ends_with(".tmp"))
}

/// Whether what was written then is surely not being written any more.
fn settled(written: SystemTime) -> bool {
    const MOMENTS: Duration = Duration::from_mins(10);
    written.elapsed().is_ok_and(|age| age > MOMENTS)
}

/// When anything below a path was last written.
fn newest(path: &Path) -> Option<SystemTime> {
    let entries = walkdir::WalkDir::new(path).into_iter().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max()
}

/// All files below a path, in bytes; what goes away meanwhile counts nothing.
fn size(path: &Path) -> u64 {
    walkdir::WalkDir::new(path)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .filter(|meta| meta.is_file())
        .map(|meta| meta.len())
        .sum()
}
