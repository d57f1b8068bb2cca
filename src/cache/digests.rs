//! Digests of outside files, remembered by what the file system says of each file.

use std::{
    collections::HashMap,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use rayon::prelude::*;

use super::{
    Cache, Stat,
    known::{HEAD, Known},
    place::only_readable,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    stage::{DigestedFile, InputFile},
    stop::Stop,
};

/// A file that changed less than this before it was hashed is not remembered: it may change again within one tick of
/// the file system's clock, unseen.
const SETTLED: i64 = 2_000_000_000;

struct Looked {
    file: DigestedFile,
    stat: Stat,
    hashed: bool,
    settled: bool,
}

/// What was seen of a file.
struct Seen {
    digest: Digest,
    stat: Stat,
    hashed: bool,
    settled: bool,
}

impl Looked {
    fn of(file: InputFile, seen: &Seen) -> Self {
        Self {
            file: DigestedFile {
                name: file.name,
                path: file.path,
                digest: seen.digest,
                bytes: seen.stat.bytes,
                lost: None,
            },
            stat: seen.stat,
            hashed: seen.hashed,
            settled: seen.settled,
        }
    }

    /// A file that cannot be read; not remembered.
    fn lost(file: InputFile, why: &str) -> Self {
        Self {
            file: DigestedFile {
                digest: Digest::of_lost(&file.name, why),
                name: file.name,
                path: file.path,
                bytes: 0,
                lost: Some(why.to_owned()),
            },
            stat: Stat::default(),
            hashed: false,
            settled: false,
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
        listed: Vec<InputFile>,
        may_be_lost: bool,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<Vec<DigestedFile>> {
        let root = common_folder(&listed);
        let store = self.digests_path(&root);
        let bytes = fs::read(&store).unwrap_or_default();
        let known = remembered(&bytes, &store, tell);
        let hashing = Hashing::of(listed.len(), tell);
        let looked: Vec<_> = listed
            .into_par_iter()
            .enumerate()
            .with_min_len(64)
            // How far an entry lies behind its file's place in the list, as at the file before.
            .map_init(
                || 0_isize,
                |behind, (i, file)| {
                    stop.check()?;
                    let near = i.saturating_add_signed(*behind);
                    let found = known.get(relative(&file.path, &root), near);
                    if let Some((place, ..)) = found {
                        *behind = place as isize - i as isize;
                    }
                    let known = found.map(|(_, stat, digest)| (stat, digest));
                    let looked = match look(&file.path, known) {
                        Ok(seen) => Ok(Looked::of(file, &seen)),
                        Err(error) => {
                            let why = files::why_lost(&file.path, &error).filter(|_| may_be_lost);
                            why.map(|why| Looked::lost(file, why)).ok_or(error)
                        }
                    };
                    hashing.one(looked.as_ref().is_ok_and(|l| l.hashed));
                    looked
                },
            )
            .collect();
        let mut failed = None;
        let looked: Vec<Looked> = looked
            .into_iter()
            .filter_map(|looked| looked.map_err(|e| failed.get_or_insert(e)).ok())
            .collect();
        // Only a saving, and no reason to make a cache: where it cannot be written, the next run hashes again.
        if self.is_made()
            && looked.iter().any(|l| l.hashed && l.settled)
            && let Err(e) = save(&store, &root, &looked, &known)
            && !only_readable(&e)
        {
            tell(StageEvent::Warning(format!(
                "digests are not remembered: {e}"
            )));
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(looked.into_iter().map(|l| l.file).collect()),
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

/// Stat of one file, and its digest: remembered, or hashed now.
fn look(path: &Path, known: Option<(Stat, Digest)>) -> Result<Seen> {
    let stat_of = || fs::metadata(path).map_err(|e| Error::io("read", path, e));
    let stat = Stat::of(&stat_of()?);
    if let Some((_, digest)) = known.filter(|(seen, _)| *seen == stat) {
        return Ok(Seen {
            digest,
            stat,
            hashed: false,
            settled: true,
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
    })
}

/// The deepest folder that holds all files.
fn common_folder(listed: &[InputFile]) -> PathBuf {
    let Some(first) = listed.first() else {
        return PathBuf::new();
    };
    let mut common = first
        .path
        .parent()
        .unwrap_or(Path::new(""))
        .as_os_str()
        .as_bytes();
    for file in listed {
        let path = file.path.as_os_str().as_bytes();
        while !(path.starts_with(common)
            && (common.is_empty() || path.get(common.len()) == Some(&b'/')))
        {
            let cut = common.iter().rposition(|&b| b == b'/').unwrap_or(0);
            common = &common[..cut];
        }
    }
    PathBuf::from(std::ffi::OsStr::from_bytes(common))
}

/// A path below `root` as bytes; much cheaper than `strip_prefix` over components.
fn relative<'a>(path: &'a Path, root: &Path) -> &'a [u8] {
    let root = root.as_os_str().as_bytes();
    let path = path.as_os_str().as_bytes();
    path.get(root.len()..).unwrap_or(path)
}

/// Writes what is known now: these files, and others below the same root that are still there (another stage's).
fn save(store: &Path, root: &Path, looked: &[Looked], known: &Known<'_>) -> Result<()> {
    let mut all: HashMap<&[u8], (Stat, Digest)> = HashMap::with_capacity(looked.len());
    let mut listed = std::collections::HashSet::with_capacity(looked.len());
    for l in looked {
        let path = relative(&l.file.path, root);
        listed.insert(path);
        if l.settled {
            all.insert(path, (l.stat, l.file.digest));
        }
    }
    let there = |path: &[u8]| {
        let mut whole = root.as_os_str().as_bytes().to_vec();
        whole.extend_from_slice(path);
        Path::new(std::ffi::OsStr::from_bytes(&whole)).exists()
    };
    let others = known.entries().into_par_iter();
    let others = others.filter(|(path, _)| !listed.contains(path) && there(path));
    all.extend(others.collect::<Vec<_>>());
    let mut entries: Vec<_> = all.into_iter().collect();
    entries.sort_unstable_by_key(|(path, _)| *path);
    let mut body = Vec::with_capacity(entries.len() * 110);
    for (path, (stat, digest)) in entries {
        let Ok(length) = u32::try_from(path.len()) else {
            continue; // No file system has such paths.
        };
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(path);
        body.extend_from_slice(&stat.bytes.to_le_bytes());
        body.extend_from_slice(&stat.mtime.to_le_bytes());
        body.extend_from_slice(&stat.ctime.to_le_bytes());
        body.extend_from_slice(&stat.inode.to_le_bytes());
        body.extend_from_slice(&digest.0);
    }
    let mut bytes = HEAD.to_vec();
    bytes.extend_from_slice(&Digest::of(&body).0);
    bytes.extend_from_slice(&body);
    files::publish(store, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(paths: &[&str]) -> Vec<InputFile> {
        let file = |path: &&str| InputFile {
            name: (*path).to_owned(),
            path: path.into(),
        };
        paths.iter().map(file).collect()
    }

    #[test]
    fn the_common_folder_is_a_folder_and_no_prefix_of_a_name() {
        let of = |paths: &[&str]| common_folder(&listed(paths)).display().to_string();
        assert_eq!(of(&["/data/train/a/1", "/data/test/a/1"]), "/data");
        assert_eq!(of(&["/data/train/a", "/data/train2/a"]), "/data");
        assert_eq!(of(&["/data/a"]), "/data");
        assert_eq!(of(&["/a", "/b/c"]), "");
    }

    #[test]
    fn remembered_digests_survive_their_file_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("x.bin");
        let stat = Stat {
            bytes: 1,
            mtime: 2,
            ctime: 3,
            inode: 4,
        };
        let file = DigestedFile {
            name: "a".into(),
            path: "/r/김밥".into(),
            digest: Digest::of(b"x"),
            bytes: 1,
            lost: None,
        };
        let looked = [Looked {
            file,
            stat,
            hashed: true,
            settled: true,
        }];
        save(&store, Path::new("/r"), &looked, &Known::default()).unwrap();
        let mut bytes = fs::read(&store).unwrap();
        let known = Known::parse(&bytes).unwrap();
        let path = "/김밥".as_bytes();
        // Wherever it is looked for first.
        for near in [0, 7] {
            assert_eq!(known.get(path, near), Some((0, stat, Digest::of(b"x"))));
        }
        assert_eq!(known.get(b"/a", 0), None);
        assert!(Known::parse(&bytes[..bytes.len() - 1]).is_none());
        *bytes.last_mut().unwrap() ^= 1;
        assert!(Known::parse(&bytes).is_none());
    }
}
