//! Finding an entry, making one, and publishing it so that it is never half there.

use std::{
    fs::{self, File},
    io::ErrorKind,
    panic::resume_unwind,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use rayon::prelude::*;

use super::{
    Cache, Listing, Output, Record, Stat, listing,
    place::{helped, may_only_read},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    stage::DigestedFiles,
    text::shown_path,
};

/// What a look-up finds.
#[derive(Clone, Debug)]
pub enum Found {
    /// A finished stage; its outputs are as they were made.
    Hit(Box<Record>),
    /// Nothing.
    Miss,
    /// Something that cannot be used, said in a few words. A rerun replaces it.
    Damaged(String),
}

/// The private folders of an attempt at one key. Whoever uses them holds the key's lock.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Empty at the start: for the result.
    pub out: PathBuf,
    /// As an earlier attempt at the same key left it.
    pub state: PathBuf,
    folder: PathBuf,
}

impl Attempt {
    /// Removes everything, the state too.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn discard(self) -> Result<()> {
        files::remove(&self.folder)
    }
}

impl Cache {
    /// Looks an entry up. The record is verified; an output is hashed where the file system tells of a change since it
    /// was last hashed. Anything unreadable is told as a warning and is no error.
    #[must_use]
    pub fn find(&self, key: &Digest, tell: Tell<'_>) -> Found {
        let path = self.entry(key).join(Record::FILE);
        let damaged = |what: String| {
            tell(StageEvent::Warning(format!(
                "{what}; it will be made again"
            )));
            Found::Damaged(what)
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Found::Miss,
            Err(e) => {
                return damaged(format!(
                    "the record `{}` cannot be read: {e}",
                    shown_path(path)
                ));
            }
        };
        let mut record = match Record::parse(&text) {
            Ok(record) if record.key == *key && record.document.key() == *key => record,
            Ok(_) => {
                return damaged(format!(
                    "the record `{}` is that of another entry",
                    shown_path(path)
                ));
            }
            Err(what) => return damaged(format!("the record `{}` {what}", shown_path(path))),
        };
        match self.check(&mut record, false) {
            Ok(false) => {}
            Ok(true) => self.remember(&record),
            Err(what) => return damaged(what),
        }
        Found::Hit(Box::new(record))
    }

    /// Compares the outputs with the record; `thorough` hashes them even if the file system tells of no change. Says
    /// whether the record now remembers another stat, or what is wrong.
    pub(super) fn check(&self, record: &mut Record, thorough: bool) -> Result<bool, String> {
        let paths: Vec<_> = record
            .outputs
            .keys()
            .map(|name| self.output(record, name))
            .collect();
        let mut moved = false;
        for (output, path) in record.outputs.values_mut().zip(paths) {
            let place = shown_path(&path);
            let meta =
                fs::metadata(&path).map_err(|e| format!("the output `{place}` is lost: {e}"))?;
            let stat = Stat::of(&meta);
            if stat == output.seen && !thorough {
                continue;
            }
            if stat.bytes != output.bytes {
                return Err(format!(
                    "the output `{place}` has {} bytes instead of {}",
                    stat.bytes, output.bytes
                ));
            }
            let digest = Digest::of_file(&path).map_err(|e| e.to_string())?;
            if digest != output.digest {
                return Err(format!(
                    "the output `{place}` is damaged: its content has changed"
                ));
            }
            moved |= stat != output.seen;
            output.seen = stat;
        }
        Ok(moved)
    }

    /// Stores what was seen of outputs that were hashed again. Only a saving: failure costs the next hashing.
    pub(super) fn remember(&self, record: &Record) {
        if let Ok(Some(_lock)) = self.try_lock(&record.key) {
            // A run may have made it anew, or gc removed it, while it was hashed.
            let same = |now: Record| now.folder == record.folder && now.started == record.started;
            if !self.record(&record.key).is_some_and(same) {
                return;
            }
            let _mode = self.follow_mode();
            let _ = record.write(&self.entry(&record.key).join(Record::FILE));
        }
    }

