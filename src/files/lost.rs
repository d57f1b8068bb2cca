//! Why a file that is listed cannot be read.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use super::kind_of;
use crate::error::Error;

/// Why a file that is listed cannot be read, where that is a property of the file (a link that leads nowhere, no
/// permission, a device) and not of the moment; `error` is what came of trying.
#[must_use]
pub fn why_lost(path: &Path, error: &Error) -> Option<&'static str> {
    let cause = std::error::Error::source(error).and_then(|e| e.downcast_ref::<io::Error>());
    let Some(cause) = cause else {
        let kind = fs::metadata(path).ok()?.file_type();
        return Some(if kind.is_file() {
            OF_THE_SYSTEM
        } else {
            kind_of(kind)
        });
    };
    if cause.kind() == ErrorKind::NotFound {
        return path
            .is_symlink()
            .then_some("a symbolic link that leads nowhere");
    }
    match cause.raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => Some("no permission to read it"),
        Some(libc::ELOOP) => Some("a symbolic link that leads in a circle"),
        Some(libc::ENOTDIR) => Some("a symbolic link that leads nowhere"),
        Some(libc::EIO) => Some("the disk cannot read it"),
        _ => None,
    }
}

/// What `/proc` and its like hold.
pub(super) const OF_THE_SYSTEM: &str = "what the system shows of itself";

/// Whether a file is made up by the kernel while it is read, such as `/proc/kmsg`, which calls itself regular and has no end.
pub(super) fn of_the_system(file: &File, found: &fs::Metadata) -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        // A photograph mostly lies where the last one did.
        static NONE_OF_IT: AtomicU64 = AtomicU64::new(u64::MAX);
        if found.dev() == NONE_OF_IT.load(Ordering::Relaxed) {
            return false;
        }
        // proc, sysfs, debugfs, tracefs, securityfs, selinuxfs, cgroup, cgroup2, bpf and configfs, from `linux/magic.h`.
        const KINDS: [u32; 10] = [
            0x9fa0,
            0x6265_6572,
            0x6462_6720,
            0x7472_6163,
            0x7363_6673,
            0xf97c_ff8c,
            0x0027_e0eb,
            0x6367_7270,
            0xcafe_4a11,
            0x6265_6570,
        ];
        let Ok(of) = rustix::fs::fstatfs(file) else {
            return false;
        };
        let of_it = KINDS.contains(&(of.f_type as u32));
        if !of_it {
            NONE_OF_IT.store(found.dev(), Ordering::Relaxed);
        }
        of_it
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, found);
        false
    }
}
