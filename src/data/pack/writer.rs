//! Writes a pack row by row, in any order, from any thread, and in memory that does not grow with the rows.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    Pack,
    copy::{copy_range, shares_blocks},
    journal::WAITING,
    layout::{ENTRY, Entry, Head, MADE_OF, PAGE, row_digest, short},
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
/// Entries of the index that are in memory at a time.
const TOGETHER: usize = 1 << 12;

/// A pack under way; see `layout` for the format. It is none before [`PackWriter::finish`].
///
/// The index is written as rows come; one that is still to come has no length. JPEG rows differ in length and come in any order,
/// while equal work shall give equal bytes: they wait in a file without a name, and `finish` puts them in order.
#[derive(Debug)]
pub struct PackWriter {
    file: File,
    path: PathBuf,
    head: Head,
    /// JPEG rows that are equal to another one, and that one.
    repeats: Mutex<Vec<(usize, usize)>>,
    waiting: Option<Waiting>,
    /// Whether rows are taken over by the file system.
    shares: bool,
    /// Bytes of rows that were written by this process.
    written: AtomicUsize,
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
        let writer = Self::of_rows(path, width, height, storage, made_of.len())?;
        writer.are_made_of(0, &made_of)?;
        Ok(writer)
    }

    /// As [`PackWriter::create`]; what makes the rows is still to be told by [`PackWriter::are_made_of`].
    pub(super) fn of_rows(
        path: &Path,
        width: u32,
        height: u32,
        storage: Storage,
        count: usize,
    ) -> Result<Self> {
        let fail = |e| Error::io("create", path, e);
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
            repeats: Mutex::new(Vec::new()),
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

    /// Says what makes rows, from row `i` on.
    pub(super) fn are_made_of(&self, i: usize, made_of: &[Digest]) -> Result<()> {
        for (k, made_of) in (0..).step_by(TOGETHER).zip(made_of.chunks(TOGETHER)) {
            let entry = |made_of: &Digest| Entry {
                made_of: *made_of,
                row: 0,
                offset: 0,
                length: 0,
                dropped: false,
            };
            let entries: Vec<Entry> = made_of.iter().map(entry).collect();
            self.write_entries(i + k, &entries)?;
        }
        Ok(())
    }

    /// What makes a row.
    pub(super) fn made_of(&self, i: usize) -> Result<Digest> {
        Ok(self.entry(i)?.made_of)
    }

    /// Row `i` as far as it is written: its place is that among the waiting rows, where it waits.
    pub(super) fn written(&self, i: usize) -> Result<Option<Entry>> {
        Ok(Some(self.entry(i)?).filter(is_written))
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
            self.store_entry(i + k, (to_at + k * self.head.stride) as u64, &entry)?;
        }
        Ok(())
    }

    /// Makes row `i` equal to row `of`, which is written already.
    pub(super) fn repeat(&self, of: usize, i: usize) -> Result<()> {
        let known = self.written(of)?.ok_or_else(|| never_written(of))?;
        if self.head.storage == Storage::Raw {
            let to_at = self.head.raw_at(i);
            let length = known.length as usize;
            copy_range(&self.file, known.offset as usize, &self.file, to_at, length)
                .map_err(|e| Error::io("write", &self.path, e))?;
            return self.store_entry(i, to_at as u64, &known);
        }
        let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        repeats.push((i, of));
        self.store_entry(i, known.offset, &known)
    }

    /// Puts JPEG rows in order, and writes index and header: only now it is a pack.
    ///
    /// # Errors
    /// When a row is missing, or it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        let (digest, end) = self.place_all()?;
        if self.waiting.is_some() {
            self.head.length = end;
        }
        self.head.index = digest;
        self.file
            .write_all_at(&self.head.page(), 0)
            .map_err(|e| Error::io("write", &self.path, e))?;
        start_writeback(&self.file);
        Ok(())
    }

    /// Goes through the index and puts waiting rows where they belong; gives its digest, and where the rows end.
    fn place_all(&self) -> Result<(Digest, usize)> {
        let fail = |e| Error::io("write", &self.path, e);
        let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        repeats.sort_unstable();
        let mut repeats = repeats.iter().peekable();
        let mut end = self.head.rows_at();
        for from in (0..self.head.count).step_by(TOGETHER) {
            let mut entries = self.entries(from, TOGETHER.min(self.head.count - from))?;
            for k in 0..entries.len() {
                let i = from + k;
                if !is_written(&entries[k]) {
                    return Err(never_written(i));
                }
                let Some(waiting) = &self.waiting else {
                    continue;
                };
                let of = repeats
                    .next_if(|(repeat, _)| *repeat == i)
                    .map(|(_, of)| *of);
                let length = entries[k].length as usize;
                // A dropped row has no bytes, so that its place is that of another one too.
                entries[k].offset = match of {
                    Some(of) if length > 0 => match of.checked_sub(from) {
                        Some(of) => entries[of].offset,
                        None => self.entry(of)?.offset,
                    },
                    _ => {
                        let at = entries[k].offset as usize;
                        copy_range(&waiting.file, at, &self.file, end, length).map_err(fail)?;
                        end += length;
                        (end - length) as u64
                    }
                };
            }
            if self.waiting.is_some() {
                self.write_entries(from, &entries)?;
            }
        }
        let length = self.head.count * ENTRY;
        let digest = Digest::of_part(&self.file, PAGE as u64, length as u64).map_err(fail)?;
        Ok((digest, end))
    }

    fn entry(&self, i: usize) -> Result<Entry> {
        let mut bytes = [0; ENTRY];
        let at = PAGE + i * ENTRY;
        let read = self.file.read_exact_at(&mut bytes, at as u64);
        read.map_err(|e| Error::io("read", &self.path, e))?;
        Ok(Entry::parse(&bytes))
    }

    fn entries(&self, from: usize, count: usize) -> Result<Vec<Entry>> {
        let mut bytes = vec![[0; ENTRY]; count];
        let at = PAGE + from * ENTRY;
        let read = self.file.read_exact_at(bytes.as_flattened_mut(), at as u64);
        read.map_err(|e| Error::io("read", &self.path, e))?;
        Ok(bytes.iter().map(Entry::parse).collect())
    }

    fn write_entries(&self, from: usize, entries: &[Entry]) -> Result<()> {
        let mut bytes = Vec::with_capacity(entries.len() * ENTRY);
        entries.iter().for_each(|entry| entry.write(&mut bytes));
        self.write_index(from * ENTRY, &bytes)
    }

    /// Says of a row all but what makes it.
    fn store_entry(&self, i: usize, offset: u64, entry: &Entry) -> Result<()> {
        let mut bytes = Vec::with_capacity(ENTRY);
        Entry { offset, ..*entry }.write(&mut bytes);
        self.write_index(i * ENTRY + MADE_OF, &bytes[MADE_OF..])
    }

    fn write_index(&self, at: usize, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all_at(bytes, (PAGE + at) as u64);
        written.map_err(|e| Error::io("write", &self.path, e))
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
        let entry = Entry {
            made_of: Digest([0; 32]),
            row,
            offset: at as u64,
            length: u32::try_from(stored.len())
                .map_err(|_| Error::usage("a row has more than 4 GiB"))?,
            dropped,
        };
        self.store_entry(i, entry.offset, &entry)
    }
}

/// Raw rows have a length, and so have JPEG rows that were not dropped.
fn is_written(entry: &Entry) -> bool {
    entry.length > 0 || entry.dropped
}

fn never_written(i: usize) -> Error {
    Error::failed(format!("row {i} was never written"))
        .help("this is a fault of kfood; please report it")
}
