//! Where a cache lies: telling one from any other folder, making one, and what a person may do there.

use std::{
    error,
    fs::{self, Metadata},
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::{Cache, Record, entry::names};
use crate::{
    digest::Digest,
    error::{Error, Result},
    files,
    native::{FollowMode, follow_mode},
    text::{shown, shown_path},
};

const TAG: &str =
    "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of kfood.\n";
const LAYOUT: &str = "kfood cache 1\n";
const FOLDERS: [&str; 5] = ["entries", "attempts", "locks", "runs", "digests"];

impl Cache {
    /// Opens a cache, or the place of one that is made by the first run. Nothing is made here; only a damaged `format` of a cache
    /// with results is written anew, with a warning.
    ///
    /// # Errors
    /// When the folder holds a cache of another layout, or is no cache and not empty.
    pub fn open(root: &Path) -> Result<Self> {
        let root = std::path::absolute(root).map_err(|e| Error::io("find", root, e))?;
        let cache = Self { root };
        let path = cache.root.join("format");
        let found = match fs::read(&path) {
            Ok(found) if found == LAYOUT.as_bytes() => return Ok(cache),
            Ok(found) => Some(found),
            Err(_) if cache.root.is_symlink() && !cache.root.exists() => {
                let message = format!(
                    "`{}` is to be the cache, and is a link that leads nowhere",
                    shown_path(&cache.root)
                );
                let help = "make the folder that it leads to, or set KFOOD_CACHE to another";
                return Err(Error::usage(message).help(help));
            }
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) if e.kind() == ErrorKind::NotADirectory => {
                let message = format!(
                    "`{}` is to be the cache, and is no folder",
                    shown_path(&cache.root)
                );
                return Err(Error::usage(message).help("set KFOOD_CACHE to a folder"));
            }
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                let error = Error::io("read", &path, e);
                return Err(error.help(format!(
                    "whom the cache belongs to can open it to others (`chmod -R a+rX {}`); or set KFOOD_CACHE to a folder of your own",
                    shown_path(&cache.root)
                )));
            }
            Err(e) => return Err(Error::io("read", &path, e)),
        };
        if let Some(layout) = found.as_deref().and_then(layout) {
            let message = format!(
                "the cache `{}` has the layout `{layout}`; this kfood knows `{}`",
                shown_path(&cache.root),
                LAYOUT.trim_end()
            );
            return Err(Error::failed(message).help(
                "set KFOOD_CACHE to another place, or remove the cache: what it holds can be made again",
            ));
        }
        if !cache.is_ours() {
            return cache.vacant().map(|()| cache);
        }
        if found.is_some() || cache.has_entries() {
            let what = if found.is_some() { "damaged" } else { "lost" };
            tracing::warn!("`{}` is {what}; it is written anew", shown_path(&path));
            let written = files::publish(&path, LAYOUT.as_bytes());
            if let Err(error) = written.or_else(|e| only_readable(&e).then_some(()).ok_or(e)) {
                tracing::warn!("{error}");
            }
        }
        Ok(cache)
    }

    /// Makes what is missing of the cache's folder. Of a cache of which one may only read, nothing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make(&self) -> Result<()> {
        let made = self.is_made();
        let missing = FOLDERS.map(|name| self.root.join(name));
        let missing: Vec<_> = missing.iter().filter(|folder| !folder.is_dir()).collect();
        if made && missing.is_empty() {
            return Ok(());
        }
        let make = || {
            files::create_folder(&self.root)?;
            let _mode = self.follow_mode();
            if !made {
                // First of all: from here on the folder is known as a cache.
                files::publish(&self.root.join("CACHEDIR.TAG"), TAG.as_bytes())?;
            }
            missing
                .into_iter()
                .try_for_each(|f| files::create_folder(f))?;
            match made {
                true => Ok(()),
                false => files::publish(&self.root.join("format"), LAYOUT.as_bytes()),
            }
        };
        match make() {
            // Of a copy that can only be read, empty folders may have been left out: what it holds is read without them.
            Err(error) if made && only_readable(&error) => Ok(()),
            Err(error) => Err(helped(error)),
            Ok(()) => Ok(()),
        }
    }

    /// Whether there is a cache yet.
    pub(super) fn is_made(&self) -> bool {
        self.root.join("format").is_file()
    }

    /// While it lives, new files can be used by whom the mode of the cache's folder allows it: a shared cache stays one.
    #[must_use]
    pub fn follow_mode(&self) -> Option<FollowMode> {
        let mode = fs::metadata(&self.root).ok()?.permissions().mode();
        Some(follow_mode(mode))
    }

    /// Whether a folder without a sound `format` is a cache all the same.
    fn is_ours(&self) -> bool {
        fs::read(self.root.join("CACHEDIR.TAG")).is_ok_and(|tag| tag == TAG.as_bytes())
            || self.has_entries()
    }

    fn has_entries(&self) -> bool {
        let entries = self.root.join("entries");
        let entry = |name: &String| {
            name.parse::<Digest>().is_ok() && entries.join(name).join(Record::FILE).is_file()
        };
        names(&entries).iter().any(entry)
    }

    /// An error where the folder holds something else: what kfood cleans up there may be somebody's.
    fn vacant(&self) -> Result<()> {
        let taken = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut taken: Vec<_> = taken
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            // What systems leave in any folder, and what a kill left of a cache in the making.
            .filter(|name| !(name.starts_with('.') || name == "lost+found"))
            .filter(|name| !(FOLDERS.contains(&&**name) && names(&self.root.join(name)).is_empty()))
            .collect();
        taken.sort();
        let Some(first) = taken.first() else {
            return Ok(());
        };
        let message = format!(
            "`{}` is to be the cache, and holds something else (`{}`)",
            shown_path(&self.root),
            shown(first)
        );
        Err(Error::usage(message).help("set KFOOD_CACHE to an empty or a new folder"))
    }
}

/// The layout that a sound `format` of another kfood names.
fn layout(found: &[u8]) -> Option<&str> {
    let layout = std::str::from_utf8(found).ok()?.strip_suffix('\n')?;
    let number = layout.strip_prefix("kfood cache ")?;
    number.parse::<u32>().ok().map(|_| layout)
}

/// Whether an error says that a person may read here, and not write.
pub(super) fn only_readable(error: &Error) -> bool {
    let mut cause = error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return may_only_read(io);
        }
        cause = inner.source();
    }
    false
}

/// As [`only_readable`], of an error of the system.
pub(super) fn may_only_read(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    )
}

/// The way out where one may only read.
pub(super) fn helped(error: Error) -> Error {
    match only_readable(&error) {
        true => error.help(
            "what is in this cache serves without write access, anything else has to be written: ask for write access to it, or set KFOOD_CACHE to a folder of your own",
        ),
        false => error,
    }
}

/// Permission bits of a folder's mode that a file in it takes.
pub(super) fn file_mode(folder: &Metadata) -> u32 {
    folder.permissions().mode() & 0o666
}
