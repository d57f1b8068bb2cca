//! The entries of a folder or of a zip under their NFC names, sorted out by what their names say.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use walkdir::WalkDir;

use super::{
    Archive, Place,
    found::{PassedOver, some_lines},
};
use crate::{
    error::{Error, Result},
    name::nfc,
};

/// Extensions of files that lie beside photographs and are none. Anything else is taken and judged by its content when it
/// is decoded, so that a photograph with an odd name is used and a broken download is reported.
const NO_IMAGE: [&str; 26] = [
    "txt",
    "csv",
    "tsv",
    "json",
    "jsonl",
    "xml",
    "yaml",
    "yml",
    "toml",
    "ini",
    "db",
    "properties",
    "md",
    "html",
    "htm",
    "pdf",
    "zip",
    "tar",
    "gz",
    "7z",
    "py",
    "ipynb",
    "npy",
    "log",
    "crop_area",
    "lnk",
];

/// Names of files and folders that systems leave behind, in small letters.
const LEFT_BEHIND: [&str; 4] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"];

/// What is there. All names are NFC, with `/`, relative to the root.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Files that may be images.
    pub files: Vec<(String, Place)>,
    /// Folders, with the bytes of their names.
    pub folders: Vec<(String, String)>,
    /// `crop_area.properties`.
    pub areas: Vec<(String, Place)>,
    /// `org_url.csv`.
    pub sources: Vec<(String, Place)>,
    /// Zips in the folder that are read in place.
    pub zips: Vec<(String, PathBuf)>,
    /// What was not taken.
    pub passed_over: PassedOver,
}

impl Tree {
    /// What is in a folder, or in a zip. In a folder that holds no images outside zips, each zip stands for a folder of its
    /// name without `.zip`; beside images zips are passed over, since they are most likely where the images came from.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        if root.is_file() {
            tree.zip("", root)?;
            return Ok(tree);
        }
        tree.folder(root)?;
        let zips = std::mem::take(&mut tree.zips);
        if !tree.files.is_empty() {
            for _ in zips {
                tree.passed_over.count("`.zip`");
            }
            return Ok(tree);
        }
        for (name, path) in zips {
            let stem = name[..name.len() - ".zip".len()].to_owned();
            tree.folders.push((stem.clone(), name.clone()));
            tree.zip(&format!("{stem}/"), &path)?;
            tree.zips.push((name, path));
        }
        tree.zips.sort();
        Ok(tree)
    }

    fn folder(&mut self, root: &Path) -> Result<()> {
        let entries = WalkDir::new(root).follow_links(true).min_depth(1);
        let mut entries = entries.into_iter();
        let mut lost = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) if e.loop_ancestor().is_some() => {
                    self.passed_over.count("looping links");
                    continue;
                }
                Err(e) if is_hidden_path(e.path()) => {
                    self.passed_over.count("hidden");
                    continue;
                }
                Err(e) => {
                    lost.push(e);
                    continue;
                }
            };
            if is_hidden_path(Some(entry.path())) {
                self.passed_over.count("hidden");
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
                continue;
            }
            let name = relative(root, entry.path())?;
            let place = Place::File(entry.path().to_owned());
            if entry.file_type().is_dir() {
                self.folders.push((name, place.spelling()));
            } else if !entry.file_type().is_file() {
                self.passed_over.count("special files");
            } else if other_kind(&name).as_deref() == Some("zip") {
                self.zips.push((name, entry.into_path()));
            } else {
                self.file(name, place);
            }
        }
        match lost.len() {
            0 => Ok(()),
            1 => lost.pop().map_or(Ok(()), |e| Err(unreadable(root, e))),
            n => {
                let lines: Vec<_> = lost
                    .into_iter()
                    .map(|e| unreadable(root, e).to_string())
                    .collect();
                let text = format!("{n} entries of `{}` cannot be read:", root.display());
                Err(Error::failed(text + &some_lines(&lines, 20))
                    .help("make them readable, or remove them (links that lead nowhere too)"))
            }
        }
    }

    fn zip(&mut self, prefix: &str, path: &Path) -> Result<()> {
        let archive = Arc::new(Archive::open(path)?);
        for (i, entry) in archive.entries().iter().enumerate() {
            let name = &entry.name;
            if name.is_empty() && entry.folder {
                continue;
            }
            if name.is_empty() || name.split('/').any(is_hidden) {
                self.passed_over.count("hidden");
            } else if entry.folder {
                self.folders
                    .push((format!("{prefix}{name}"), entry.spelling.clone()));
            } else if entry.link {
                self.passed_over.count("links in zips");
            } else if other_kind(name).as_deref() == Some("zip") {
                let shown = path.display();
                return Err(
                    Error::failed(format!("`{name}` in `{shown}` is a zip inside a zip")).help(
                        "unpack the outer one into a folder and name that folder; the zips in it are read in place",
                    ),
                );
            } else {
                let archive = Arc::clone(&archive);
                self.file(format!("{prefix}{name}"), Place::Zip { archive, entry: i });
            }
        }
        Ok(())
    }

    /// Sorts out a file by its name.
    fn file(&mut self, name: String, place: Place) {
        let last = name.rsplit('/').next().unwrap_or_default();
        if last.eq_ignore_ascii_case("crop_area.properties") {
            self.areas.push((name, place));
        } else if last.eq_ignore_ascii_case("org_url.csv") {
            self.sources.push((name, place));
        } else if let Some(extension) = other_kind(last) {
            self.passed_over.count(format!("`.{extension}`"));
        } else {
            self.files.push((name, place));
        }
    }
}

/// Whether a file is a zip, by its first bytes or by its name.
#[must_use]
pub fn is_zip(path: &Path) -> bool {
    let named = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("zip"));
    let begins = || {
        let mut start = [0; 4];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && (start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06"))
    };
    path.is_file() && (named || begins())
}

/// Whether a file in a folder of photographs may be one, going by its name: not hidden, and not of a well-known other kind.
#[must_use]
pub fn may_be_image(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !is_hidden(&name) && other_kind(&name).is_none()
}

/// The NFC path below the root, with `/`.
fn relative(root: &Path, path: &Path) -> Result<String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.to_str().map(nfc).ok_or_else(|| {
        Error::failed(format!("the name of `{}` is not UTF-8", path.display())).help(
            "rename it; archives from older Windows need their file names converted from CP949, or are read in place as a zip",
        )
    })
}

fn is_hidden_path(path: Option<&Path>) -> bool {
    let name = path.and_then(Path::file_name).unwrap_or_default();
    is_hidden(&name.to_string_lossy())
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || LEFT_BEHIND.iter().any(|n| n.eq_ignore_ascii_case(name))
}

fn other_kind(name: &str) -> Option<String> {
    let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    NO_IMAGE.contains(&extension.as_str()).then_some(extension)
}

fn unreadable(root: &Path, error: walkdir::Error) -> Error {
    let path = error.path().unwrap_or(root).to_owned();
    let dangling = path.is_symlink();
    let cause = error
        .into_io_error()
        .unwrap_or_else(|| std::io::Error::other("unreadable entry"));
    let error = Error::io("read", &path, cause);
    if dangling {
        return error.help("the symbolic link leads nowhere; repair or remove it");
    }
    error
}
