//! Whether anybody touched a stage's inputs while it ran: a file that changes and changes back has the content of before, and
//! the stage may have read the other one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rayon::prelude::*;

use crate::{
    cache::Stat,
    error::{Error, Result},
    stage::DigestedFiles,
    text::{shown, shown_path},
};

/// A file system's clock moves in steps: at most this far for one that writes parts of a second, in nanoseconds.
const TICK: i64 = 20_000_000;
/// The same for one that writes whole (FAT: even) seconds.
const COARSE_TICK: i64 = 2_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// What the file system says of the inputs of a stage. A program cannot set `ctime`, so that what was written, replaced or moved
/// in between is seen even where it was put back.
pub(super) struct Untouched {
    /// By role, each in the order of the files.
    files: BTreeMap<String, Vec<Seen>>,
    /// The links and folders on the way to the files.
    way: BTreeMap<PathBuf, Step>,
    /// Outputs of other stages, by role.
    outputs: Vec<(String, Stat)>,
}

struct Seen {
    stat: Stat,
    /// Of the link itself, where the file is one.
    link: Option<Box<Stat>>,
}

#[derive(Clone, Copy)]
struct Step {
    stat: Stat,
    is_link: bool,
}

impl Untouched {
    /// Looks at the files and at the outputs, both by role.
    ///
    /// # Errors
    /// When one is not there.
    pub(super) fn look(
        files: &BTreeMap<String, DigestedFiles>,
        outputs: &BTreeMap<String, PathBuf>,
    ) -> Result<Self> {
        let mut seen = BTreeMap::new();
        let mut linked: Vec<PathBuf> = Vec::new();
        for (role, listed) in files {
            let of_role = (0..listed.len()).into_par_iter().with_min_len(64);
            let of_role = of_role.map_init(PathBuf::new, |path, i| {
                let one = listed.get(i);
                one.file.write_path(path);
                look_at(path, one.lost.is_none())
            });
            let of_role = of_role.collect::<Result<Vec<_>>>()?;
            let links = (listed.iter().zip(&of_role)).filter(|(_, seen)| seen.link.is_some());
            linked.extend(links.filter_map(|(one, _)| fs::canonicalize(one.file.path()).ok()));
            seen.insert(role.clone(), of_role);
        }
        // With what is above a folder the way has all that is above its files.
        let folders = files.values().flat_map(|listed| listed.list().folders());
        let parents = linked.iter().filter_map(|path| path.parent());
        let parents: BTreeSet<_> = folders.map(PathBuf::as_path).chain(parents).collect();
        let outputs = outputs.iter().map(|(role, path)| {
            let stat = Stat::of(&stat(path)?);
            Ok((role.clone(), stat))
        });
        Ok(Self {
            way: way(&parents),
            files: seen,
            outputs: outputs.collect::<Result<_>>()?,
        })
    }

    /// Waits until the clock of the file system has moved on since the last change: a later one is then seen.
    pub(super) fn settle(&self) {
        let files = || self.files.values().flatten();
        let links = files().filter_map(|f| f.link.as_deref());
        let stats = files().map(|f| &f.stat).chain(links);
        let stats = stats.chain(self.way.values().map(|step| &step.stat));
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        let left = |stat: &Stat| {
            let whole = stat.ctime % SECOND == 0;
            let tick = if whole { COARSE_TICK } else { TICK };
            // What changed in the future was written by another clock; waiting for it would have no end.
            let age = now.saturating_sub(stat.ctime);
            (0..tick).contains(&age).then_some(tick - age)
        };
        let longest = stats.filter_map(left).max().unwrap_or(0);
        sleep(Duration::from_nanos(longest.unsigned_abs()));
    }

    /// What was touched since `before`, in words; both are looks at these files.
    pub(super) fn touched_since(
        &self,
        before: &Self,
        files: &BTreeMap<String, DigestedFiles>,
    ) -> Option<String> {
        for (role, listed) in files {
            let (was, now) = (&before.files[role], &self.files[role]);
            let mut pairs = was.iter().zip(now);
            if let Some(i) = pairs.position(|(was, now)| was.is_written(now)) {
                let name = listed.get(i).file.name();
                return Some(format!("the file `{}` of input `{role}`", shown(&name)));
            }
        }
        let step = before.way.iter().find(|(path, step)| {
            self.way.get(*path).is_none_or(|now| match step.is_link {
                true => !now.is_link || written(&step.stat, &now.stat),
                false => now.is_link || is_moved(path, &step.stat, &now.stat),
            })
        });
        if let Some((path, step)) = step {
            let what = if step.is_link { "link" } else { "folder" };
            return Some(format!("the {what} `{}`", shown_path(path)));
        }
        // A result in the cache may get another owner or a second name; it is written once.
        let output = before.outputs.iter().zip(&self.outputs).find(|(a, b)| {
            let (a, b) = (a.1, b.1);
            (a.bytes, a.mtime) != (b.bytes, b.mtime)
        });
        output.map(|((role, _), _)| format!("the input `{role}`"))
    }
}

