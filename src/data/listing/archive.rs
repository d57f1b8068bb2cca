//! A zip read in place: its directory once, its entries by position from as many threads as like.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use zip::{CompressionMethod, ZipArchive};

use super::text;
use crate::{
    error::{Error, Result},
    name::nfc,
};

/// The largest entry that is read, in bytes uncompressed; a larger one is refused before memory is taken for it.
pub const LARGEST_ENTRY: u64 = 512 << 20;

/// How much is read ahead, in bytes: the directory is read in small pieces.
const AHEAD: usize = 64 << 10;

/// What to do about an archive that cannot be used.
const UNPACK: &str = "unpack it into a folder and name that folder instead";

/// An open zip.
pub struct Archive {
    path: PathBuf,
    zip: ZipArchive<At>,
    entries: Vec<Entry>,
}

/// One entry, by the directory of the archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// NFC, with `/`, relative, without `.` and `..`; empty for names that are nothing else.
    pub name: String,
    /// The name as it is written there, for messages.
    pub spelling: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// Whether it is a symbolic link.
    pub link: bool,
}

impl Archive {
    /// Opens a zip file and reads its directory.
    ///
    /// # Errors
    /// When it cannot be read, is no whole zip, or has names that cannot be understood or twice the same.
    pub fn open(path: &Path) -> Result<Self> {
        let fail = |e| Error::io("read", path, e);
        let file = File::open(path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        Self::of(path, Source::File(Arc::new(file)), length)
    }

    /// A zip in memory.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let length = bytes.len() as u64;
        Self::of(path, Source::Bytes(bytes.into()), length)
    }

    fn of(path: &Path, source: Source, length: u64) -> Result<Self> {
        let shown = path.display();
        let zip = ZipArchive::new(At::start(source, length)).map_err(|e| {
            Error::failed(format!("`{shown}` is no whole zip archive"))
                .because(e)
                .help("download or copy it again; parts of a divided zip (`.z01`) must be joined first")
        })?;
        if zip.has_duplicate_names() {
            return Err(
                Error::failed(format!("`{shown}` holds one name more than once")).help(UNPACK),
            );
        }
        let directory = zip.metadata();
        let entry = |i| {
            let entry = directory.entry(i).map_err(|e| damaged(path, i, e))?;
            let raw = entry.name_raw();
            let spelling = raw.escape_ascii().to_string();
            let (name, _) = text::decode(raw).ok_or_else(|| {
                Error::failed(format!(
                    "the name `{spelling}` in `{shown}` is neither UTF-8 nor CP949"
                ))
                .help(UNPACK)
            })?;
            Ok(Entry {
                folder: entry.is_dir() || name.ends_with(['/', '\\']),
                link: entry.is_symlink(),
                name: normal(&name),
                spelling,
            })
        };
        let entries = (0..zip.len()).map(entry).collect::<Result<_>>()?;
        Ok(Self {
            path: path.to_owned(),
            zip,
            entries,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All entries, in the order of the directory.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether an entry can be read, by its header; reads nothing.
    ///
    /// # Errors
    /// For entries that are encrypted, compressed in another way than deflate, or larger than [`LARGEST_ENTRY`].
    pub fn check(&self, entry: usize) -> Result<()> {
        let directory = self.zip.metadata();
        let header = directory
            .entry(entry)
            .map_err(|e| damaged(&self.path, entry, e))?;
        let name = self.name(entry);
        let shown = self.path.display();
        let found = if header.encrypted() {
            format!("`{name}` in `{shown}` is encrypted")
        } else if !matches!(
            header.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        ) {
            format!(
                "`{name}` in `{shown}` is compressed by {:?}; accepted are stored and deflate",
                header.compression()
            )
        } else if header.size() > LARGEST_ENTRY {
            format!(
                "`{name}` in `{shown}` has {} MB unpacked; at most {} MB are read",
                header.size() >> 20,
                LARGEST_ENTRY >> 20
            )
        } else {
            return Ok(());
        };
        Err(Error::failed(found).help(UNPACK))
    }

    /// The bytes of an entry, with its checksum verified.
    ///
    /// # Errors
    /// As [`Self::check`], and for a damaged entry.
    pub fn read(&self, entry: usize) -> Result<Vec<u8>> {
        self.check(entry)?;
        // The directory is shared, the position is not.
        let mut zip = self.zip.clone();
        let broken = |cause: io::Error| {
            let (name, shown) = (self.name(entry), self.path.display());
            Error::failed(format!("`{name}` in `{shown}` is damaged"))
                .because(cause)
                .help("download or copy the zip again")
        };
        let mut content = zip.by_index(entry).map_err(|e| broken(e.into()))?;
        let size = content.size();
        let mut bytes = Vec::with_capacity(size.min(16 << 20) as usize);
        content
            .by_ref()
            .take(size + 1)
            .read_to_end(&mut bytes)
            .map_err(broken)?;
        if bytes.len() as u64 != size {
            return Err(broken(io::Error::other(format!(
                "its header says {size} bytes, and it has {}",
                if bytes.len() as u64 > size {
                    "more".to_owned()
                } else {
                    bytes.len().to_string()
                }
            ))));
        }
        Ok(bytes)
    }

    fn name(&self, entry: usize) -> &str {
        self.entries.get(entry).map_or("?", |e| &e.name)
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Archive({}, {} entries)",
            self.path.display(),
            self.entries.len()
        )
    }
}

impl PartialEq for Archive {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Archive {}

fn damaged(path: &Path, entry: usize, cause: zip::result::ZipError) -> Error {
    Error::failed(format!(
        "entry {entry} of `{}` cannot be understood",
        path.display()
    ))
    .because(cause)
    .help(UNPACK)
}

/// A name that stays below its root: Windows separators are separators, drives, roots, `.` and `..` above it fall away.
fn normal(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for (i, part) in name.split(['/', '\\']).enumerate() {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            drive if i == 0 && drive.ends_with(':') => {}
            part => parts.push(part),
        }
    }
    nfc(&parts.join("/"))
}

/// Where the bytes of the archive are.
#[derive(Clone)]
enum Source {
    File(Arc<File>),
    Bytes(Arc<[u8]>),
}

impl Source {
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_at(into, at),
            Self::Bytes(bytes) => {
                let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                (&bytes[start..]).read(into)
            }
        }
    }
}

