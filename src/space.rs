//! Full disks, and other limits of the system, in words: what is needed and what is free.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

/// How much was to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needed {
    /// So many bytes.
    Bytes(u64),
    /// As many, and more that were not tried any more.
    AtLeast(u64),
    /// It is not known.
    Unknown,
}

/// The way out where a write to `path` failed for want of space; `None` for every other failure.
pub(crate) fn help(path: &Path, cause: &io::Error, needed: Needed) -> Option<String> {
    let needed = match needed {
        Needed::Bytes(n) => format!("; it needs {}", size(n)),
        Needed::AtLeast(n) => format!("; it needs more than {}", size(n)),
        Needed::Unknown => String::new(),
    };
    match cause.kind() {
        ErrorKind::StorageFull => Some(match free(path) {
            Some((_, 0)) => {
                format!("remove files on the disk of this folder: no more fit on it{needed}")
            }
            Some((bytes, _)) => {
                let and = if needed.is_empty() { ";" } else { ", and" };
                let free = size(bytes);
                format!(
                    "make room on the disk of this folder, or name another{needed}{and} {free} are free"
                )
            }
            None => format!("make room on the disk of this folder, or name another{needed}"),
        }),
        ErrorKind::QuotaExceeded => Some(format!(
            "your quota on the disk of this folder is used up: make room, or name another{needed}"
        )),
        ErrorKind::FileTooLarge => Some(format!(
            "the size of a file is limited here (`ulimit -f`, or the file system): raise the limit, or name another folder{needed}"
        )),
        _ if is_out_of_files(cause) => Some(MORE_FILES.to_owned()),
        _ => None,
    }
}

/// The way out where no more files may be open.
pub(crate) const MORE_FILES: &str =
    "more files may have to be open at once: raise the limit (`ulimit -n 1024`)";

/// Whether a failure is that of a process, or a system, that has as many files open as it may.
pub(crate) fn is_out_of_files(cause: &io::Error) -> bool {
    matches!(cause.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Free bytes and free files for us on the disk of the nearest folder that is there.
#[cfg(target_os = "linux")]
fn free(path: &Path) -> Option<(u64, u64)> {
    let places = path.ancestors().skip(1).map(|place| {
        if place.as_os_str().is_empty() {
            Path::new(".")
        } else {
            place
        }
    });
    let found = places
        .into_iter()
        .find_map(|place| rustix::fs::statvfs(place).ok())?;
    // Some file systems count no files: 0 of 0 is no lack.
    let files = if found.f_files == 0 {
        u64::MAX
    } else {
        found.f_favail
    };
    Some((found.f_bavail.saturating_mul(found.f_frsize), files))
}

#[cfg(not(target_os = "linux"))]
fn free(_: &Path) -> Option<(u64, u64)> {
    None
}

/// In decimal units, as disks are sold and `ls -h --si` counts.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
