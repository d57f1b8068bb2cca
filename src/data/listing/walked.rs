//! What is below a folder, as the disk has it: every entry looked at once.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use walkdir::{DirEntry, WalkDir};

use super::{
    found::PassedOver,
    kinds::{left_behind, left_behind_folder, named_image, named_zip, other_kind},
    parts,
};
use crate::{
    error::{Error, Result},
    files::FilePaths,
    space,
    text::{count, first_lines, shown_path},
};

/// What AI Hub puts beside photographs.
pub(super) const AREAS: &str = "crop_area.properties";
const SOURCES: &str = "org_url.csv";

/// What is below a folder, spelt as the disk has it.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Files that may be images, and links that lead nowhere.
    pub files: FilePaths,
    /// Files that tell of images.
    pub beside: Vec<PathBuf>,
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
    /// Whether an entry was not read because too many files were open.
    out_of_files: bool,
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
            let cause = error.io_error();
            broken.out_of_files |= cause.is_some_and(space::is_out_of_files);
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
        let with_files: HashSet<&Path> = match broken.dead_links.is_empty() {
            true => HashSet::new(),
            false => {
                let beside = self.beside.iter().filter_map(|path| path.parent());
                let folders = self.files.folders().iter().map(PathBuf::as_path);
                folders.chain(beside).collect()
            }
        };
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
            for path in files {
                let name = path.file_name().unwrap_or_default();
                match is_beside(&name.to_string_lossy()) {
                    true => self.beside.push(path),
                    false => self.files.push(&path),
                }
            }
            return Ok(());
        }
        lost.sort();
        let text = format!(
            "{} of `{}` cannot be read:",
            count(lost.len(), "entry"),
            shown_path(root)
        );
        let help = match broken.out_of_files {
            true => space::MORE_FILES,
            false => "make it readable, or remove it (a link that leads nowhere too)",
        };
        Err(Error::failed(text + &first_lines(&lost, 20)).help(help))
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
        } else if is_beside(&name) {
            self.beside.push(path);
        } else {
            self.files.push(&path);
        }
    }
}

/// Whether a folder says of itself that it can be made again (<https://bford.info/cachedir/>), as kfood's own cache does: a person whose
/// classes lie beside the pipeline file has it among them.
fn is_cache(folder: &Path) -> bool {
    folder.join("CACHEDIR.TAG").is_file()
}

/// Whether a file tells of the images beside it, by its name.
pub(super) fn is_beside(name: &str) -> bool {
    name.eq_ignore_ascii_case(AREAS) || name.eq_ignore_ascii_case(SOURCES)
}

/// The kind of a file by its name, if it is passed over.
pub(super) fn passed_over_by_name(name: &str) -> Option<String> {
    match is_beside(name) {
        true => None,
        false => other_kind(name),
    }
}

fn unreadable(root: &Path, error: walkdir::Error) -> String {
    let path = shown_path(error.path().unwrap_or(root));
    let why = error
        .into_io_error()
        .map_or_else(|| "it cannot be read".to_owned(), |e| e.to_string());
    format!("`{path}`: {why}")
}
