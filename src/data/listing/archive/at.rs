//! Where the bytes of a zip are: a file that is opened when something is read, or memory.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    error::{Error, Result},
    files,
};

/// How much is read ahead, in bytes: the directory is read in small pieces.
pub(super) const AHEAD: usize = 64 << 10;

/// Where the bytes of the archive are.
#[derive(Clone)]
pub(super) enum Source {
    File(Arc<OnDisk>),
    Bytes(Arc<[u8]>),
}

impl Source {
    /// A file on a disk, and its length; it is not open.
    pub(super) fn file(path: &Path) -> Result<(Self, u64)> {
        let file = files::open_regular(path)?;
        let found = file.metadata().map_err(|e| Error::io("read", path, e))?;
        let on_disk = OnDisk {
            path: path.to_owned(),
            seen: seen(&found),
        };
        Ok((Self::File(Arc::new(on_disk)), found.len()))
    }
}

impl Source {
    /// Whether it is not what its directory was read from any more: what is read of it then says nothing about it.
    pub(super) fn has_changed(&self) -> bool {
        match self {
            Self::File(on_disk) => on_disk.has_changed(),
            Self::Bytes(_) => false,
        }
    }
}

/// A file that is opened when it is read.
pub(super) struct OnDisk {
    path: PathBuf,
    /// What it was when its directory was read.
    seen: Seen,
}

/// Device, inode, length and time of a file.
type Seen = (u64, u64, u64, i64, i64);

fn seen(found: &Metadata) -> Seen {
    let time = (found.mtime(), found.mtime_nsec());
    (found.dev(), found.ino(), found.len(), time.0, time.1)
}

impl OnDisk {
    /// Whether it is another file now, or none.
    fn has_changed(&self) -> bool {
        self.path
            .metadata()
            .map_or(true, |found| seen(&found) != self.seen)
    }

    fn open(&self) -> io::Result<File> {
        let file = files::open_regular(&self.path).map_err(io::Error::other)?;
        if seen(&file.metadata()?) != self.seen {
            return Err(io::Error::other("the zip changed since it was listed"));
        }
        Ok(file)
    }
}

/// A reader with its own position in a shared source, reading ahead.
pub(super) struct At {
    source: Source,
    /// The file, once something was read.
    file: Option<File>,
    length: u64,
    position: u64,
    /// The bytes from `ahead_at` on.
    ahead: Vec<u8>,
    ahead_at: u64,
}

impl At {
    pub(super) fn start(source: Source, length: u64) -> Self {
        Self {
            source,
            file: None,
            length,
            position: 0,
            ahead: Vec::new(),
            ahead_at: 0,
        }
    }
}

impl Clone for At {
    /// From the start; what was read ahead is not copied, and no file is open.
    fn clone(&self) -> Self {
        Self::start(self.source.clone(), self.length)
    }
}

fn read_at(
    source: &Source,
    file: &mut Option<File>,
    into: &mut [u8],
    at: u64,
) -> io::Result<usize> {
    match source {
        Source::File(on_disk) => {
            let file = match file {
                Some(file) => file,
                None => file.insert(on_disk.open()?),
            };
            file.read_at(into, at)
        }
        Source::Bytes(bytes) => {
            let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            (&bytes[start..]).read(into)
        }
    }
}

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.len() >= AHEAD {
            let n = read_at(&self.source, &mut self.file, into, self.position)?;
            self.position += n as u64;
            return Ok(n);
        }
        let end = self.ahead_at + self.ahead.len() as u64;
        if !(self.ahead_at..end).contains(&self.position) {
            self.ahead.resize(AHEAD, 0);
            let (file, ahead) = (&mut self.file, &mut self.ahead);
            let n = read_at(&self.source, file, ahead, self.position);
            self.ahead.truncate(*n.as_ref().unwrap_or(&0));
            self.ahead_at = self.position;
            n?;
        }
        let start = (self.position - self.ahead_at) as usize;
        let n = (&self.ahead[start..]).read(into)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        // An offset in a file is an i64 to the system.
        let position = position.filter(|at| i64::try_from(*at).is_ok());
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
