//! A zip read in place: its directory once, its entries by position from as many threads as like.

use std::{
    fmt,
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use image::ImageFormat;
use zip::{CompressionMethod, ZipArchive};

use super::{
    held::{Content, Room},
    names::Names,
    parts,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    files,
    name::nfc,
    text::{shown, shown_path},
};

/// The largest entry that is read, in bytes uncompressed; a larger one is refused before memory is taken for it.
pub const LARGEST_ENTRY: u64 = 512 << 20;

/// A larger entry is read when its first bytes are those of an image, in bytes.
const UNSEEN: u64 = 16 << 20;

/// An entry larger than this, in bytes, that takes so many times less room in its zip is no photograph.
const BOMB: (u64, u64) = (64 << 20, 200);

/// The largest text beside images that is read, in bytes.
pub(super) const LARGEST_TEXT: u64 = 64 << 20;

/// How much is read ahead, in bytes: the directory is read in small pieces.
const AHEAD: usize = 64 << 10;

/// What to do about an archive that cannot be used.
const UNPACK: &str = "unpack it into a folder and name that folder instead";

/// An open zip.
pub struct Archive {
    path: PathBuf,
    zip: ZipArchive<At>,
    entries: Vec<Entry>,
    names: Names,
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
    /// Reads the directory of a zip file. The file is opened again when an entry is read, so that any number of archives is
    /// no matter.
    ///
    /// # Errors
    /// When it cannot be read, is no whole zip, or has names that cannot be understood or twice the same.
    pub fn open(path: &Path) -> Result<Self> {
        let file = files::open_regular(path)?;
        let found = file.metadata().map_err(|e| Error::io("read", path, e))?;
        let on_disk = OnDisk {
            path: path.to_owned(),
            seen: seen(&found),
        };
        Self::of(path, Source::File(Arc::new(on_disk)), found.len())
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
        let shown = shown_path(path);
        let read = ZipArchive::new(At::start(source, length)).map_err(|e| no_zip(path, e))?;
        // A clone has not opened its file: what was open for the directory is closed here.
        let zip = read.clone();
        drop(read);
        if zip.has_duplicate_names() {
            return Err(
                Error::failed(format!("`{shown}` holds one name more than once")).help(UNPACK),
            );
        }
        let directory = zip.metadata();
        let header = |i| directory.entry(i).map_err(|e| damaged(path, i, e));
        let headers = (0..zip.len()).map(header).collect::<Result<Vec<_>>>()?;
        // A flag of an entry says that its name is UTF-8; one encoding holds for those without it.
        let flagged =
            |raw: &[u8], flags: u16| flags & UTF8_FLAG != 0 && std::str::from_utf8(raw).is_ok();
        let open = headers
            .iter()
            .filter(|e| !flagged(e.name_raw(), e.flags().as_u16()));
        let parts = open.flat_map(|e| e.name_raw().split(|b| matches!(b, b'/' | b'\\')));
        let names = Names::of(parts);
        let entry = |entry: &zip::read::ZipFileEntry<'_>| {
            let raw = entry.name_raw();
            let spelling = raw.escape_ascii().to_string();
            let of_entry = match flagged(raw, entry.flags().as_u16()) {
                true => Names::default(),
                false => names,
            };
            let name = of_entry.read_path(raw, true).ok_or_else(|| {
                Error::failed(format!(
                    "the name `{spelling}` in `{shown}` is neither UTF-8 nor CP949"
                ))
                .help(UNPACK)
            })?;
            Ok(Entry {
                folder: entry.is_dir() || name.ends_with('/'),
                link: entry.is_symlink(),
                name: normal(&name),
                spelling,
            })
        };
        let entries = headers.iter().map(entry).collect::<Result<_>>()?;
        drop(headers);
        Ok(Self {
            path: path.to_owned(),
            zip,
            entries,
            names,
        })
    }

    /// What is to be told of the names.
    pub(super) fn note(&self) -> Option<String> {
        let shown = shown_path(&self.path);
        let note = format!("the names in `{shown}` were read as CP949 (Korean Windows)");
        self.names.is_cp949().then_some(note)
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
        let name = shown(self.name(entry));
        let shown = shown_path(&self.path);
        let ratio = header.size() / header.compressed_size().max(1);
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
        } else if header.size() > BOMB.0 && ratio > BOMB.1 {
            format!(
                "`{name}` in `{shown}` would be {ratio} times as large unpacked, {} MB: no photograph is",
                header.size() >> 20
            )
        } else {
            return Ok(());
        };
        Err(Error::failed(found).help(UNPACK))
    }

    /// The bytes of an entry that is to be an image, with its checksum verified. Of a large one the first bytes decide whether
    /// the rest is unpacked.
    ///
    /// # Errors
    /// As [`Self::check`], for a damaged entry, and for a large one that does not begin as an image.
    pub fn read(&self, entry: usize) -> Result<Content> {
        self.check(entry)?;
        let mut bytes = Vec::new();
        let room = self.unpack(entry, LARGEST_ENTRY, |piece| bytes.extend_from_slice(piece))?;
        Ok(Content::new(bytes, room))
    }

    /// The digest and the length of what [`Self::read`] gives; only a piece of it is in memory at a time.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn digest(&self, entry: usize) -> Result<(Digest, u64)> {
        self.check(entry)?;
        let (mut hasher, mut length) = (blake3::Hasher::new(), 0);
        self.unpack(entry, 0, |piece| {
            hasher.update(piece);
            length += piece.len() as u64;
        })?;
        Ok((Digest(*hasher.finalize().as_bytes()), length))
    }

    /// The bytes of an entry that is a text, with its checksum verified.
    ///
    /// # Errors
    /// As [`Self::check`], and for a damaged entry or a text that is none by its size.
    pub(super) fn read_text(&self, entry: usize) -> Result<Vec<u8>> {
        self.check(entry)?;
        let directory = self.zip.metadata();
        let header = directory.entry(entry);
        let size = header.map_err(|e| damaged(&self.path, entry, e))?.size();
        if size > LARGEST_TEXT {
            let (name, shown) = (shown(self.name(entry)), shown_path(&self.path));
            return Err(Error::failed(format!(
                "`{name}` in `{shown}` has {} MB; at most {} MB are read of such a text",
                size >> 20,
                LARGEST_TEXT >> 20
            )));
        }
        let mut bytes = Vec::new();
        self.unpack_all(
            entry,
            &mut |piece| bytes.extend_from_slice(piece),
            &mut |_, _| Ok(()),
        )?;
        Ok(bytes)
    }

    /// Unpacks an image; before more than its first piece is unpacked, that is looked at. Room is taken where up to `held` bytes are kept.
    fn unpack(&self, entry: usize, held: u64, mut take: impl FnMut(&[u8])) -> Result<Option<Room>> {
        let mut room = None;
        self.unpack_all(entry, &mut take, &mut |head, size| {
            if size > UNSEEN && !begins_as_image(head) {
                return Err(io::Error::other(format!(
                    "not an image: {} MB that start with `{}`",
                    size >> 20,
                    head[..head.len().min(12)].escape_ascii()
                )));
            }
            room = Room::for_bytes(size.min(held));
            Ok(())
        })?;
        Ok(room)
    }

    fn unpack_all(
        &self,
        entry: usize,
        take: &mut dyn FnMut(&[u8]),
        judge: &mut dyn FnMut(&[u8], u64) -> io::Result<()>,
    ) -> Result<()> {
        // The directory is shared, the position is not.
        let mut zip = self.zip.clone();
        let broken = |cause: io::Error| {
            let (name, path) = (shown(self.name(entry)), shown_path(&self.path));
            Error::failed(format!("`{name}` in `{path}` is damaged"))
                .because(cause)
                .help("download or copy the zip again")
        };
        let mut content = zip.by_index(entry).map_err(|e| broken(e.into()))?;
        let size = content.size();
        let mut piece = vec![0; AHEAD.min(size.max(1) as usize)];
        let mut length = 0;
        loop {
            let mut filled = 0;
            while filled < piece.len() {
                match content.read(&mut piece[filled..]) {
                    Ok(0) => break,
                    Ok(n) => filled += n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(broken(e)),
                }
            }
            if length == 0 {
                judge(&piece[..filled], size).map_err(|why| {
                    let (name, path) = (shown(self.name(entry)), shown_path(&self.path));
                    Error::failed(format!("`{name}` in `{path}`")).because(why)
                })?;
            }
            length += filled as u64;
            if filled == 0 || length > size {
                break;
            }
            take(&piece[..filled]);
        }
        if length != size {
            return Err(broken(io::Error::other(format!(
                "its header says {size} bytes, and it has {}",
                if length > size {
                    "more".to_owned()
                } else {
                    length.to_string()
                }
            ))));
        }
        Ok(())
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
            shown_path(&self.path),
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

/// What stands in the flags of an entry whose name is UTF-8.
const UTF8_FLAG: u16 = 1 << 11;

/// Whether the first bytes are those of an image that can be decoded.
fn begins_as_image(head: &[u8]) -> bool {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    image::guess_format(head)
        .is_ok_and(|format| matches!(format, Bmp | Gif | Jpeg | Png | Tiff | WebP))
}

/// Why a file is no zip that can be read, and what to do.
fn no_zip(path: &Path, cause: zip::result::ZipError) -> Error {
    let shown = shown_path(path);
    if let Some((what, way)) = parts::way_out(path) {
        return Error::failed(format!("`{shown}` is {what}, not a zip")).help(way);
    }
    if let Some(what) = parts::instead_of_zip(path) {
        return Error::failed(format!("`{shown}` is no whole zip archive, but {what}")).help(
            "download it again, signed in where the site asks for it, or unpack it yourself",
        );
    }
    Error::failed(format!("`{shown}` is no whole zip archive"))
        .because(cause)
        .help("download or copy it again; parts of a divided zip (`.z01`, `.zip.part0`) must be joined first")
}

fn damaged(path: &Path, entry: usize, cause: zip::result::ZipError) -> Error {
    Error::failed(format!(
        "entry {entry} of `{}` cannot be understood",
        shown_path(path)
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
    File(Arc<OnDisk>),
    Bytes(Arc<[u8]>),
}

/// A file that is opened when it is read.
struct OnDisk {
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
    fn open(&self) -> io::Result<File> {
        let file = files::open_regular(&self.path).map_err(io::Error::other)?;
        if seen(&file.metadata()?) != self.seen {
            return Err(io::Error::other("the zip changed since it was listed"));
        }
        Ok(file)
    }
}

/// A reader with its own position in a shared source, reading ahead.
struct At {
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
    fn start(source: Source, length: u64) -> Self {
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
                    assert_eq!(*archive.read(2).unwrap(), long[1..]);
                    assert_eq!(*archive.read(0).unwrap(), *b"one");
                    assert_eq!(*archive.read(1).unwrap(), *long);
                    assert_eq!(archive.digest(1).unwrap(), (Digest::of(&long), 300_000));
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
