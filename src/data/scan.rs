//! Class folders: the class of an image is the deepest folder that holds it, by its NFC name.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use walkdir::{DirEntry, WalkDir};

use super::{
    Found, Listing,
    listing::{part_name, some_lines},
};
use crate::{
    error::{Error, Result},
    name::nfc,
    record::Part,
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

/// Lists the images below a folder of class folders; reads no image.
///
/// Folders nest to any depth and one class name in two places is one class. Symbolic links are followed, a loop of them
/// is passed over. Hidden entries, `Thumbs.db`, `__MACOSX` and files of a well-known other kind are passed over and counted.
///
/// # Errors
/// When the folder cannot be read, holds images outside class folders, holds no image or an empty class folder, when a
/// name is not UTF-8, or when two names in one place are the NFC and the NFD spelling of one name.
pub fn scan_folder(root: &Path, part: Part) -> Result<Listing> {
    let mut scan = Scan::new(root, part);
    let entries = WalkDir::new(root).follow_links(true).min_depth(1);
    let mut entries = entries.into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if is_hidden(&entry) => {
                scan.listing.passed_over.count("hidden");
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
            }
            Ok(entry) => scan.take(&entry)?,
            Err(e) if e.loop_ancestor().is_some() => {
                scan.listing.passed_over.count("looping links");
            }
            Err(e) if is_hidden_path(e.path()) => scan.listing.passed_over.count("hidden"),
            Err(e) => return Err(unreadable(root, e)),
        }
    }
    scan.finish()
}

/// A scan under way.
struct Scan<'a> {
    root: &'a Path,
    part: Part,
    listing: Listing,
    /// NFC relative path and real path of every folder.
    folders: Vec<(String, PathBuf)>,
    /// Images right in the top folder.
    stray: Vec<String>,
}

impl<'a> Scan<'a> {
    fn new(root: &'a Path, part: Part) -> Self {
        Self {
            root,
            part,
            listing: Listing::default(),
            folders: Vec::new(),
            stray: Vec::new(),
        }
    }

    fn take(&mut self, entry: &DirEntry) -> Result<()> {
        let name = self.relative(entry.path())?;
        if entry.file_type().is_dir() {
            self.folders.push((name, entry.path().to_owned()));
        } else if !entry.file_type().is_file() {
            self.listing.passed_over.count("special files");
        } else if let Some(extension) = other_kind(entry.path()) {
            self.listing.passed_over.count(format!("`.{extension}`"));
        } else if let Some((folder, _)) = name.rsplit_once('/') {
            let class = folder.rsplit('/').next().unwrap_or(folder).to_owned();
            let name = format!("{}/{name}", part_name(self.part));
            let path = entry.path().to_owned();
            let found = Found::file(self.part, name, class, path);
            self.listing.images.push(found);
        } else {
            self.stray.push(format!("`{name}`"));
        }
        Ok(())
    }

    /// The NFC path below the root, with `/`.
    fn relative(&self, path: &Path) -> Result<String> {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        below.to_str().map(nfc).ok_or_else(|| {
            Error::failed(format!("the name of `{}` is not UTF-8", path.display())).help(
                "rename it; archives from older Windows need their file names converted from CP949",
            )
        })
    }

    fn finish(mut self) -> Result<Listing> {
        if !self.stray.is_empty() {
            self.stray.sort();
            return Err(Error::failed(format!(
                "{} lie directly in `{}`, so they have no class:{}",
                images(self.stray.len()),
                self.root.display(),
                some_lines(&self.stray, 5)
            ))
            .help("put each image into a folder named after its class"));
        }
        self.listing.sort();
        self.folders.sort();
        refuse_twins(
            self.folders
                .iter()
                .map(|(name, path)| (name.as_str(), path.as_path())),
        )?;
        refuse_twins(
            self.listing
                .images
                .iter()
                .map(|i| (i.name.as_str(), i.place.file())),
        )?;
        self.refuse_empty()?;
        Ok(self.listing)
    }

    /// Every folder must lead to an image.
    fn refuse_empty(&self) -> Result<()> {
        let root = self.root.display();
        if self.listing.images.is_empty() {
            return Err(
                Error::failed(format!("`{root}` holds no images in class folders"))
                    .help("put one folder per class with its images there"),
            );
        }
        let mut used = HashSet::new();
        for image in &self.listing.images {
            let mut folder = image.place.file().parent();
            while let Some(path) = folder
                && path != self.root
                && used.insert(path)
            {
                folder = path.parent();
            }
        }
        let empty: Vec<_> = self
            .folders
            .iter()
            .filter(|(_, path)| !used.contains(path.as_path()))
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        if empty.is_empty() {
            return Ok(());
        }
        let (folders, hold) = if empty.len() == 1 {
            ("class folder", "holds")
        } else {
            ("class folders", "hold")
        };
        Err(Error::failed(format!(
            "{} {folders} in `{root}` {hold} no image:{}",
            empty.len(),
            some_lines(&empty, 10)
        ))
        .help("put images there, or remove the empty folder"))
    }
}