/// A reader with its own position in a shared source, reading ahead.
struct At {
    source: Source,
    length: u64,
    position: u64,
    /// The bytes from `ahead_at` on.
    ahead: Vec<u8>,
    ahead_at: u64,
}

impl At {
    fn start(source: Source, length: u64) -> Self {
        Self {
            source,
            length,
            position: 0,
            ahead: Vec::new(),
            ahead_at: 0,
        }
    }
}

impl Clone for At {
    /// From the start; what was read ahead is not copied.
    fn clone(&self) -> Self {
        Self::start(self.source.clone(), self.length)
    }
}

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.len() >= AHEAD {
            let n = self.source.read_at(into, self.position)?;
            self.position += n as u64;
            return Ok(n);
        }
        let end = self.ahead_at + self.ahead.len() as u64;
        if !(self.ahead_at..end).contains(&self.position) {
            self.ahead.resize(AHEAD, 0);
            let n = self.source.read_at(&mut self.ahead, self.position);
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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn open(entries: &[(&str, &[u8])]) -> (Vec<u8>, Archive) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (i, (name, bytes)) in entries.iter().enumerate() {
            let method = [CompressionMethod::Stored, CompressionMethod::Deflated][i % 2];
            let options = SimpleFileOptions::default().compression_method(method);
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        let bytes = zip.finish().unwrap().into_inner();
        let archive = Archive::from_bytes(Path::new("a.zip"), bytes.clone()).unwrap();
        (bytes, archive)
    }

    #[test]
    fn stored_and_deflated_entries_are_read_in_any_order_by_many_threads() {
        let long = vec![7; 300_000];
        let (_, archive) = open(&[("가/1", b"one"), ("가/2", &long), ("나/3", &long[1..])]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    assert_eq!(archive.read(2).unwrap(), long[1..]);
                    assert_eq!(archive.read(0).unwrap(), b"one");
                    assert_eq!(archive.read(1).unwrap(), long);
                });
            }
        });
    }

    #[test]
    fn names_stay_below_their_root() {
        for (name, kept) in [
            ("../../etc/x", "etc/x"),
            ("/a/./b//c", "a/b/c"),
            ("C:\\a\\..\\b", "b"),
            ("..", ""),
            ("\u{1100}\u{1175}\u{11b7}/1", "김/1"),
        ] {
            assert_eq!(normal(name), kept);
        }
    }

    #[test]
    fn damage_is_told_in_words() {
        let (bytes, _) = open(&[("a/1", b"some bytes")]);
        let error = |bytes: Vec<u8>| match Archive::from_bytes(Path::new("a.zip"), bytes) {
            Ok(archive) => archive.read(0).unwrap_err().to_string(),
            Err(e) => e.to_string(),
        };
        assert!(error(bytes[..bytes.len() / 2].to_vec()).contains("no whole zip archive"));
        let mut flipped = bytes.clone();
        let at = bytes.windows(4).position(|w| w == b"some").unwrap();
        flipped[at] ^= 1;
        assert!(error(flipped).contains("`a/1` in `a.zip` is damaged"));
        let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        let mut large = bytes.clone();
        large[directory + 24..directory + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
        assert!(error(large).contains("at most 512 MB"));
        let mut secret = bytes.clone();
        secret[directory + 8] |= 1;
        assert!(error(secret).contains("is encrypted"));
        let mut method = bytes;
        method[directory + 10] = 9;
        assert!(error(method).contains("accepted are stored and deflate"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_changed_zip_is_read_or_refused(changes in proptest::collection::vec((0_usize..400, any::<u8>()), 1..6), cut in 0_usize..400) {
            let (mut bytes, _) = open(&[("가/1", b"one"), ("가/2", &[7; 60])]);
            let length = bytes.len();
            for (at, byte) in changes {
                bytes[at % length] = byte;
            }
            if cut % 4 == 0 {
                bytes.truncate(cut);
            }
            if let Ok(archive) = Archive::from_bytes(Path::new("a.zip"), bytes) {
                for (i, entry) in archive.entries().iter().enumerate() {
                    prop_assert!(entry.name.split('/').all(|part| part != ".."));
                    let _ = archive.read(i);
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"=,\t\n\"-.019"[..])], 0..120)) {
            let _ = crate::data::parse_areas(&bytes);
            let _ = crate::data::parse_sources(&bytes);
            let list = [b"path,label,part\n", &bytes[..]].concat();
            let _ = crate::data::parse_manifest(&list, false, "list.csv");
        }
    }
}