impl Seen {
    fn is_written(&self, now: &Self) -> bool {
        written(&self.stat, &now.stat)
            || self.link.is_some() != now.link.is_some()
            || (self.link.as_ref().zip(now.link.as_ref())).is_some_and(|(a, b)| written(a, b))
    }
}

fn look_at(path: &Path, readable: bool) -> Result<Seen> {
    let link = lstat(path)?;
    let is_link = link.is_symlink();
    // Of one that cannot be read, only the link or the file itself is told.
    let stat = match is_link && readable {
        true => Stat::of(&stat(path)?),
        false => Stat::of(&link),
    };
    Ok(Seen {
        stat,
        link: is_link.then(|| Box::new(Stat::of(&link))),
    })
}

/// Whether a file or link is another one now, or was written. An inode alone says nothing: some file systems number anew.
fn written(a: &Stat, b: &Stat) -> bool {
    (a.bytes, a.mtime, a.ctime) != (b.bytes, b.mtime, b.ctime)
}

/// Whether a folder was moved away and back, or made unreadable for a time: names that come and go in it move both its times.
fn moved(a: &Stat, b: &Stat) -> bool {
    a.ctime != b.ctime && (a.mtime == b.mtime || a.inode != b.inode)
}

/// As [`moved`], of a folder that was just looked at. A look is not one moment: where a name comes or goes meanwhile, the new `ctime` may be
/// seen beside the old `mtime` (Linux writes one after the other, and whoever writes may have to wait in between). So it is looked at again,
/// for a second at most, until that is over or nothing comes of it.
fn is_moved(path: &Path, was: &Stat, now: &Stat) -> bool {
    if !moved(was, now) {
        return false;
    }
    let waits = (0..10).map(|n| Duration::from_millis(1 << n));
    let again = waits.filter_map(|wait| {
        sleep(wait);
        lstat(path).ok()
    });
    let mut other = again.map(|meta| Stat::of(&meta)).filter(|stat| stat != now);
    other.next().is_none_or(|stat| moved(was, &stat))
}

/// The folders and links above the given folders, as they are written and as they lie.
fn way(parents: &BTreeSet<&Path>) -> BTreeMap<PathBuf, Step> {
    let real = parents.iter().filter_map(|p| fs::canonicalize(p).ok());
    let real: BTreeSet<PathBuf> = real.collect();
    let mut way = BTreeMap::new();
    for folder in parents
        .iter()
        .copied()
        .chain(real.iter().map(PathBuf::as_path))
    {
        for step in folder.ancestors() {
            if way.contains_key(step) {
                break; // And so is everything above it.
            }
            // What cannot be looked at cannot be moved by its user either.
            if let Ok(meta) = fs::symlink_metadata(step) {
                let (stat, is_link) = (Stat::of(&meta), meta.is_symlink());
                way.insert(step.to_owned(), Step { stat, is_link });
            }
        }
    }
    way
}

fn stat(path: &Path) -> Result<fs::Metadata> {
    fs::metadata(path).map_err(|e| Error::io("read", path, e))
}

fn lstat(path: &Path) -> Result<fs::Metadata> {
    fs::symlink_metadata(path).map_err(|e| Error::io("read", path, e))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn seen(folder: &Path) -> Stat {
        Stat::of(&lstat(folder).unwrap())
    }

    #[test]
    fn names_that_come_and_go_in_a_folder_are_no_move_at_whatever_moment_it_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let done = AtomicBool::new(false);
        let busy = |n: u32| {
            while !done.load(Ordering::Relaxed) {
                let name = folder.path().join(n.to_string());
                fs::write(&name, "").unwrap();
                fs::remove_file(&name).unwrap();
            }
        };
        // Of a million looks some tens see the new `ctime` beside the old `mtime`.
        let is_told = std::thread::scope(|scope| {
            (0..3).for_each(|n| drop(scope.spawn(move || busy(n))));
            let mut was = seen(folder.path());
            let is_told = (0..1_000_000).any(|_| {
                let now = seen(folder.path());
                let is_told = is_moved(folder.path(), &was, &now);
                was = now;
                is_told
            });
            done.store(true, Ordering::Relaxed);
            is_told
        });
        assert!(!is_told);
    }

    #[test]
    fn a_folder_that_was_moved_and_moved_back_is_seen() {
        let parent = tempfile::tempdir().unwrap();
        let [here, aside] = ["here", "aside"].map(|name| parent.path().join(name));
        fs::create_dir(&here).unwrap();
        let was = seen(&here);
        fs::rename(&here, &aside).unwrap();
        fs::rename(&aside, &here).unwrap();
        assert!(is_moved(&here, &was, &seen(&here)));
    }
}
