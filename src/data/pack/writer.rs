//! Writes a pack row by row, in any order, from any thread; memory for the index alone.

use std::{
    collections::HashMap,
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    Pack,
    copy::{copy_range, shares_blocks},
    journal::WAITING,
    layout::{ENTRY, Entry, Head, PAGE, row_digest, short},
    row_jpeg,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    files::folder_of,
    native::start_writeback,
    settings::Storage,
};

/// After so many bytes they are sent to the disk.
const ON_ITS_WAY: usize = 32 << 20;

/// A pack under way; see `layout` for the format. It is none before [`PackWriter::finish`].
///
/// JPEG rows differ in length and come in any order, while equal work shall give equal bytes: they wait in a file without a
/// name, and `finish` puts them in order.
#[derive(Debug)]
pub struct PackWriter {
    file: File,
    path: PathBuf,
    head: Head,
    made_of: Vec<Digest>,
    rows: Mutex<Vec<Option<Stored>>>,
    waiting: Option<Waiting>,
    /// Whether rows are taken over by the file system.
    shares: bool,
    /// Bytes of rows that were written by this process.
    written: AtomicUsize,
}

/// A row that was written.
#[derive(Clone, Copy, Debug)]
struct Stored {
    row: u64,
    /// In the pack, or among the waiting rows.
    at: usize,
    length: u32,
    dropped: bool,
}

/// The file of waiting JPEG rows.
#[derive(Debug)]
struct Waiting {
    file: File,
    end: AtomicUsize,
}

impl PackWriter {
    /// Creates the file. `made_of` has a digest for each row of all that makes it beside the settings of the pack.
    ///
    /// # Errors
    /// When it cannot be created, or such rows cannot be stored.
    pub fn create(
        path: &Path,
        width: u32,
        height: u32,
        storage: Storage,
        made_of: Vec<Digest>,
    ) -> Result<Self> {
        let fail = |e| Error::io("create", path, e);
        let count = made_of.len();
        let head = Head::new(width, height, storage, count).ok_or_else(|| {
            Error::usage(format!(
                "{count} images of {width}x{height} pixels are too many bytes"
            ))
        })?;
        if storage == Storage::Jpeg && width.max(height) > u32::from(u16::MAX) {
            return Err(Error::usage(format!(
                "a JPEG has at most 65535 pixels on a side, and rows have {width}x{height}"
            ))
            .help("leave `storage` out"));
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .map_err(fail)?;
        file.set_len(head.length as u64).map_err(fail)?;
        let shares = storage == Storage::Raw && shares_blocks(&file);
        let waiting = match storage {
            Storage::Raw => None,
            Storage::Jpeg => Some(Waiting {
                file: tempfile::tempfile_in(folder_of(path)).map_err(fail)?,
                end: AtomicUsize::new(0),
            }),
        };
        Ok(Self {
            file,
            path: path.to_owned(),
            head,
            made_of,
            rows: Mutex::new(vec![None; count]),
            waiting,
            shares,
            written: AtomicUsize::new(0),
        })
    }

    /// Keeps JPEG rows that wait in a file with a name, for who goes on from an unfinished pack.
    pub(super) fn kept(mut self) -> Result<Self> {
        if let Some(waiting) = &mut self.waiting {
            let path = self.path.with_file_name(WAITING);
            waiting.file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path)
                .map_err(|e| Error::io("create", &path, e))?;
        }
        Ok(self)
    }

    /// Row `i` as far as it is written: its place is that among the waiting rows, where it waits.
    pub(super) fn written(&self, i: usize) -> Option<Entry> {
        let stored = self.rows()[i]?;
        Some(Entry {
            made_of: self.made_of[i],
            row: stored.row,
            offset: stored.at as u64,
            length: stored.length,
            dropped: stored.dropped,
        })
    }

    /// Writes row `i`, u8 in height x width x (red, green, blue).
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub fn write(&self, i: usize, row: &[u8]) -> Result<()> {
        debug_assert_eq!(row.len(), self.head.row_bytes());
        match self.head.storage {
            Storage::Raw => self.store(i, row),
            Storage::Jpeg => self.store(i, &self.encode(row)?),
        }
    }

    /// As [`PackWriter::write`]; leaves in `row` what a reader will find, and gives the digest of that.
    pub(super) fn write_and_see(&self, i: usize, row: &mut [u8]) -> Result<Digest> {
        if self.head.storage == Storage::Raw {
            let digest = Digest::of(row);
            self.put(i, row, short(&digest), false)?;
            return Ok(digest);
        }
        let bytes = self.encode(row)?;
        row_jpeg::decode(&bytes, self.head.width, self.head.height, row)
            .map_err(|why| Error::failed("a row does not survive its encoding").because(why))?;
        self.store(i, &bytes)?;
        Ok(Digest::of(row))
    }

