//! The entries of a folder or of a zip under their NFC names, sorted out by what their names say.

use std::{
    collections::HashSet,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use walkdir::{DirEntry, WalkDir};

use super::{
    Archive, Pictures, Place,
    found::PassedOver,
    kinds::{left_behind, left_behind_folder, named_image, named_zip, other_kind},
    parts,
};
use crate::{
    error::{Error, Result},
    files,
    spelt::Names,
    text::{count, first_lines, shown, shown_path},
};

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
        let all = || {
            walked
                .files
                .iter()
                .chain(&walked.zips)
                .chain(&walked.folders)
        };
        let own = all().filter_map(|path| path.file_name());
        let names = Names::on_disk(own.map(|name| name.as_encoded_bytes()));
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
        for path in walked.files {
            let name = name_of(&path)?;
            self.file(name, Place::File(path));
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
                self.file(format!("{prefix}{name}"), Place::Zip { archive, entry: i });
            }
        }
        Ok(())
    }

    /// Sorts out a file that was not passed over.
    fn file(&mut self, name: String, place: Place) {
        if last(&name).eq_ignore_ascii_case(AREAS) {
            self.areas.push((name, place));
        } else if last(&name).eq_ignore_ascii_case(SOURCES) {
            self.sources.push((name, place));
        } else {
            self.files.push((name, place));
        }
    }
}

/// What AI Hub puts beside photographs.
const AREAS: &str = "crop_area.properties";
const SOURCES: &str = "org_url.csv";

/// What is below a folder, spelt as the disk has it.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Files that may be images or tell of images, and links that lead nowhere.
    pub files: Vec<PathBuf>,
    /// Folders.
    pub folders: Vec<PathBuf>,
    /// Zips.
    pub zips: Vec<PathBuf>,
    /// Other archives, and parts of archives.
    pub archives: Vec<PathBuf>,
    /// What was not taken.
    pub passed_over: PassedOver,
}

/// What cannot be read.
#[derive(Default)]
struct Broken {
    /// Entries and why, in words.
    unread: Vec<String>,
    /// Symbolic links that lead nowhere, to a file or a folder.
    dead_links: Vec<PathBuf>,
}

/// What an entry is that a system or kfood itself has left there, if it is that.
fn left_behind_entry(entry: &walkdir::Result<DirEntry>) -> Option<&'static str> {
    let path = match entry {
        Ok(entry) => Some(entry.path()),
        Err(error) => error.path(),
    };
    let name = path.and_then(Path::file_name).unwrap_or_default();
    let name = name.to_string_lossy();
    if !entry.as_ref().is_ok_and(|e| e.file_type().is_dir()) {
        return left_behind(&name);
    }
    let cache = path.is_some_and(is_cache).then_some("cache");
    left_behind_folder(&name).or(cache)
}

impl Walked {
    /// Walks through a folder, following symbolic links.
    ///
    /// # Errors
    /// When a folder in it cannot be read, or a link that may be one to a folder leads nowhere.
    pub(super) fn below(root: &Path) -> Result<Self> {
        let mut walked = Self::default();
        let entries = WalkDir::new(root).follow_links(true).min_depth(1);
        let mut entries = entries.into_iter();
        let mut broken = Broken::default();
        while let Some(entry) = entries.next() {
            let folder = entry.as_ref().is_ok_and(|e| e.file_type().is_dir());
            if let Some(kind) = left_behind_entry(&entry) {
                walked.passed_over.count(kind);
                if folder {
                    entries.skip_current_dir();
                }
                continue;
            }
            match entry {
                Ok(entry) => walked.entry(entry),
                Err(error) if error.loop_ancestor().is_some() => {
                    walked.passed_over.count("looping link");
                }
                Err(error) => walked.broken(root, error, &mut broken),
            }
        }
        walked.judge_broken(root, broken)?;
        Ok(walked)
    }

    fn entry(&mut self, entry: DirEntry) {
        let kind = entry.file_type();
        if kind.is_dir() {
            self.folders.push(entry.into_path());
        } else if kind.is_file() {
            self.file(entry.into_path());
        } else {
            self.passed_over.count("special file");
        }
    }

