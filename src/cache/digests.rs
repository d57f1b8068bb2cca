//! Digests of outside files, remembered by what the file system says of each file.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use rayon::prelude::*;

use super::{Cache, Stat, known::Known, memory::Memory, place::only_readable};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files::{self, FileList},
    stage::DigestedFiles,
    stop::Stop,
};

/// A file that changed less than this before it was hashed is not remembered: it may change again within one tick of
/// the file system's clock, unseen.
const SETTLED: i64 = 2_000_000_000;

/// What was seen of a file.
struct Seen {
    digest: Digest,
    stat: Stat,
    hashed: bool,
    settled: bool,
    /// Its place among those that were known.
    known: Option<usize>,
    /// Why it cannot be read; it is then not remembered.
    lost: Option<&'static str>,
}

impl Seen {
    fn lost(name: &str, why: &'static str) -> Self {
        Self {
            digest: Digest::of_lost(name, why),
            stat: Stat::default(),
            hashed: false,
            settled: false,
            known: None,
            lost: Some(why),
        }
    }
}

impl Cache {
    /// The content digest of each file, in the given order; read only where it is not remembered. Where `may_be_lost`, a file that is
    /// there and cannot be read has the digest of the reason.
    ///
    /// # Errors
    /// When a file cannot be read (of several the first one is told), or a stop was requested: what was hashed until then is
    /// remembered.
    pub fn digest_each(
        &self,
        listed: FileList,
        may_be_lost: bool,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<DigestedFiles> {
        let root = common_folder(&listed);
        let store = self.digests_path(&root);
        let bytes = fs::read(&store).unwrap_or_default();
        let known = remembered(&bytes, &store, tell);
        let hashing = Hashing::of(listed.len(), tell);
        let notes = Notes::of(&known);
        let mut contents = vec![(Digest([0; 32]), 0); listed.len()];
        let each = contents.par_iter_mut().enumerate().with_min_len(64);
        each.for_each_init(Way::default, |way, (i, content)| {
            let seen = stop.check().and_then(|()| {
                listed.get(i).write_path(&mut way.path);
                let found = way.known(i, &known, &root);
                look(&way.path, found).or_else(|error| {
                    let why = files::why_lost(&way.path, &error).filter(|_| may_be_lost);
                    why.map(|why| Seen::lost(&listed.get(i).name(), why))
                        .ok_or(error)
                })
            });
            hashing.one(seen.as_ref().is_ok_and(|seen| seen.hashed));
            match seen {
                Ok(seen) => {
                    *content = (seen.digest, seen.stat.bytes);
                    notes.note(i, &seen);
                }
                Err(error) => notes.fail(i, error),
            }
        });
        let (noted, looked_at) = notes.end();
        let memory = Memory {
            root: &root,
            listed: &listed,
            contents: &contents,
            hashed: &noted.hashed,
            known: &known,
            looked_at: &looked_at,
        };
        // Only a saving, and no reason to make a cache: where it cannot be written, the next run hashes again.
        if self.is_made()
            && !noted.hashed.is_empty()
            && let Err(e) = memory.save(&store)
            && !only_readable(&e)
        {
            tell(StageEvent::Warning(format!(
                "digests are not remembered: {e}"
            )));
        }
        match noted.failed {
            Some((_, error)) => Err(error),
            None => Ok(DigestedFiles::new(listed, contents, noted.lost)),
        }
    }

    fn digests_path(&self, root: &Path) -> PathBuf {
        let name = Digest::of(root.as_os_str().as_bytes());
        self.root.join("digests").join(format!("{name}.bin"))
    }
}

/// What an earlier look left in a file; nothing, and a warning, where that cannot be understood.
fn remembered<'a>(bytes: &'a [u8], store: &Path, tell: Tell<'_>) -> Known<'a> {
    Known::parse(bytes).unwrap_or_else(|| {
        tell(StageEvent::Warning(format!(
            "`{}` cannot be understood; files are hashed again",
            store.display()
        )));
        Known::default()
    })
}

/// Tells how far hashing is: nothing else that is done with a file takes long enough.
struct Hashing<'a> {
    done: AtomicU64,
    total: u64,
    tell: Tell<'a>,
}

impl<'a> Hashing<'a> {
    fn of(total: usize, tell: Tell<'a>) -> Self {
        Self {
            done: AtomicU64::new(0),
            total: total as u64,
            tell,
        }
    }

    /// A file is done, whether it was hashed or its digest remembered.
    fn one(&self, hashed: bool) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if hashed && done.is_multiple_of(512) {
            (self.tell)(StageEvent::Progress {
                what: "hashing".to_owned(),
                done,
                total: self.total,
                unit: "files".to_owned(),
            });
        }
    }
}