    /// Leaves row `i` black and marks it as dropped.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn drop_row(&self, i: usize) -> Result<()> {
        let stored: &[u8] = match self.head.storage {
            Storage::Raw => &vec![0; self.head.row_bytes()],
            Storage::Jpeg => &[],
        };
        self.put(i, stored, row_digest(stored), true)
    }

    #[cfg(test)]
    pub(super) fn sharing(mut self, shares: bool) -> Self {
        self.shares = shares;
        self
    }

    /// Whether [`PackWriter::share_rows`] is cheaper than [`PackWriter::take_row`].
    pub(super) fn shares(&self) -> bool {
        self.shares
    }

    /// Takes a row over from a pack of the same settings: its bytes, which are as its entry there says.
    pub(super) fn take_row(&self, i: usize, stored: &[u8], entry: &Entry) -> Result<()> {
        self.put(i, stored, entry.row, entry.dropped)
    }

    /// Takes `n` raw rows over from a pack of the same settings, from `row` on, as rows `i` and following, without a way through
    /// this process. Nothing is checked here: see [`Pack::whole`].
    pub(super) fn share_rows(&self, i: usize, n: usize, from: &Pack, row: usize) -> Result<()> {
        let (at, to_at) = (from.head().raw_at(row), self.head.raw_at(i));
        // The padding behind the last row goes along, for whole pages can be shared.
        copy_range(from.file(), at, &self.file, to_at, n * self.head.stride)
            .map_err(|e| Error::io("write", &self.path, e))?;
        for k in 0..n {
            let entry = from.index_entry(row + k);
            self.rows()[i + k] = Some(Stored {
                row: entry.row,
                at: to_at + k * self.head.stride,
                length: entry.length,
                dropped: entry.dropped,
            });
        }
        Ok(())
    }

    /// Makes row `i` equal to row `of`, which is written already.
    pub(super) fn repeat(&self, of: usize, i: usize) -> Result<()> {
        let known = self.rows()[of];
        let mut known = known.ok_or_else(|| never_written(of))?;
        if self.head.storage == Storage::Raw {
            let to_at = self.head.raw_at(i);
            let length = known.length as usize;
            copy_range(&self.file, known.at, &self.file, to_at, length)
                .map_err(|e| Error::io("write", &self.path, e))?;
            known.at = to_at;
        }
        self.rows()[i] = Some(known);
        Ok(())
    }

    /// Puts JPEG rows in order, and writes index and header: only now it is a pack.
    ///
    /// # Errors
    /// When a row is missing, or it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        let fail = |e| Error::io("write", &self.path, e);
        let rows = std::mem::take(&mut *self.rows());
        let mut index = Vec::with_capacity(rows.len() * ENTRY);
        let mut end = self.head.rows_at();
        let mut placed = HashMap::new();
        for (i, (row, made_of)) in rows.into_iter().zip(&self.made_of).enumerate() {
            let mut row = row.ok_or_else(|| never_written(i))?;
            if let Some(waiting) = &self.waiting {
                let length = row.length as usize;
                // A dropped row has no bytes, so that its place is that of another one too.
                row.at = match placed.get(&row.at) {
                    Some(at) if length > 0 => *at,
                    _ => {
                        copy_range(&waiting.file, row.at, &self.file, end, length).map_err(fail)?;
                        if length > 0 {
                            placed.insert(row.at, end);
                        }
                        end += length;
                        end - length
                    }
                };
            }
            let entry = Entry {
                made_of: *made_of,
                row: row.row,
                offset: row.at as u64,
                length: row.length,
                dropped: row.dropped,
            };
            entry.write(&mut index);
        }
        if self.waiting.is_some() {
            self.head.length = end;
        }
        self.head.index = Digest::of(&index);
        self.file
            .write_all_at(&index, PAGE as u64)
            .and_then(|()| self.file.write_all_at(&self.head.page(), 0))
            .map_err(fail)?;
        start_writeback(&self.file);
        Ok(())
    }

    /// What makes each row.
    pub(super) fn made_of(&self) -> &[Digest] {
        &self.made_of
    }

    /// The header as far as it is known.
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    fn encode(&self, row: &[u8]) -> Result<Vec<u8>> {
        row_jpeg::encode(row, self.head.width, self.head.height)
            .map_err(|why| Error::failed("a row cannot be encoded as JPEG").because(why))
    }

    fn store(&self, i: usize, stored: &[u8]) -> Result<()> {
        self.put(i, stored, row_digest(stored), false)
    }

    fn put(&self, i: usize, stored: &[u8], row: u64, dropped: bool) -> Result<()> {
        let (file, at) = match &self.waiting {
            None => (&self.file, self.head.raw_at(i)),
            Some(waiting) => {
                let at = waiting.end.fetch_add(stored.len(), Ordering::Relaxed);
                (&waiting.file, at)
            }
        };
        file.write_all_at(stored, at as u64)
            .map_err(|e| Error::io("write", &self.path, e))?;
        let before = self.written.fetch_add(stored.len(), Ordering::Relaxed);
        let due = before / ON_ITS_WAY != (before + stored.len()) / ON_ITS_WAY;
        // Rows that wait are copied in the end, and need never reach the disk where they are.
        if due && self.waiting.is_none() {
            // The disk works while images are decoded, and not only once all of them are.
            start_writeback(file);
        }
        self.rows()[i] = Some(Stored {
            row,
            at,
            length: u32::try_from(stored.len())
                .map_err(|_| Error::usage("a row has more than 4 GiB"))?,
            dropped,
        });
        Ok(())
    }

    fn rows(&self) -> MutexGuard<'_, Vec<Option<Stored>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn never_written(i: usize) -> Error {
    Error::failed(format!("row {i} was never written"))
        .help("this is a fault of kfood; please report it")
}
