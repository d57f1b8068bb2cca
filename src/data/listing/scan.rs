//! Class folders: the class of an image is the deepest folder that holds it, by its NFC name. What AI Hub puts beside the
//! images of a class says which part of an image is used and where it came from.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use super::{
    Found, Listing, Place,
    beside::beside,
    class::{classes, depth, parent, upper},
    parts,
    walk::Tree,
};
use crate::{
    error::{Error, Result},
    record::Part,
    settings::FolderLevel,
    text::{either, first_lines, shown, shown_path},
};

/// How class folders are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Whether the boxes of `crop_area.properties` are used.
    pub crop_area: bool,
    /// The folder that is the class; without it the deepest one, where that is clear.
    pub class: Option<FolderLevel>,
    /// The folder that is the image's group, if one is; images above it have none.
    pub group: Option<FolderLevel>,
}

/// Lists the images below a folder of class folders, in a zip of class folders, or in a folder of such zips; reads no image.
///
/// Folders nest to any depth and one class name in two places is one class. Symbolic links are followed, a loop of them
/// is passed over. Hidden entries, what systems leave behind and files of a well-known other kind are passed over and
/// counted; folders that hold no image are told. `org_url.csv` gives the addresses of the images beside it and, where
/// `crop_area` is set, `crop_area.properties` their boxes; an image without a box is used whole.
///
/// # Errors
/// When the folder or a zip cannot be read, holds images outside class folders, or holds no image, when a name cannot be
/// understood, when two names in one place are two spellings of one name, or when it is not clear which folder is the class.
pub fn scan(root: &Path, part: Part, reading: Reading) -> Result<Listing> {
    let tree = Tree::read(root)?;
    refuse_stray(root, &tree)?;
    refuse_none(root, &tree)?;
    let mut listing = Listing {
        notes: tree.notes.clone(),
        ..Listing::default()
    };
    let holders: BTreeSet<&str> = tree.files.iter().map(|(name, _)| parent(name)).collect();
    let (warnings, notes) = (&mut listing.warnings, &mut listing.notes);
    let classes = classes(root, &holders, reading.class, warnings, notes)?;
    for (name, place) in &tree.files {
        if let Place::Zip { archive, entry } = place {
            archive.check(*entry)?;
        }
        let folder = parent(name);
        let class = classes.get(folder).copied().unwrap_or_default();
        let mut found = Found::new(part, name, class.to_owned(), place.clone());
        let level = reading.group.and_then(|group| group.depth(depth(folder)));
        found.group = level.map(|level| upper(folder, level).to_owned());
        listing.images.push(found);
    }
    listing.sort();
    let mut folders = tree.folders.clone();
    folders.sort();
    let folders = folders.iter().map(|(name, s)| (name.as_str(), s.clone()));
    refuse_twins(root, folders)?;
    let images = listing.images.iter();
    refuse_twins(root, images.map(|i| (i.name.as_str(), i.place.spelling())))?;
    listing.warnings.extend(empty_folders(root, &tree));
    listing.warnings.extend(unread_archives(root, &tree));
    listing.passed_over = tree.passed_over.clone();
    beside(root, &tree, part, reading.crop_area, &mut listing)?;
    Ok(listing)
}

/// Every image must lie in a class folder.
fn refuse_stray(root: &Path, tree: &Tree) -> Result<()> {
    let names = tree.files.iter().map(|(name, _)| name);
    let stray = names.filter(|name| !name.contains('/'));
    let mut stray: Vec<_> = stray.map(|name| format!("`{}`", shown(name))).collect();
    if stray.is_empty() {
        return Ok(());
    }
    stray.sort();
    let n = stray.len();
    Err(Error::failed(format!(
        "{n} {} directly in `{}`, outside any class folder, so {} no class:{}",
        either(n, "file lies", "files lie"),
        shown_path(root),
        either(n, "it has", "they have"),
        first_lines(&stray, 5)
    ))
    .help("put each image into a folder named after its class"))
}

/// There must be an image.
fn refuse_none(root: &Path, tree: &Tree) -> Result<()> {
    if !tree.files.is_empty() {
        return Ok(());
    }
    let shown = shown_path(root);
    if let Some((path, (what, help))) =
        (tree.archives.iter().min()).and_then(|path| Some((path, parts::way_out(path)?)))
    {
        let path = shown_path(path);
        return Err(Error::failed(format!(
            "`{shown}` holds no images in class folders, but archives that are not read in place: `{path}` is {what}"
        ))
        .help(help));
    }
    let mut found = format!("`{shown}` holds no images in class folders");
    if tree.passed_over.total() > 0 {
        found.push_str(&format!(" ({})", tree.passed_over));
    }
    Err(Error::failed(found).help("put one folder per class with its images there"))
}

/// Archives that are not read beside images or zips that are: most likely a class each. One beside a folder of its name is where
/// that came from.
fn unread_archives(root: &Path, tree: &Tree) -> Option<String> {
    let unpacked = |path: &&PathBuf| {
        let stem = path.with_extension("");
        let stem = if stem.extension().is_some_and(|e| e == "tar") {
            stem.with_extension("")
        } else {
            stem
        };
        stem.is_dir()
    };
    let unread: Vec<_> = tree
        .archives
        .iter()
        .filter(|path| !unpacked(path))
        .collect();
    let first = unread.iter().min()?;
    let (what, way) =
        parts::way_out(first).unwrap_or(("a zip beside images", "unpack it".to_owned()));
    let n = unread.len();
    Some(format!(
        "{n} {} in `{}` {} not read, such as `{}`, {what}; {way}",
        either(n, "archive", "archives"),
        shown_path(root),
        either(n, "is", "are"),
        shown_path(first)
    ))
}