/// Entries sorted by NFC name: two of one name are two spellings of it.
fn refuse_twins<'a>(entries: impl Iterator<Item = (&'a str, &'a Path)>) -> Result<()> {
    let mut before: Option<(&str, &Path)> = None;
    for (name, path) in entries {
        if let Some((_, other)) = before.filter(|(n, _)| *n == name) {
            return Err(Error::failed(format!(
                "`{name}` is there twice, spelt with composed (NFC) and with decomposed (NFD) letters: {:?} and {:?}",
                other.as_os_str().as_encoded_bytes().escape_ascii().to_string(),
                path.as_os_str().as_encoded_bytes().escape_ascii().to_string(),
            ))
            .help("the two look alike and are one name here; merge them into one"));
        }
        before = Some((name, path));
    }
    Ok(())
}

fn is_hidden(entry: &DirEntry) -> bool {
    is_hidden_path(Some(entry.path()))
}

fn is_hidden_path(path: Option<&Path>) -> bool {
    let name = path.and_then(Path::file_name).unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".") || name == "Thumbs.db" || name == "__MACOSX"
}

/// Whether a file in a folder of photographs may be one, going by its name: not hidden, and not of a well-known other kind.
#[must_use]
pub fn may_be_image(path: &Path) -> bool {
    !is_hidden_path(Some(path)) && other_kind(path).is_none()
}

fn other_kind(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    NO_IMAGE.contains(&extension.as_str()).then_some(extension)
}

fn images(n: usize) -> String {
    if n == 1 {
        "1 file".to_owned()
    } else {
        format!("{n} files")
    }
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        folder
    }

    #[test]
    fn the_class_is_the_deepest_folder_and_one_name_in_two_places_is_one_class() {
        let folder = tree(&["한식/김밥/2.jpg", "한식/김밥/10.jpg", "분식/김밥/1.jpg"]);
        let listing = scan_folder(folder.path(), Part::Train).unwrap();
        let names: Vec<_> = listing.images.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "train/분식/김밥/1.jpg",
                "train/한식/김밥/10.jpg",
                "train/한식/김밥/2.jpg"
            ]
        );
        assert!(listing.images.iter().all(|i| i.class == "김밥"));
    }

    #[test]
    fn what_is_no_image_is_passed_over_and_counted() {
        let folder = tree(&[
            "a/1.jpg",
            "a/noextension",
            "a/._1.jpg",
            "a/.DS_Store",
            "a/Thumbs.db",
            "a/crop.properties",
            "readme.txt",
            ".git/x/y.jpg",
        ]);
        let listing = scan_folder(folder.path(), Part::Test).unwrap();
        assert_eq!(listing.images.len(), 2);
        assert_eq!(
            listing.passed_over.to_string(),
            "passed over 6 entries: 1 `.properties`, 1 `.txt`, 4 hidden"
        );
    }

    #[test]
    fn decomposed_names_are_listed_composed_and_twins_are_refused() {
        let nfd = "\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}"; // 김밥 as macOS spells it
        let folder = tree(&[&format!("{nfd}/1.jpg")]);
        let listing = scan_folder(folder.path(), Part::Train).unwrap();
        assert_eq!(listing.images[0].name, "train/김밥/1.jpg");
        assert!(listing.images[0].place.file().exists());

        let folder = tree(&[&format!("{nfd}/1.jpg"), "김밥/2.jpg"]);
        let error = scan_folder(folder.path(), Part::Train)
            .unwrap_err()
            .to_string();
        assert!(error.contains("`김밥` is there twice"), "{error}");

        let folder = tree(&[&format!("a/{nfd}.jpg"), "a/김밥.jpg"]);
        assert!(scan_folder(folder.path(), Part::Train).is_err());
    }

    #[test]
    fn stray_files_empty_classes_and_empty_sets_are_errors() {
        let error = |files: &[&str], folder_too: Option<&str>| {
            let folder = tree(files);
            if let Some(name) = folder_too {
                fs::create_dir_all(folder.path().join(name)).unwrap();
            }
            scan_folder(folder.path(), Part::Train)
                .unwrap_err()
                .to_string()
        };
        assert!(error(&["1.jpg", "a/2.jpg"], None).contains("have no class"));
        assert!(error(&["a/2.jpg"], Some("b/c")).contains("`b/c`"));
        assert!(error(&[], None).contains("holds no images"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_loops_do_not_hang() {
        use std::os::unix::fs::symlink;
        let elsewhere = tree(&["1.jpg"]);
        let folder = tree(&["a/1.jpg"]);
        symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        symlink(elsewhere.path(), folder.path().join("b")).unwrap();
        let listing = scan_folder(folder.path(), Part::Train).unwrap();
        assert_eq!(listing.images.len(), 2);
        assert_eq!(
            listing.passed_over.to_string(),
            "passed over 1 entry: 1 looping links"
        );
    }
}
