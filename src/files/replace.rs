//! The one way a file is written for a user: aside, synced, renamed. The old file stays until the new one is whole.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write},
    os::{
        fd::AsFd,
        unix::fs::{OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use super::{aside, create_folder, folder_of, synced};
use crate::{
    error::{Error, Result},
    space::{self, Needed},
    text::shown_path,
};

/// Links that are followed, as the kernel does.
const MOST_LINKS: usize = 40;

/// Writes a file that a user asked for, new or in the place of an old one. What `write` gives is buffered into a file
/// beside it, synced and renamed, so that the name holds the old or the new content; after a failure it holds the old one, and nothing
/// is left beside it.
///
/// A new file gets the mode that any new one would, one that was there keeps its own. A symbolic link stays, and what it
/// points to is replaced. What is no regular file (a FIFO, `/dev/stdout`) is written straight. Where nothing may be created
/// beside a file that itself may be written, it is written in place once the content is whole.
///
/// # Errors
/// Those of `write`; when the place is a folder or may not be written; on a full disk with what is needed and what is free.
pub fn replace_with<T>(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let fail = |e| Error::io("write", path, e);
    let place = resolved(path).map_err(fail)?;
    match fs::metadata(&place) {
        Ok(found) if found.is_dir() => Err(Error::usage(format!(
            "`{}` is a folder, and a file is to be written",
            shown_path(path)
        ))
        .help("name a file in it")),
        Ok(found) if !found.is_file() || is_handle(&place) => {
            filled(straight(&place).map_err(fail)?, path, write).map(|(_, result)| result)
        }
        Ok(found) => {
            // Someone who took away the right to write means to keep it, though a rename could do without.
            OpenOptions::new().write(true).open(&place).map_err(fail)?;
            regular(path, &place, Some(&found), write)
        }
        Err(_) => regular(path, &place, None, write),
    }
}

/// As [`replace_with`] for a file of kfood's own, whatever mode the old one has.
pub(super) fn publish(path: &Path, bytes: &[u8]) -> Result<()> {
    regular(path, path, None, |writer| {
        writer
            .write_all(bytes)
            .map_err(|e| Error::io("write", path, e))
    })
}

/// Into a regular file at `place`, which is told as `path`; `old` lies there.
fn regular<T>(
    path: &Path,
    place: &Path,
    old: Option<&Metadata>,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    if old.is_none() {
        create_folder(folder_of(place))?;
    }
    let aside = aside(place);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // From the first byte on nobody reads what they could not read before.
    options.mode(old.map_or(0o666, |old| old.permissions().mode() & 0o777));
    let file = match options.open(&aside) {
        Ok(file) => file,
        Err(e) if old.is_some() && is_refusal(&e) => {
            return in_place(path, place, write);
        }
        Err(e) => return Err(Error::io("write", path, e)),
    };
    let written = filled(file, path, write).and_then(|(file, result)| {
        if let Some(old) = old {
            // The creation mode was masked. File systems without modes refuse, and lose nothing.
            let _ = file.set_permissions(Permissions::from_mode(old.permissions().mode() & 0o7777));
        }
        synced(&file).map_err(|e| Error::io("write", path, e))?;
        match fs::rename(&aside, place) {
            // A file that is a mount, or another's in a folder where everyone owns their own.
            Err(e) if old.is_some() && is_refusal(&e) => {
                let mut content = File::open(&aside).map_err(|e| Error::io("read", &aside, e))?;
                overwrite(place, &mut content).map_err(|e| Error::io("write", path, e))?;
                let _ = fs::remove_file(&aside);
            }
            renamed => {
                renamed.map_err(|e| Error::io("write", path, e))?;
                // Who may write into a folder and not read it cannot sync it; the content is synced and in place.
                if let Ok(folder) = File::open(folder_of(place)) {
                    synced(&folder).map_err(|e| Error::io("sync", folder_of(place), e))?;
                }
            }
        }
        Ok(result)
    });
    if written.is_err() {
        // What is left of a failed attempt helps nobody, and the first error is the one to tell.
        let _ = fs::remove_file(&aside);
    }
    written
}

/// Where no file can be made beside it: the content first, then into the file that is there.
fn in_place<T>(
    path: &Path,
    place: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    let fail = |e| Error::io("write", path, e);
    let spool = tempfile::tempfile().map_err(fail)?;
    let (mut spool, result) = filled(spool, path, write)?;
    spool.seek(SeekFrom::Start(0)).map_err(fail)?;
    overwrite(place, &mut spool).map_err(fail)?;
    Ok(result)
}

fn overwrite(place: &Path, content: &mut File) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(place)?;
    io::copy(content, &mut file)?;
    synced(&file)
}

/// The file with all that `write` gives, and what it returns.
fn filled<T>(
    file: File,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<(File, T)> {
    let mut sink = Sink {
        file: BufWriter::with_capacity(1 << 17, file),
        count: 0,
        failed: None,
    };
    let result = write(&mut sink);
    if let Some(e) = sink.failed.take() {
        // In our words, whatever a library made of it.
        return Err(failed(path, e, Needed::AtLeast(sink.count)));
    }
    let result = result?;
    let count = sink.count;
    let file = sink
        .file
        .into_inner()
        .map_err(|e| failed(path, e.into_error(), Needed::Bytes(count)))?;
    Ok((file, result))
}

fn failed(path: &Path, cause: io::Error, needed: Needed) -> Error {
    let help = space::help(path, &cause, needed);
    let error = Error::io("write", path, cause);
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

/// Remembers the first failure of the file and how much was to be written.
struct Sink {
    file: BufWriter<File>,
    count: u64,
    failed: Option<io::Error>,
}

impl Sink {
    fn noted<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.inspect_err(|e| {
            if e.kind() != ErrorKind::Interrupted {
                self.failed.get_or_insert_with(|| again(e));
            }
        })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.file.write(bytes);
        self.count += *done.as_ref().unwrap_or(&bytes.len()) as u64;
        self.noted(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.file.flush();
        self.noted(done)
    }
}

/// The same error once more.
fn again(e: &io::Error) -> io::Error {
    e.raw_os_error()
        .map_or_else(|| e.kind().into(), io::Error::from_raw_os_error)
}

/// Whether a folder, not the disk, stands in the way.
fn is_refusal(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::ResourceBusy
    )
}

/// The path at the end of its last component's symbolic links, which may not exist yet.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&place) {
            Ok(found) if found.is_symlink() && !is_handle(&place) => {
                place = folder_of(&place).join(fs::read_link(&place)?);
            }
            _ => return Ok(place),
        }
    }
    Err(io::Error::from(ErrorKind::InvalidInput))
}

