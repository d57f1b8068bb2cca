//! The entries of a folder or of a zip under their NFC names, sorted out by what their names say.

use std::{
    borrow::Cow,
    collections::HashSet,
    ffi::OsStr,
    io::Read,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Archive, Pictures, Place,
    class::parent,
    found::PassedOver,
    kinds::{left_behind, left_behind_folder, named_zip, other_kind},
    walked::{AREAS, Walked, is_beside, passed_over_by_name},
};
use crate::{
    error::{Error, Result},
    files::{self, FileList},
    spelt::Names,
    text::{shown, shown_path},
};

/// What is there. All names are NFC, with `/`, relative to the root.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Files that may be images.
    pub files: FileList,
    /// Entries of zips that may be images; there are none where there are files.
    pub zipped: Vec<(String, Place)>,
    /// Folders, with the bytes of their names.
    pub folders: Vec<(String, String)>,
    /// `crop_area.properties`.
    pub areas: Vec<(String, Place)>,
    /// `org_url.csv`.
    pub sources: Vec<(String, Place)>,
    /// Zips in the folder that are read in place.
    pub zips: Vec<(String, PathBuf)>,
    /// Archives that are not read in place, and parts of such.
    pub archives: Vec<PathBuf>,
    /// What was not taken.
    pub passed_over: PassedOver,
    /// What else there is to tell.
    pub notes: Vec<String>,
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
        tree.files.sort();
        let zips = std::mem::take(&mut tree.zips);
        if !tree.files.is_empty() {
            for (_, path) in zips {
                tree.passed_over.count("`.zip`");
                tree.archives.push(path);
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
        let walked = Walked::below(root)?;
        let others = walked.zips.iter().chain(&walked.folders);
        let others = others.filter_map(|path| path.file_name());
        let others = others.map(|name| name.as_encoded_bytes());
        let names = Names::on_disk(walked.files.lasts().chain(others));
        let name_of = |path: &Path| {
            let below = path.strip_prefix(root).unwrap_or(path);
            let name = names.read_path(below.as_os_str().as_encoded_bytes(), false);
            name.ok_or_else(|| no_text(path))
        };
        if names.is_cp949() {
            self.notes.push(format!(
                "names below `{}` that are not UTF-8 were read as CP949 (Korean Windows)",
                shown_path(root)
            ));
        }
        self.passed_over.append(walked.passed_over);
        self.archives = walked.archives;
        for path in &walked.folders {
            let place = Place::File(path.clone());
            self.folders.push((name_of(path)?, place.spelling()));
        }
        for path in walked.zips {
            self.zips.push((name_of(&path)?, path));
        }
        let above = |folder: &Path| match name_of(folder)? {
            name if name.is_empty() => Ok(name),
            name => Ok(name + "/"),
        };
        let last = |spelt: &[u8], folder: &Path| {
            let name = names.read(spelt);
            name.ok_or_else(|| no_text(&folder.join(OsStr::from_bytes(spelt))))
        };
        self.files = FileList::named(walked.files, above, last)?;
        for path in walked.beside {
            self.beside(name_of(&path)?, Place::File(path));
        }
        Ok(())
    }

    fn zip(&mut self, prefix: &str, path: &Path) -> Result<()> {
        let archive = Arc::new(Archive::open(path)?);
        self.notes.extend(archive.note());
        let mut left = HashSet::new();
        for (i, entry) in archive.entries().iter().enumerate() {
            let name = &entry.name;
            if name.is_empty() && entry.folder {
                continue;
            }
            if name.is_empty() {
                self.passed_over.count("hidden");
            } else if let Some((what, kind)) = left_behind_on_the_way(name, entry.folder) {
                // A folder of a system counts once, as it does on a disk.
                if left.insert(what.to_owned()) {
                    self.passed_over.count(kind);
                }
            } else if entry.folder {
                self.folders
                    .push((format!("{prefix}{name}"), entry.spelling.clone()));
            } else if entry.link {
                self.passed_over.count("link in a zip");
            } else if named_zip(name) {
                let (name, path) = (shown(name), shown_path(path));
                return Err(
                    Error::failed(format!("`{name}` in `{path}` is a zip inside a zip")).help(
                        "unpack the outer one into a folder and name that folder; the zips in it are read in place",
                    ),
                );
            } else if let Some(kind) = passed_over_by_name(last(name)) {
                self.passed_over.count(kind);
            } else {
                let archive = Arc::clone(&archive);
                let (name, place) = (format!("{prefix}{name}"), Place::Zip { archive, entry: i });
                match is_beside(last(&name)) {
                    true => self.beside(name, place),
                    false => self.zipped.push((name, place)),
                }
            }
        }
        Ok(())
    }

    /// Sorts out what tells of images.
    fn beside(&mut self, name: String, place: Place) {
        if last(&name).eq_ignore_ascii_case(AREAS) {
            self.areas.push((name, place));
        } else {
            self.sources.push((name, place));
        }
    }

    /// The names of what may be an image.
    pub(super) fn names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let files = self.files.iter().map(|file| Cow::Owned(file.name()));
        files.chain(
            self.zipped
                .iter()
                .map(|(name, _)| Cow::Borrowed(name.as_str())),
        )
    }

    /// The folders that hold such, once each at least.
    pub(super) fn holders(&self) -> impl Iterator<Item = &str> {
        let files = self.files.folder_names().iter();
        let files = files.map(|name| name.strip_suffix('/').unwrap_or(name));
        files.chain(self.zipped.iter().map(|(name, _)| parent(name)))
    }

    /// Whether nothing may be an image.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.zipped.is_empty()
    }
}

