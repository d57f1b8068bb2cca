//! What an unfinished pack holds: a line for each row that was made, from which an interrupted making goes on.
//!
//! | file of the folder | what it is |
//! |---|---|
//! | `journal` | a line for each row, with its own checksum in front; the first one stands for the settings |
//! | `pixels.pack` | raw rows, at their places |
//! | `rows.waiting` | JPEG rows, in the order in which they were made |
//! | `compared.pack` | what is compared of photographs that a row shows a part of |
//!
//! Nothing of it is trusted: a line counts with its checksum, a row with the digest in its line. So no order of writing matters,
//! whatever a kill, a full disk or a lost power leave: what did not reach the disk is made again.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::Pack;
use crate::{
    digest::Digest,
    error::{Error, Result},
    files,
    record::Photograph,
    settings::Storage,
};

const JOURNAL: &str = "journal";
/// The file of JPEG rows that wait for their order.
pub(super) const WAITING: &str = "rows.waiting";
/// The pack of what is compared.
pub(super) const COMPARED: &str = "compared.pack";
/// A row as JPEG may be this much longer than its pixels.
const HEADER: usize = 64 << 10;
/// The longest line; a photograph's oddities are a few words.
const LONGEST: u64 = 64 << 10;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Of the settings that make the rows.
    settings: Digest,
    /// Rows of the whole pack.
    rows: usize,
}

/// A row that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) made_of: Digest,
    /// Of the row as stored, as in the index of a pack.
    pub(super) row: u64,
    pub(super) at: u64,
    pub(super) length: u32,
    /// The same of what is compared: its digest, and where it is.
    pub(super) compared: Option<(u64, u64)>,
    pub(super) photograph: Photograph,
}

/// Lines that wait to be written together, at most, and for how long: what a kill can cost.
const TOGETHER: usize = 16;
const AT_ONCE: Duration = Duration::from_millis(50);

/// A journal under way. What waits is written when it ends, however that is.
#[derive(Debug)]
pub(super) struct Journal {
    to: Mutex<To>,
    path: PathBuf,
}

/// A file, and the lines that wait for it.
#[derive(Debug)]
struct To {
    file: File,
    lines: String,
    waiting: usize,
    written: Instant,
}

impl To {
    fn write(&mut self) -> io::Result<()> {
        self.file.write_all(self.lines.as_bytes())?;
        self.lines.clear();
        (self.waiting, self.written) = (0, Instant::now());
        Ok(())
    }
}

impl Drop for To {
    fn drop(&mut self) {
        // Nobody relies on these lines: rows without one are made again.
        let _ = self.write();
    }
}

impl Journal {
    /// Begins one in a folder.
    pub(super) fn create(folder: &Path, settings: Digest, rows: usize) -> Result<Self> {
        let path = folder.join(JOURNAL);
        let file = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
        let to = To {
            file,
            lines: String::new(),
            waiting: 0,
            written: Instant::now(),
        };
        let journal = Self {
            to: Mutex::new(to),
            path,
        };
        journal.put(&Head { settings, rows })?;
        Ok(journal)
    }

    /// Adds a row, which was written before.
    pub(super) fn add(&self, line: &Line) -> Result<()> {
        self.put(line)
    }

    fn put(&self, line: &impl Serialize) -> Result<()> {
        let fail = |e| Error::io("write", &self.path, e);
        let json = serde_json::to_string(line).map_err(|e| fail(e.into()))?;
        let text = format!("{} {json}\n", checksum(&json));
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        to.lines += &text;
        to.waiting += 1;
        if to.waiting >= TOGETHER || to.written.elapsed() >= AT_ONCE {
            to.write().map_err(fail)?;
        }
        Ok(())
    }
}

/// The rows that an unfinished making of the same settings left.
pub(super) struct Leftover {
    folder: PathBuf,
    journal: File,
    rows: File,
    compared: Option<File>,
    storage: Storage,
    row_bytes: usize,
}