/// Whether it names a file that a process has open (`/dev/fd/1`, `/proc/self/fd/1`): others write there too.
fn is_handle(path: &Path) -> bool {
    path.starts_with("/proc") || path.starts_with("/dev/fd")
}

/// What is no regular file of its own, opened. Our own output is shared, with its place in a file that it may lead to.
fn straight(place: &Path) -> io::Result<File> {
    let number = place.file_name().filter(|_| is_handle(place));
    match number.and_then(|number| number.to_str()) {
        Some("1") => Ok(io::stdout().as_fd().try_clone_to_owned()?.into()),
        Some("2") => Ok(io::stderr().as_fd().try_clone_to_owned()?.into()),
        _ => OpenOptions::new().append(true).open(place),
    }
}

/// A short name for a file beside `name`: a file system's bound on names holds for it too.
pub(super) fn hidden(name: &OsStr, ending: &str) -> OsString {
    let name = name.to_string_lossy();
    let cut = name.floor_char_boundary(150);
    format!(".{}.{ending}", &name[..cut]).into()
}

/// Puts a copy of a file at a place of the user's, as [`replace_with`] does.
///
/// # Errors
/// As [`replace_with`], and when the file cannot be read.
pub fn replace_with_copy(path: &Path, of: &Path) -> Result<()> {
    let mut from = File::open(of).map_err(|e| Error::io("read", of, e))?;
    replace_with(path, |mut to| {
        io::copy(&mut from, &mut to).map_err(|e| Error::io("write", path, e))?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::files::read;

    fn put(path: &Path, content: &[u8]) -> Result<()> {
        replace_with(path, |to| {
            to.write_all(content)
                .map_err(|e| Error::io("write", path, e))
        })
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_failure_keeps_the_old_file_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.pt");
        put(&path, b"good").unwrap();
        let error = replace_with(&path, |to| -> Result<()> {
            let _ = to.write_all(&[0; 1 << 20]);
            Err(Error::failed("the content is not to be had"))
        });
        assert_eq!(error.unwrap_err().message(), "the content is not to be had");
        assert_eq!(read(&path).unwrap(), b"good");
        assert_eq!(names(folder.path()), 1);
    }

    #[test]
    fn a_full_disk_is_told_with_what_is_needed_and_not_in_the_words_of_a_library() {
        // Every write to it fails as on a full disk.
        let path = Path::new("/dev/full");
        if !path.exists() {
            return;
        }
        let error = replace_with(path, |to| -> Result<()> {
            to.write_all(&[0; 3 << 20])
                .map_err(|_| Error::failed("csv error"))
        })
        .unwrap_err();
        assert!(
            error.to_string().starts_with("cannot write `/dev/full`: "),
            "{error}"
        );
        let help = error.help_text().unwrap();
        assert!(help.contains("3.1 MB"), "{help}");
        // Small enough to stay in the buffer until the end.
        let error = put(path, b"little").unwrap_err();
        assert!(error.help_text().unwrap().contains("6 bytes"), "{error:?}");
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_new_one_gets_that_of_any_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, new, any) = (
            folder.path().join("kept"),
            folder.path().join("new"),
            folder.path().join("any"),
        );
        fs::write(&kept, "old").unwrap();
        fs::set_permissions(&kept, Permissions::from_mode(0o606)).unwrap();
        fs::write(&any, "any").unwrap();
        put(&kept, b"x").unwrap();
        put(&new, b"x").unwrap();
        assert_eq!((mode(&kept), mode(&new)), (0o606, mode(&any)));
    }

    #[test]
    fn a_link_stays_a_link_whether_its_target_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (
            folder.path().join("link"),
            folder.path().join("deep/target"),
        );
        symlink("deep/target", &link).unwrap();
        for content in [b"first", b"later"] {
            put(&link, content).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(read(&target).unwrap(), content);
        }
        assert_eq!(names(&folder.path().join("deep")), 1);
        let circle = folder.path().join("circle");
        symlink(&circle, &circle).unwrap();
        assert!(put(&circle, b"x").is_err());
    }

    #[test]
    fn a_folder_is_refused_with_a_way_out_and_before_anything_is_computed() {
        let folder = tempfile::tempdir().unwrap();
        let error = replace_with(folder.path(), |_| -> Result<()> { unreachable!() });
        assert_eq!(error.unwrap_err().help_text(), Some("name a file in it"));
    }

    #[test]
    fn a_handle_of_a_process_is_written_straight() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        fs::write(&path, "before ").unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        let handle = format!("/proc/self/fd/{}", file.as_raw_fd());
        if Path::new(&handle).exists() {
            let link = folder.path().join("link");
            symlink(&handle, &link).unwrap();
            put(&link, b"content").unwrap();
            // The same file, not another under its name.
            file.write_all(b"!").unwrap();
            assert_eq!(read(&path).unwrap(), b"before content!");
        }
    }

    #[test]
    fn a_long_name_leaves_room_for_the_name_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("가".repeat(85));
        put(&path, b"x").unwrap();
        assert_eq!(read(&path).unwrap(), b"x");
    }

    #[test]
    fn what_may_not_be_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        fs::write(&path, "kept").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
        // The superuser may write everything.
        if OpenOptions::new().write(true).open(&path).is_err() {
            assert!(put(&path, b"x").is_err());
            assert_eq!(read(&path).unwrap(), b"kept");
        }
        let sealed = folder.path().join("sealed");
        fs::create_dir(&sealed).unwrap();
        let inside = sealed.join("open");
        fs::write(&inside, "old").unwrap();
        fs::set_permissions(&sealed, Permissions::from_mode(0o555)).unwrap();
        put(&inside, b"new").unwrap();
        assert_eq!(read(&inside).unwrap(), b"new");
        fs::set_permissions(&sealed, Permissions::from_mode(0o755)).unwrap();
    }
}