/// The images below a folder, or in a zip, by their names; those in its zips of a folder that holds no others.
pub(super) fn pictures(root: &Path) -> Result<Pictures> {
    if root.is_file() {
        return zipped_pictures(&[root.to_owned()]);
    }
    let mut found = Pictures::default();
    let mut walked = Walked::below(root)?;
    if walked.files.is_empty() && !walked.zips.is_empty() {
        walked.zips.sort();
        found = zipped_pictures(&walked.zips)?;
        walked.passed_over.append(found.passed_over);
        walked.zips.clear();
    }
    for _ in &walked.zips {
        walked.passed_over.count("`.zip`");
    }
    for _ in &walked.beside {
        walked.passed_over.count("text file");
    }
    let mut images: Vec<PathBuf> = walked.files.iter().collect();
    images.sort();
    found.places.extend(images.into_iter().map(Place::File));
    found.passed_over = walked.passed_over;
    Ok(found)
}

/// The images in zips, one zip after the other.
fn zipped_pictures(zips: &[PathBuf]) -> Result<Pictures> {
    let mut found = Pictures::default();
    for zip in zips {
        let mut tree = Tree::default();
        tree.zip("", zip)?;
        found.passed_over.append(tree.passed_over);
        for _ in tree.areas.iter().chain(&tree.sources) {
            found.passed_over.count("text file");
        }
        tree.zipped.sort_by(|a, b| a.0.cmp(&b.0));
        let places = tree.zipped.into_iter().map(|(_, place)| place);
        found.places.extend(places);
        found.notes.extend(tree.notes);
    }
    Ok(found)
}

/// Whether a file may be an image, by its name.
pub(super) fn may_be_image(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    left_behind(&name).is_none() && other_kind(&name).is_none()
}

/// The path up to the first component that is hidden or left behind by a system, and its kind.
fn left_behind_on_the_way(name: &str, folder: bool) -> Option<(&str, &'static str)> {
    let mut at = 0;
    for part in name.split('/') {
        let end = at + part.len();
        let kind = if end < name.len() || folder {
            left_behind_folder(part)
        } else {
            left_behind(part)
        };
        if let Some(kind) = kind {
            return Some((&name[..end], kind));
        }
        at = end + 1;
    }
    None
}

/// The last component.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// Whether a file is a zip, by its first bytes or by its name.
#[must_use]
pub fn is_zip(path: &Path) -> bool {
    let named = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("zip"));
    let begins = || {
        let start = first_bytes(path, 4).unwrap_or_default();
        start == b"PK\x03\x04" || start == b"PK\x05\x06"
    };
    path.is_file() && (named || begins())
}

/// Up to so many bytes from the start of a regular file; `None` where it cannot be read.
pub(super) fn first_bytes(path: &Path, most: u64) -> Option<Vec<u8>> {
    let file = files::open_regular(path).ok()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn no_text(path: &Path) -> Error {
    Error::failed(format!(
        "the name `{}` is neither UTF-8 nor CP949",
        shown_path(path)
    ))
    .help("rename it")
}
