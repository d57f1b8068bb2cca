//! A zip read in place: its directory once, its entries by position from as many threads as like.

mod at;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    io::{self, Read},
    path::{Path, PathBuf},
};

use image::ImageFormat;
use zip::{CompressionMethod, ZipArchive};

use self::at::{AHEAD, At, Source};
use super::{
    held::{Content, Room},
    parts,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    name::nfc,
    spelt::Names,
    text::{for_a_shell, shown, shown_path},
};

/// The largest entry that is read, in bytes uncompressed; a larger one is refused before memory is taken for it.
pub const LARGEST_ENTRY: u64 = 512 << 20;

/// A larger entry is read when its first bytes are those of an image, in bytes.
const UNSEEN: u64 = 16 << 20;

/// An entry larger than this, in bytes, that takes so many times less room in its zip is no photograph.
const BOMB: (u64, u64) = (64 << 20, 200);

/// The largest text beside images that is read, in bytes.
pub(super) const LARGEST_TEXT: u64 = 64 << 20;

/// What to do about an archive that cannot be used.
const UNPACK: &str = "unpack it into a folder and name that folder instead";

/// An open zip.
pub struct Archive {
    path: PathBuf,
    source: Source,
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
        let (source, length) = Source::file(path)?;
        Self::of(path, source, length)
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
        let read = ZipArchive::new(At::start(source.clone(), length)).map_err(|e| {
            if source.has_changed() {
                return Error::failed(format!("`{shown}` changed while it was being read"))
                    .help("run again once the files stay as they are");
            }
            no_zip(path, e)
        })?;
        // A clone has not opened its file: what was open for the directory is closed here.
        let zip = read.clone();
        drop(read);
        if zip.has_duplicate_names() {
            return Err(
                Error::failed(format!("`{shown}` holds one name more than once")).help(format!(
                    "`unzip -Z1 {} | sort | uniq -d` says which; {UNPACK}",
                    for_a_shell(&shown)
                )),
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
            source,
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

    /// Whether the file is another one than it was when it was opened. What cannot be read of it then may be whole.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.source.has_changed()
    }

    /// All entries, in the order of the directory.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether an entry is packed in a way that is read, by its header; reads nothing. What holds for one entry holds for the zip.
    ///
    /// # Errors
    /// For entries that are encrypted, or compressed in another way than deflate.
    pub fn check(&self, entry: usize) -> Result<()> {
        let directory = self.zip.metadata();
        let header = (directory.entry(entry)).map_err(|e| damaged(&self.path, entry, e))?;
        let name = shown(self.name(entry));
        let shown = shown_path(&self.path);
        let found = if header.encrypted() {
            format!("`{name}` in `{shown}` is encrypted")
        } else if let Some(way) = other_compression(header.compression()) {
            format!("`{name}` in `{shown}` is compressed by {way}; accepted are stored and deflate")
        } else {
            return Ok(());
        };
        Err(Error::failed(found).help(UNPACK))
    }

    /// Whether an entry may be unpacked, by its header: that is judged for each photograph alone.
    fn check_size(&self, entry: usize) -> Result<()> {
        self.check(entry)?;
        let directory = self.zip.metadata();
        let header = (directory.entry(entry)).map_err(|e| damaged(&self.path, entry, e))?;
        let ratio = header.size() / header.compressed_size().max(1);
        let megabytes = header.size() >> 20;
        let found = if header.size() > LARGEST_ENTRY {
            let most = LARGEST_ENTRY >> 20;
            format!("{megabytes} MB unpacked; at most {most} MB are read")
        } else if header.size() > BOMB.0 && ratio > BOMB.1 {
            format!("{ratio} times as large unpacked, {megabytes} MB: no photograph is")
        } else {
            return Ok(());
        };
        let name = shown(self.name(entry));
        let shown = shown_path(&self.path);
        Err(Error::failed(format!("`{name}` in `{shown}`: {found}")).help(UNPACK))
    }

    /// The bytes of an entry that is to be an image, with its checksum verified. Of a large one the first bytes decide whether
    /// the rest is unpacked.
    ///
    /// # Errors
    /// As [`Self::check`], for a damaged entry, one that is larger than [`LARGEST_ENTRY`] or a bomb, and for a large one that does not
    /// begin as an image.
    pub fn read(&self, entry: usize) -> Result<Content> {
        self.check_size(entry)?;
        let mut bytes = Vec::new();
        let room = self.unpack(entry, LARGEST_ENTRY, |piece| bytes.extend_from_slice(piece))?;
        Ok(Content::new(bytes, room))
    }

    /// The digest and the length of what [`Self::read`] gives; only a piece of it is in memory at a time.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn digest(&self, entry: usize) -> Result<(Digest, u64)> {
        self.check_size(entry)?;
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

/// The name of a compression that is not read.
fn other_compression(method: CompressionMethod) -> Option<String> {
    let raw = match method {
        CompressionMethod::Stored | CompressionMethod::Deflated => return None,
        #[expect(
            deprecated,
            reason = "the one way to the number that stands in the file"
        )]
        other => other.to_u16(),
    };
    // Section 4.4.5 of PKWARE's APPNOTE.
    let name = match raw {
        9 => "Deflate64",
        12 => "bzip2",
        14 => "LZMA",
        93 => "Zstandard",
        95 => "XZ",
        98 => "PPMd",
        99 => "AES encryption",
        _ => return Some(format!("method {raw}")),
    };
    Some(name.to_owned())
}

/// Why a file is no zip that can be read, and what to do.
fn no_zip(path: &Path, cause: zip::result::ZipError) -> Error {
    let shown = shown_path(path);
    if let Some((what, way)) = parts::way_out(path) {
        return Error::failed(format!("`{shown}` is {what}, not a zip")).help(way);
    }
    let first = path.with_extension("z01");
    if let Some((_, way)) = parts::way_out(&first).filter(|_| first.exists()) {
        return Error::failed(format!("`{shown}` is the last part of a divided zip")).help(way);
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
