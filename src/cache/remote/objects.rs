//! What a remote cache needs of a store: whole objects by name, and lists of them.

use std::{
    fmt::Debug,
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::SystemTime,
};

use crate::{
    error::{Error, Result},
    stop::Stop,
};

/// Objects are read in pieces of this size, and written in parts of at least it.
pub(super) const PIECE: u64 = 8 << 20;
/// Requests at once for one object, or for several small ones.
const AT_ONCE: usize = 4;

/// An object as a store tells of it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// Its name within its folder.
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

/// Counts bytes as they arrive or leave.
pub(super) type Count<'a> = &'a (dyn Fn(u64) + Sync);

/// A store of objects. An error is one of the store (it cannot be reached, it refuses); what is not there is none.
pub(super) trait Objects: Debug + Send + Sync {
    /// Makes what has to be there before anything can be written.
    fn prepare(&self) -> Result<()>;
    /// What is known of an object without reading it.
    fn look(&self, name: &str) -> Result<Option<Object>>;
    /// An object's bytes from `from` on, never more than so many.
    fn read(&self, name: &str, from: u64, length: u64) -> Result<Option<Vec<u8>>>;
    /// Writes a small object in one step; without `replace` only where there is none. Says whether it did.
    fn write(&self, name: &str, bytes: Vec<u8>, replace: bool) -> Result<bool>;
    /// Writes a file as an object, in parts. What was written before an interruption is noted in `notes`, and not written again.
    fn upload(
        &self,
        name: &str,
        file: &Path,
        notes: &Path,
        stop: &Stop,
        count: Count<'_>,
    ) -> Result<()>;
    /// The objects of a folder.
    fn list(&self, folder: &str) -> Result<Vec<Object>>;
    /// What uploads that were killed left in a folder, where the store does not remove that by itself.
    fn leftovers(&self, folder: &str) -> Result<Vec<Object>>;
    /// Removes an object or a leftover; nothing there is fine.
    fn remove(&self, name: &str) -> Result<()>;
}

/// What came of fetching an object into a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Whole,
    /// What is wrong with it, in a few words.
    Wrong(String),
}

/// Writes an object of this size into a file. Its content is still to be verified.
pub(super) fn fetch(
    objects: &dyn Objects,
    name: &str,
    bytes: u64,
    to: &Path,
    stop: &Stop,
    count: Count<'_>,
) -> Result<Arrival> {
    let failed = |e| Error::io("write", to, e);
    // No room is made for what is not there.
    if bytes > PIECE
        && let found = objects.look(name)?.map(|object| object.bytes)
        && found != Some(bytes)
    {
        return Ok(Arrival::Wrong(
            found.map_or("is not there".to_owned(), |found| {
                format!("has {found} bytes instead of {bytes}")
            }),
        ));
    }
    let file = File::create(to).map_err(failed)?;
    file.set_len(bytes).map_err(failed)?;
    let wrong = Mutex::new(None);
    let pieces = usize::try_from(bytes.div_ceil(PIECE)).unwrap_or(usize::MAX);
    in_parallel(pieces, |piece| {
        stop.check()?;
        let from = piece as u64 * PIECE;
        let wanted = PIECE.min(bytes - from);
        let found = objects.read(name, from, wanted)?;
        let what = match &found {
            None => "is not there".to_owned(),
            Some(found) if found.len() as u64 != wanted => {
                let has = from + found.len() as u64;
                format!("ends after {has} bytes instead of {bytes}")
            }
            Some(found) => {
                file.write_all_at(found, from).map_err(failed)?;
                count(wanted);
                return Ok(());
            }
        };
        let mut wrong = wrong.lock().unwrap_or_else(|broken| broken.into_inner());
        wrong.get_or_insert(what);
        Ok(())
    })?;
    let wrong = wrong.into_inner().unwrap_or_else(|b| b.into_inner());
    Ok(wrong.map_or(Arrival::Whole, Arrival::Wrong))
}

/// Does work number 0 to `n`, a few at once; the first error ends it.
pub(super) fn in_parallel(n: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    several(AT_ONCE, n, work)
}

/// Does work number 0 to `n`, so many at once; the first error ends it.
pub(super) fn several(
    at_once: usize,
    n: usize,
    work: impl Fn(usize) -> Result<()> + Sync,
) -> Result<()> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let one_by_one = || {
        while !failed.load(Ordering::Relaxed) {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                break;
            }
            work(i).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    };
    if n < 2 {
        return one_by_one();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once.min(n))
            .map(|_| scope.spawn(one_by_one))
            .collect();
        // All are waited for; the first error is told.
        let ended: Vec<Result<()>> = threads
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
            .collect();
        ended.into_iter().collect()
    })
}
