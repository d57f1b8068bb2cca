//! Files with their path in every error, and publication that is never half done.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, Result};

mod replace;
mod space;

pub use replace::replace_with;
pub(crate) use space::{Needed, help as help_with_space};

/// Reads a whole file.
///
/// # Errors
/// When it cannot be read; the path is in the message.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| Error::io("read", path, e))
}

/// Reads a whole UTF-8 file.
///
/// # Errors
/// When it cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| Error::io("read", path, e))
}

/// Reads a JSON file into a typed value.
///
/// # Errors
/// When it cannot be read or is not of that shape.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_slice(&read(path)?)
        .map_err(|e| Error::failed(format!("cannot understand `{}`", path.display())).because(e))
}

/// Writes a value as indented JSON with a final newline. Not atomic: for files in a private folder.
///
/// # Errors
/// When it cannot be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::failed(format!("cannot write `{}`", path.display())).because(e))?;
    text.push(b'\n');
    write(path, &text)
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
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the entries of a folder durable.
///
/// # Errors
/// When the sync fails.
pub fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|folder| synced(&folder))
        .map_err(|e| Error::io("sync", path, e))
}

/// Makes a file or a folder durable, where its file system knows how.
fn synced(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

/// Makes every file below a folder, and the folder, durable.
///
/// # Errors
/// When a sync fails.
pub fn sync_tree(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).map_err(|e| Error::io("list", path, e))? {
        let entry = entry.map_err(|e| Error::io("list", path, e))?.path();
        if entry.is_dir() {
            sync_tree(&entry)?;
        } else {
            sync_folder(&entry)?;
        }
    }
    sync_folder(path)
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

    #[test]
    fn an_error_names_the_path() {
        let error = read(Path::new("no/such/file")).unwrap_err();
        assert!(error.to_string().contains("`no/such/file`"));
    }
}