impl Leftover {
    /// Opens what a folder has; none where nothing of it serves.
    pub(super) fn open(
        folder: &Path,
        settings: Digest,
        storage: Storage,
        row_bytes: usize,
    ) -> Option<Self> {
        let (_, first) = texts(folder)?.next()?;
        let head: Head = serde_json::from_str(&first).ok()?;
        if head.settings != settings {
            return None;
        }
        let name = match storage {
            Storage::Raw => Pack::FILE,
            Storage::Jpeg => WAITING,
        };
        Some(Self {
            folder: folder.to_owned(),
            journal: File::open(folder.join(JOURNAL)).ok()?,
            rows: File::open(folder.join(name)).ok()?,
            compared: File::open(folder.join(COMPARED)).ok(),
            storage,
            row_bytes,
        })
    }

    /// All lines, one by one, each with where it is.
    pub(super) fn lines(&self) -> impl Iterator<Item = (At, Line)> {
        let lines = texts(&self.folder).into_iter().flatten().skip(1);
        lines.filter_map(|(at, line)| Some((at, serde_json::from_str(&line).ok()?)))
    }

    /// A line again.
    pub(super) fn line(&self, at: At) -> Option<Line> {
        let mut line = vec![0; at.length as usize];
        self.journal.read_exact_at(&mut line, at.from).ok()?;
        serde_json::from_str(&json(line)?).ok()
    }

    /// The row of a line as it is stored, if it is whole.
    pub(super) fn row(&self, line: &Line) -> Option<Vec<u8>> {
        let length = line.length as usize;
        let fits = match self.storage {
            Storage::Raw => length == self.row_bytes,
            Storage::Jpeg => length <= self.row_bytes + HEADER,
        };
        fits.then(|| whole(&self.rows, line.at, length, line.row))?
    }

    /// What is compared of it.
    pub(super) fn compared(&self, line: &Line, length: usize) -> Option<Vec<u8>> {
        let (digest, at) = line.compared?;
        whole(self.compared.as_ref()?, at, length, digest)
    }
}

fn whole(file: &File, at: u64, length: usize, digest: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).ok()?;
    (super::layout::row_digest(&bytes) == digest).then_some(bytes)
}

/// How many of how many rows a folder's journal tells of; none where it tells of none.
pub(super) fn told(folder: &Path) -> Option<(usize, usize)> {
    let mut lines = texts(folder)?;
    let head: Head = serde_json::from_str(&lines.next()?.1).ok()?;
    let made = lines.count();
    // Without its rows, which moved on to the result, it tells of nothing.
    (made > 0 && folder.join(Pack::FILE).exists()).then_some((made.min(head.rows), head.rows))
}

/// Makes room for a new journal below `state`: gives its folder, and the one of the rows that an earlier making left, if any.
///
/// A making that was ended while it took rows over leaves two folders. The longer journal is that of more rows: the other's are among them.
pub(super) fn begin(state: &Path) -> Result<(PathBuf, PathBuf)> {
    let (now, left) = (state.join("rows"), state.join("left"));
    let length = |folder: &Path| fs::metadata(folder.join(JOURNAL)).map_or(0, |m| m.len());
    if now.exists() {
        if length(&now) > length(&left) {
            files::remove(&left)?;
            fs::rename(&now, &left).map_err(|e| Error::io("rename", &now, e))?;
        } else {
            files::remove(&now)?;
        }
    }
    files::create_folder(&now)?;
    Ok((now, left))
}

/// Where a line of a journal is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    from: u64,
    length: u32,
}

/// The lines that are whole, without their checksums.
fn texts(folder: &Path) -> Option<impl Iterator<Item = (At, String)> + use<>> {
    let mut reader = BufReader::new(File::open(folder.join(JOURNAL)).ok()?);
    let mut from = 0;
    Some(std::iter::from_fn(move || {
        loop {
            let mut line = Vec::new();
            let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            let length = read.ok().filter(|length| *length > 0)? as u32;
            let at = At { from, length };
            from += u64::from(length);
            if let Some(json) = json(line) {
                return Some((at, json));
            }
        }
    }))
}

/// What stands in a line, if that is whole.
fn json(line: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(line).ok()?;
    let (sum, json) = text.trim_end().split_once(' ')?;
    (sum == checksum(json)).then(|| json.to_owned())
}

fn checksum(json: &str) -> String {
    Digest::of(json.as_bytes()).to_string()[..16].to_owned()
}