/// Folders that lead to no image, the uppermost of each.
fn empty_folders(root: &Path, tree: &Tree) -> Option<String> {
    let mut used = HashSet::from([""]);
    for (name, _) in &tree.files {
        let mut folder = parent(name);
        while used.insert(folder) {
            folder = parent(folder);
        }
    }
    let names = tree.folders.iter().map(|(name, _)| name.as_str());
    let mut empty: Vec<&str> = names
        .filter(|name| !used.contains(name) && used.contains(parent(name)))
        .collect();
    empty.sort_unstable();
    empty.dedup();
    let shown_names: Vec<_> = empty
        .iter()
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    let n = empty.len();
    (n > 0).then(|| {
        format!(
            "{n} {} in `{}` {} no image and {} no class:{}",
            either(n, "folder", "folders"),
            shown_path(root),
            either(n, "holds", "hold"),
            either(n, "is", "are"),
            first_lines(&shown_names, 10)
        )
    })
}

/// Entries sorted by NFC name, with the bytes of their names: two of one name are two spellings of it.
fn refuse_twins<'a>(root: &Path, entries: impl Iterator<Item = (&'a str, String)>) -> Result<()> {
    let mut before: Option<(&str, String)> = None;
    for (name, spelling) in entries {
        if let Some((_, other)) = before.filter(|(n, _)| *n == name) {
            return Err(Error::failed(format!(
                "`{}` is there twice in `{}`, most likely spelt with composed (NFC) and with decomposed (NFD) letters: `{other}` and `{spelling}`",
                shown(name),
                shown_path(root)
            ))
            .help("the two look alike and are one name here; merge them into one"));
        }
        before = Some((name, spelling));
    }
    Ok(())
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
        let folder = tree(&[
            "한식/김밥/2.jpg",
            "한식/김밥/10.jpg",
            "분식/김밥/1.jpg",
            "분식/튀김/1.jpg",
        ]);
        let listing = scan(folder.path(), Part::Train, Reading::default()).unwrap();
        let names: Vec<_> = listing.images.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "train/분식/김밥/1.jpg",
                "train/분식/튀김/1.jpg",
                "train/한식/김밥/10.jpg",
                "train/한식/김밥/2.jpg"
            ]
        );
        let classes: Vec<_> = listing.images.iter().map(|i| i.class.as_str()).collect();
        assert_eq!(classes, ["김밥", "튀김", "김밥", "김밥"]);
        let warned = &listing.warnings[0];
        assert!(
            warned.contains("taken as one class each: `김밥`"),
            "{warned}"
        );
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
        let listing = scan(folder.path(), Part::Test, Reading::default()).unwrap();
        assert_eq!(listing.images.len(), 2);
        assert_eq!(
            listing.passed_over.to_string(),
            "passed over 6 entries: 1 `.properties`, 1 `.txt`, 3 hidden, 1 left behind by systems"
        );
    }

    #[test]
    fn decomposed_names_are_listed_composed_and_twins_are_refused() {
        let nfd = "\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}"; // 김밥 as macOS spells it
        let folder = tree(&[&format!("{nfd}/1.jpg")]);
        let listing = scan(folder.path(), Part::Train, Reading::default()).unwrap();
        assert_eq!(listing.images[0].name, "train/김밥/1.jpg");
        assert!(matches!(&listing.images[0].place, Place::File(path) if path.exists()));

        let folder = tree(&[&format!("{nfd}/1.jpg"), "김밥/2.jpg"]);
        let error = scan(folder.path(), Part::Train, Reading::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("`김밥` is there twice"), "{error}");
        let composed = r"\xea\xb9\x80\xeb\xb0\xa5`";
        assert!(error.contains(composed), "{error}");
        assert!(!error.contains(r"\\"), "{error}");

        let folder = tree(&[&format!("a/{nfd}.jpg"), "a/김밥.jpg"]);
        assert!(scan(folder.path(), Part::Train, Reading::default()).is_err());
    }

    #[test]
    fn stray_files_and_empty_sets_are_errors_and_empty_folders_are_told() {
        let error = |files: &[&str]| {
            let folder = tree(files);
            scan(folder.path(), Part::Train, Reading::default())
                .unwrap_err()
                .to_string()
        };
        assert!(error(&["1.jpg", "a/2.jpg"]).contains("has no class"));
        assert!(error(&[]).contains("holds no images"));
        let folder = tree(&["a/2.jpg"]);
        fs::create_dir_all(folder.path().join("b/c")).unwrap();
        let listing = scan(folder.path(), Part::Train, Reading::default()).unwrap();
        assert_eq!(listing.images.len(), 1);
        let warned = &listing.warnings[0];
        assert!(
            warned.ends_with("holds no image and is no class:\n  `b`"),
            "{warned}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_loops_do_not_hang() {
        use std::os::unix::fs::symlink;
        let elsewhere = tree(&["1.jpg"]);
        let folder = tree(&["a/1.jpg"]);
        symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        symlink(elsewhere.path(), folder.path().join("b")).unwrap();
        let listing = scan(folder.path(), Part::Train, Reading::default()).unwrap();
        assert_eq!(listing.images.len(), 2);
        assert_eq!(
            listing.passed_over.to_string(),
            "passed over 1 entry: 1 looping link"
        );
    }
}