    /// Marks an entry as used, at most once a day: gc removes the longest unused first.
    pub(super) fn touch(&self, key: &Digest) {
        let used = || {
            let file = File::open(self.entry(key).join(Record::FILE)).ok()?;
            let age = file.metadata().ok()?.modified().ok()?.elapsed().ok()?;
            (age > Duration::from_hours(24)).then_some(file)
        };
        if let Some(file) = used() {
            // A cache of which one may only read is fine too.
            let _ = file.set_modified(SystemTime::now());
        }
    }

    /// Starts an attempt. What a dead attempt left as result is removed; its state stays.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn attempt(&self, key: &Digest) -> Result<Attempt> {
        let folder = self.attempt_folder(key);
        let attempt = Attempt {
            out: folder.join("out"),
            state: folder.join("state"),
            folder,
        };
        self.can_publish(key)?;
        let made = files::remove(&attempt.out)
            .and_then(|()| files::create_folder(&attempt.out))
            .and_then(|()| files::create_folder(&attempt.state));
        made.map(|()| attempt).map_err(helped)
    }

    /// An error where the result of an attempt could not be put into its place, such as the folder that another person closed: told before
    /// hours of work.
    fn can_publish(&self, key: &Digest) -> Result<()> {
        let entry = self.entry(key);
        let place = match entry.symlink_metadata() {
            Ok(_) => entry,
            Err(_) => self.root.join("entries"),
        };
        match tempfile::tempfile_in(&place) {
            Err(e) if may_only_read(&e) => Err(helped(Error::io("write into", &place, e))),
            _ => Ok(()),
        }
    }

    /// Hashes the outputs of an attempt and makes all its files durable.
    ///
    /// # Errors
    /// When an output is missing or is no plain file.
    pub fn seal(&self, attempt: &Attempt, outputs: &[&str]) -> Result<Vec<(String, Output)>> {
        let (synced, sealed) = thread::scope(|scope| {
            // The disk writes while the processor hashes.
            let sync = scope.spawn(|| files::sync_tree(&attempt.out));
            let sealed: Vec<_> = outputs
                .par_iter()
                .map(|name| Ok(((*name).to_owned(), sealed(&attempt.out, name)?)))
                .collect();
            (sync.join().unwrap_or_else(|e| resume_unwind(e)), sealed)
        });
        synced?;
        sealed.into_iter().collect()
    }

    /// The files of a sealed attempt that are none of its outputs, as the record keeps them.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn beside(&self, attempt: &Attempt, outputs: &[&str]) -> Result<Vec<(String, Output)>> {
        let files = walkdir::WalkDir::new(&attempt.out).sort_by_file_name();
        let names = files.into_iter().flatten().filter_map(|entry| {
            let name = entry.path().strip_prefix(&attempt.out).ok()?.to_str()?;
            let beside = entry.file_type().is_file() && !outputs.contains(&name);
            beside.then(|| name.to_owned())
        });
        let names: Vec<String> = names.collect();
        let seal = |name: String| Ok((name.clone(), sealed(&attempt.out, &name)?));
        names.into_par_iter().map(seal).collect()
    }

    /// Makes an attempt the result for its key: listings first, then one rename, the record last. `record.folder` is
    /// chosen here. What was there before stays until then; `replace` removes it then, for nobody can read it.
    ///
    /// # Errors
    /// When something cannot be written. What was there before then still holds.
    pub fn publish(
        &self,
        attempt: Attempt,
        record: &mut Record,
        listings: &[(String, &DigestedFiles)],
        replace: bool,
    ) -> Result<()> {
        let entry = self.entry(&record.key);
        files::create_folder(&entry)?;
        files::sync_folder(&self.root.join("entries"))?;
        for (role, listed) in listings {
            let path = listing_path(&entry, role);
            // It serves to explain a later rerun; without it the reason is shorter.
            if let Err(error) = listing::write(&path, listed) {
                tracing::warn!("the list of files is not kept: {error}");
                let _ = fs::remove_file(&path);
            }
        }
        let old = folders(&entry);
        let number = |name: &String| {
            name.strip_prefix("out-")
                .and_then(|n| n.parse::<u64>().ok())
        };
        let next = old.iter().filter_map(number).max().unwrap_or(0) + 1;
        record.folder = format!("out-{next}");
        files::rename(&attempt.out, &entry.join(&record.folder))?;
        record.write(&entry.join(Record::FILE))?;
        // The result is there. What is left of the old one and of the attempt is no loss: gc takes it.
        let old = old.iter().filter(|_| replace);
        for left in old.map(|name| entry.join(name)).chain([attempt.folder]) {
            if let Err(error) = files::remove(&left) {
                tracing::warn!("what is no longer needed stays until `kfood cache gc`: {error}");
            }
        }
        Ok(())
    }

    /// A file beside the outputs of a finished stage, as far as it is as it was left; `None` where it is damaged or lost. An
    /// earlier kfood did not write down what it left.
    #[must_use]
    pub fn file_beside(&self, record: &Record, name: &str) -> Option<PathBuf> {
        let path = self.result(record).join(name);
        let sound = match record.beside.get(name) {
            Some(left) => Digest::of_file(&path).is_ok_and(|digest| digest == left.digest),
            None => record.beside.is_empty() && path.exists(),
        };
        sound.then_some(path)
    }

    /// The names of files beside the outputs that are not as they were left.
    pub(super) fn damaged_beside(&self, record: &Record) -> Vec<String> {
        let names = record.beside.keys();
        let damaged = names.filter(|name| self.file_beside(record, name).is_none());
        damaged.cloned().collect()
    }

    /// The files behind an input of a finished stage; `None` where the list is lost or is not the one that the key stands for.
    #[must_use]
    pub fn listing(&self, record: &Record, role: &str) -> Option<Listing> {
        let found = listing::read(&listing_path(&self.entry(&record.key), role))?;
        let wanted = record.document.inputs.get(role)?;
        (listing::digest(&found) == *wanted).then_some(found)
    }

    /// Where the list of an input's outside files lies.
    pub(super) fn listing_file(&self, key: &Digest, role: &str) -> PathBuf {
        listing_path(&self.entry(key), role)
    }

    /// All readable records, by key; outputs are not looked at.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut keys = self.keys();
        keys.sort_unstable();
        keys.par_iter().filter_map(|key| self.record(key)).collect()
    }

    /// A record, if there is one that can be understood; outputs are not looked at.
    #[must_use]
    pub fn record(&self, key: &Digest) -> Option<Record> {
        let text = fs::read_to_string(self.entry(key).join(Record::FILE)).ok()?;
        Record::parse(&text)
            .ok()
            .filter(|record| record.key == *key)
    }

    /// The keys of all entries, whole or not.
    pub(super) fn keys(&self) -> Vec<Digest> {
        let names = names(&self.root.join("entries"));
        names.iter().filter_map(|name| name.parse().ok()).collect()
    }
}

/// The result folders of an entry.
pub(super) fn folders(entry: &Path) -> Vec<String> {
    names(entry)
        .into_iter()
        .filter(|name| name.starts_with("out-"))
        .collect()
}

/// The names in a folder, sorted; none where there is no folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter_map(|e| e.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn listing_path(entry: &Path, role: &str) -> PathBuf {
    entry.join(format!("{}.files", role.replace('/', "_")))
}
/// What the record says of an output.
fn sealed(folder: &Path, name: &str) -> Result<Output> {
    let path = folder.join(name);
    let meta = match fs::symlink_metadata(&path) {
        Ok(meta) if meta.is_file() => meta,
        Ok(_) => {
            return Err(Error::failed(format!(
                "its output `{name}` is no plain file"
            )));
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(Error::failed(format!(
                "it ended without writing its output `{name}`"
            )));
        }
        Err(e) => return Err(Error::io("read", &path, e)),
    };
    Ok(Output {
        digest: Digest::of_file(&path)?,
        bytes: meta.len(),
        seen: Stat::of(&meta),
        at: None,
    })
}