    /// An entry that cannot be read: a link that leads nowhere, or one of which nothing more is known.
    fn broken(&mut self, root: &Path, error: walkdir::Error, broken: &mut Broken) {
        let Some(path) = error.path().filter(|path| path.is_symlink()) else {
            broken.unread.push(unreadable(root, error));
            return;
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if passed_over_by_name(&name).is_none() {
            broken.dead_links.push(path.to_owned());
        } else {
            self.file(path.to_owned());
        }
    }

    /// A dead link that may be a file is judged with the others later; a class that is not there is no small thing.
    fn judge_broken(&mut self, root: &Path, broken: Broken) -> Result<()> {
        let with_files: HashSet<_> = self.files.iter().filter_map(|p| p.parent()).collect();
        let is_file = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            named_image(&name) || path.parent().is_some_and(|p| with_files.contains(p))
        };
        let (files, folders): (Vec<_>, Vec<_>) = broken.dead_links.into_iter().partition(is_file);
        let mut lost = broken.unread;
        lost.extend(folders.iter().map(|path| {
            let path = shown_path(path);
            format!("`{path}` is a symbolic link that leads nowhere")
        }));
        if lost.is_empty() {
            self.files.extend(files);
            return Ok(());
        }
        lost.sort();
        let text = format!(
            "{} of `{}` cannot be read:",
            count(lost.len(), "entry"),
            shown_path(root)
        );
        Err(Error::failed(text + &first_lines(&lost, 20))
            .help("make it readable, or remove it (a link that leads nowhere too)"))
    }

    fn file(&mut self, path: PathBuf) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if named_zip(&name) {
            self.zips.push(path);
        } else if let Some(kind) = passed_over_by_name(&name) {
            self.passed_over.count(kind);
            if parts::of_archive(&name).is_some() {
                self.archives.push(path);
            }
        } else {
            self.files.push(path);
        }
    }
}

/// Whether a folder says of itself that it can be made again (<https://bford.info/cachedir/>), as kfood's own cache does: a person whose
/// classes lie beside the pipeline file has it among them.
fn is_cache(folder: &Path) -> bool {
    folder.join("CACHEDIR.TAG").is_file()
}

/// The images below a folder, or in a zip, by their names.
pub(super) fn pictures(root: &Path) -> Result<Pictures> {
    let mut found = Pictures::default();
    if root.is_file() {
        let mut tree = Tree::default();
        tree.zip("", root)?;
        found.passed_over = tree.passed_over;
        for _ in tree.areas.iter().chain(&tree.sources) {
            found.passed_over.count("text file");
        }
        tree.files.sort_by(|a, b| a.0.cmp(&b.0));
        found.places = tree.files.into_iter().map(|(_, place)| place).collect();
        found.notes = tree.notes;
        return Ok(found);
    }
    let mut walked = Walked::below(root)?;
    for _ in &walked.zips {
        walked.passed_over.count("`.zip`");
    }
    let beside = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.eq_ignore_ascii_case(AREAS) || name.eq_ignore_ascii_case(SOURCES)
    };
    let (beside, mut images): (Vec<_>, Vec<_>) = walked.files.into_iter().partition(beside);
    for _ in beside {
        walked.passed_over.count("text file");
    }
    images.sort();
    found.places = images.into_iter().map(Place::File).collect();
    found.passed_over = walked.passed_over;
    Ok(found)
}

/// Whether a file may be an image, by its name.
pub(super) fn may_be_image(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    left_behind(&name).is_none() && other_kind(&name).is_none()
}

/// The kind of a file by its name, if it is passed over.
fn passed_over_by_name(name: &str) -> Option<String> {
    if name.eq_ignore_ascii_case(AREAS) || name.eq_ignore_ascii_case(SOURCES) {
        return None;
    }
    other_kind(name)
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

fn unreadable(root: &Path, error: walkdir::Error) -> String {
    let path = shown_path(error.path().unwrap_or(root));
    let why = error
        .into_io_error()
        .map_or_else(|| "it cannot be read".to_owned(), |e| e.to_string());
    format!("`{path}`: {why}")
}
