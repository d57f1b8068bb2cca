//! Files with their path in every error, and publication that is never half done.

use std::{
    fs::{self, File, FileType},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::error::{Error, Result};

mod json;
mod list;
mod lost;
mod paths;
mod replace;
mod scratch;
mod sync;

pub use json::{publish_json, read_json, read_json_into, write_json};
pub use list::{FileList, Listed};
pub use lost::why_lost;
use lost::{OF_THE_SYSTEM, of_the_system};
pub use paths::FilePaths;
pub use replace::{replace_with, replace_with_copy};
pub use scratch::{Column, Scratch};
use sync::synced;
pub use sync::{sync_folder, sync_tree};

/// Reads a whole file.
///
/// # Errors
/// When it cannot be read; the path is in the message.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| Error::io("read", path, e))
}

/// Opens a file of someone else for reading: a regular file, or a link to one. Never waits for a writer to a pipe, and opens
/// no device: what has no end or no content of its own is no input.
///
/// # Errors
/// When it cannot be opened, or is a folder, a pipe, a socket, a device, or what a system shows of itself as files (`/proc`).
pub fn open_regular(path: &Path) -> Result<File> {
    Ok(open_sized(path)?.0)
}

/// As [`open_regular`], with the number of bytes that it has now.
///
/// # Errors
/// As [`open_regular`].
pub fn open_sized(path: &Path) -> Result<(File, u64)> {
    let fail = |e| Error::io("read", path, e);
    // Asked before it is opened too: opening is enough to make some devices do something.
    let found = fs::metadata(path).map_err(fail)?;
    only_regular(path, found.file_type())?;
    let file = open_at_once(path).map_err(fail)?;
    let found = file.metadata().map_err(fail)?;
    only_regular(path, found.file_type())?;
    if of_the_system(&file, &found) {
        return Err(no_file(path, OF_THE_SYSTEM));
    }
    Ok((file, found.len()))
}

/// Reads a whole file of someone else, as [`open_regular`] opens it, of at most `most` bytes: no memory is taken for more.
///
/// # Errors
/// As [`open_regular`], when it is larger, or when it cannot be read.
pub fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>> {
    let (file, length) = open_sized(path)?;
    read_open(path, file, length, most)
}

/// As [`read_bounded`], of what [`open_sized`] gave.
///
/// # Errors
/// When it is larger than `most`, or cannot be read.
pub fn read_open(path: &Path, file: File, length: u64, most: u64) -> Result<Vec<u8>> {
    let fail = |e| Error::io("read", path, e);
    let mut bytes = Vec::new();
    if length <= most {
        read_what_is_there(&file, &mut bytes, length as usize).map_err(fail)?;
        // One byte more than allowed is enough to see that a file has grown meanwhile.
        let mut rest = file.take(most.saturating_add(1).saturating_sub(bytes.len() as u64));
        rest.read_to_end(&mut bytes).map_err(fail)?;
    }
    let length = length.max(bytes.len() as u64);
    if length <= most {
        return Ok(bytes);
    }
    Err(Error::failed(format!(
        "`{}` has {length} bytes; at most {most} are read of such a file",
        path.display()
    )))
}

/// In one call where the system does it so, into memory that nobody clears first: photographs are read by the ten thousand.
#[cfg(target_os = "linux")]
fn read_what_is_there(file: &File, bytes: &mut Vec<u8>, length: usize) -> io::Result<()> {
    bytes.reserve_exact(length);
    while bytes.len() < length {
        match rustix::io::read(file, rustix::buffer::spare_capacity(bytes)) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn read_what_is_there(_: &File, _: &mut Vec<u8>, _: usize) -> io::Result<()> {
    // What follows reads all of it.
    Ok(())
}

/// Opens without waiting. Where a file server is asked to give a file free first, that is waited for.
fn open_at_once(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = File::options();
        options
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        match options.open(path) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            opened => return opened,
        }
    }
    File::open(path)
}

fn only_regular(path: &Path, kind: FileType) -> Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    Err(no_file(path, kind_of(kind)))
}

fn no_file(path: &Path, is: &str) -> Error {
    let shown = path.display();
    Error::failed(format!("cannot read `{shown}`: it is {is}"))
        .help("name a regular file, or a link to one")
}

/// What something on a disk is, for a message: `a folder`.
#[must_use]
pub fn kind_of(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        } else if kind.is_socket() {
            return "a socket";
        } else if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        "a regular file"
    }
}

/// Reads a whole UTF-8 file.
///
/// # Errors
/// When it cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| Error::io("read", path, e))
}

/// Writes a file. Not atomic: for files in a private folder.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|e| Error::io("write", path, e))
}

/// Replaces a file of kfood's own in one step: written beside its place, synced, renamed. A reader sees the old or the new
/// content. For a file that a user asked for, [`replace_with`] minds modes and links too.
///
/// # Errors
/// When it cannot be written.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    replace::publish(path, bytes)
}

/// A name beside `path` that no other process or thread uses.
#[must_use]
pub fn aside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let ending = format!("{}.{n}.tmp", std::process::id());
    path.with_file_name(replace::hidden(
        path.file_name().unwrap_or_default(),
        &ending,
    ))
}

/// Creates a folder and its parents.
///
/// # Errors
/// When it cannot be created.
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| Error::io("create the folder", path, e))
}

/// Removes a file or a whole folder; nothing there is fine.
///
/// # Errors
/// When something there cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match gone {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, e)),
        _ => Ok(()),
    }
}

/// Renames and syncs the folder that now holds the new name.
///
/// # Errors
/// When the rename or the sync fails.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| Error::io("publish", to, e))?;
    sync_folder(folder_of(to))
}

/// The folder that holds a path; a bare name lies in the working directory.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishing_replaces_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/result.json");
        publish(&path, b"old").unwrap();
        publish(&path, b"new").unwrap();
        assert_eq!(read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_read_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let why = |path: &Path| open_regular(path).unwrap_err().to_string();

        fs::write(at("file"), b"content").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        assert_eq!(read_bounded(&at("link"), 7).unwrap(), b"content");
        let error = read_bounded(&at("file"), 6).unwrap_err().to_string();
        assert!(error.contains("has 7 bytes; at most 6"), "{error}");

        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        assert!(why(&at("pipe")).contains("it is a named pipe"));
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert!(why(&at("socket")).contains("it is a socket"));
        std::os::unix::fs::symlink("/dev/zero", at("zeros")).unwrap();
        assert!(why(&at("zeros")).contains("it is a device"));
        assert!(why(folder.path()).contains("it is a folder"));
        std::os::unix::fs::symlink(at("nowhere"), at("dead")).unwrap();
        assert!(why(&at("dead")).contains("cannot read"));
        if cfg!(target_os = "linux") {
            let error = why(Path::new("/proc/self/status"));
            assert!(error.contains("what the system shows of itself"), "{error}");
        }
    }

    #[test]
    fn an_error_names_the_path() {
        let error = read(Path::new("no/such/file")).unwrap_err();
        assert!(error.to_string().contains("`no/such/file`"));
    }
}