/// Where a thread is in the list.
#[derive(Default)]
struct Way {
    path: PathBuf,
    /// How far an entry lies behind its file's place in the list, as at the file before.
    behind: isize,
}

impl Way {
    /// What is known of the file that the way has come to.
    fn known(&mut self, i: usize, known: &Known<'_>, root: &Path) -> Option<Entry> {
        let near = i.saturating_add_signed(self.behind);
        let found = known.get(relative(&self.path, root), near)?;
        self.behind = found.0 as isize - i as isize;
        Some(found)
    }
}

/// What is known of a file: the place of its entry, and what stands there.
type Entry = (usize, Stat, Digest);

/// Stat of one file, and its digest: remembered, or hashed now.
fn look(path: &Path, known: Option<Entry>) -> Result<Seen> {
    let stat_of = || fs::metadata(path).map_err(|e| Error::io("read", path, e));
    let stat = Stat::of(&stat_of()?);
    let place = known.map(|(place, ..)| place);
    if let Some((_, _, digest)) = known.filter(|(_, seen, _)| *seen == stat) {
        return Ok(Seen {
            digest,
            stat,
            hashed: false,
            settled: true,
            known: place,
            lost: None,
        });
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
    let digest = Digest::of_file(path)?;
    let after = Stat::of(&stat_of()?);
    let settled = after == stat && now.saturating_sub(stat.ctime) >= SETTLED;
    Ok(Seen {
        digest,
        stat: after,
        hashed: true,
        settled,
        known: place,
        lost: None,
    })
}

/// What is not as it is remembered: of a million files that are, nothing is kept.
struct Notes {
    noted: Mutex<Noted>,
    /// Of each entry that was known, whether its file was looked at, and is still that.
    known: Vec<AtomicU8>,
}

pub(super) const NOT_LOOKED_AT: u8 = 0;
pub(super) const HOLDS: u8 = 1;
const PAST: u8 = 2;

#[derive(Default)]
struct Noted {
    /// What is to be remembered of files that were hashed, by their places in the list.
    hashed: BTreeMap<usize, Stat>,
    lost: BTreeMap<usize, String>,
    /// The first file that could not be read.
    failed: Option<(usize, Error)>,
}

impl Notes {
    fn of(known: &Known<'_>) -> Self {
        Self {
            noted: Mutex::default(),
            known: (0..known.len())
                .map(|_| AtomicU8::new(NOT_LOOKED_AT))
                .collect(),
        }
    }

    fn note(&self, i: usize, seen: &Seen) {
        let new = seen.hashed || seen.lost.is_some();
        if let Some(known) = seen.known.and_then(|place| self.known.get(place)) {
            known.store(if new { PAST } else { HOLDS }, Ordering::Relaxed);
        }
        if new {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(why) = seen.lost {
                noted.lost.insert(i, why.to_owned());
            } else if seen.settled {
                noted.hashed.insert(i, seen.stat);
            }
        }
    }

    fn fail(&self, i: usize, error: Error) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.failed.as_ref().is_none_or(|(first, _)| i < *first) {
            noted.failed = Some((i, error));
        }
    }

    fn end(self) -> (Noted, Vec<AtomicU8>) {
        let noted = self.noted.into_inner();
        (noted.unwrap_or_else(PoisonError::into_inner), self.known)
    }
}

/// The deepest folder that holds all files.
fn common_folder(listed: &FileList) -> PathBuf {
    let mut folders = listed.folders().iter().map(|f| f.as_os_str().as_bytes());
    let Some(first) = folders.next() else {
        return PathBuf::new();
    };
    let mut common = first.strip_suffix(b"/").unwrap_or(first);
    for folder in folders {
        while !(folder.starts_with(common)
            && (common.is_empty() || folder.get(common.len()) == Some(&b'/')))
        {
            let cut = common.iter().rposition(|&b| b == b'/').unwrap_or(0);
            common = &common[..cut];
        }
    }
    PathBuf::from(std::ffi::OsStr::from_bytes(common))
}

/// A path below `root` as bytes; much cheaper than `strip_prefix` over components.
pub(super) fn relative<'a>(path: &'a Path, root: &Path) -> &'a [u8] {
    let root = root.as_os_str().as_bytes();
    let path = path.as_os_str().as_bytes();
    path.get(root.len()..).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(paths: &[&str]) -> FileList {
        paths.iter().map(|path| (path, path)).collect()
    }

    #[test]
    fn the_common_folder_is_a_folder_and_no_prefix_of_a_name() {
        let of = |paths: &[&str]| common_folder(&listed(paths)).display().to_string();
        assert_eq!(of(&["/data/train/a/1", "/data/test/a/1"]), "/data");
        assert_eq!(of(&["/data/train/a", "/data/train2/a"]), "/data");
        assert_eq!(of(&["/data/a"]), "/data");
        assert_eq!(of(&["/a", "/b/c"]), "");
    }
}
