//! Class folders: the class of an image is the deepest folder that holds it, by its NFC name. What AI Hub puts beside the
//! images of a class says which part of an image is used and where it came from.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
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
    files::{FileList, Listed},
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
    listed(root, &Tree::read(root)?, part, reading)
}

/// The files of which [`scan`] makes its listing, in the order of their names, which begin with the part: the images, and what they were
/// listed from. Of a plain folder no more is kept of a file than its name.
///
/// # Errors
/// Those of [`scan`].
pub fn scan_files(root: &Path, part: Part, reading: Reading) -> Result<FileList> {
    let tree = Tree::read(root)?;
    let told_by_none = tree.areas.is_empty() && tree.sources.is_empty();
    if tree.zipped.is_empty() && told_by_none {
        checked(root, &tree, reading, &mut Listing::default())?;
        return Ok(tree.files.below(&format!("{}/", part.name())));
    }
    Ok(listed(root, &tree, part, reading)?.into_files())
}

/// The images below a plain folder by their names, which begin with the part, in order; `None` where there are none but in zips. What
/// lies where is asked, and not whether it can be used.
///
/// # Errors
/// When a folder cannot be read, or a name cannot be understood.
pub fn scan_names(root: &Path, part: Part) -> Result<Option<FileList>> {
    let files = Tree::read(root)?.files;
    Ok((!files.is_empty()).then(|| files.below(&format!("{}/", part.name()))))
}

fn listed(root: &Path, tree: &Tree, part: Part, reading: Reading) -> Result<Listing> {
    let mut listing = Listing {
        notes: tree.notes.clone(),
        ..Listing::default()
    };
    let classes = checked(root, tree, reading, &mut listing)?;
    let found = |name: &str, place| {
        let folder = parent(name);
        let class = classes.get(folder).copied().unwrap_or_default();
        let mut found = Found::new(part, name, class.to_owned(), place);
        let level = reading.group.and_then(|group| group.depth(depth(folder)));
        found.group = level.map(|level| upper(folder, level).to_owned());
        found
    };
    let files = tree.files.iter();
    let files = files.map(|file| found(&file.name(), Place::File(file.path())));
    listing.images.extend(files);
    let zipped = tree.zipped.iter();
    let zipped = zipped.map(|(name, place)| found(name, place.clone()));
    listing.images.extend(zipped);
    listing.sort();
    listing.warnings.extend(empty_folders(root, tree));
    listing.warnings.extend(unread_archives(root, tree));
    listing.passed_over = tree.passed_over.clone();
    beside(root, tree, part, reading.crop_area, &mut listing)?;
    Ok(listing)
}

/// The class of each folder that holds images, by its name; what there is to tell of them goes to the listing.
fn checked<'a>(
    root: &Path,
    tree: &'a Tree,
    reading: Reading,
    listing: &mut Listing,
) -> Result<BTreeMap<&'a str, &'a str>> {
    let holders: BTreeSet<&str> = tree.holders().collect();
    if holders.contains("") {
        return Err(stray(root, tree));
    }
    refuse_none(root, tree)?;
    let (warnings, notes) = (&mut listing.warnings, &mut listing.notes);
    let classes = classes(root, &holders, reading.class, warnings, notes)?;
    let mut zipped: Vec<_> = Vec::new();
    for (name, place) in &tree.zipped {
        if let Place::Zip { archive, entry } = place {
            archive.check(*entry)?;
        }
        zipped.push((name.as_str(), place));
    }
    zipped.sort_by(|a, b| a.0.cmp(b.0));
    let mut folders: Vec<_> = tree.folders.iter().collect();
    folders.sort();
    let twins = |one: &str, a: String, b: String| Err(twins(root, one, &a, &b));
    if let Some(pair) = folders.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return twins(&pair[0].0, pair[0].1.clone(), pair[1].1.clone());
    }
    if let Some(pair) = zipped.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return twins(pair[0].0, pair[0].1.spelling(), pair[1].1.spelling());
    }
    let next = tree.files.iter().skip(1);
    if let Some((a, b)) = (tree.files.iter().zip(next)).find(|(a, b)| a.by_name(*b).is_eq()) {
        let spelling = |file: Listed<'_>| Place::File(file.path()).spelling();
        return twins(&a.name(), spelling(a), spelling(b));
    }
    Ok(classes)
}

/// Every image must lie in a class folder, and some do not.
fn stray(root: &Path, tree: &Tree) -> Error {
    let stray = tree.names().filter(|name| !name.contains('/'));
    let mut stray: Vec<_> = stray.map(|name| format!("`{}`", shown(&name))).collect();
    stray.sort();
    let n = stray.len();
    Error::failed(format!(
        "{n} {} directly in `{}`, outside any class folder, so {} no class:{}",
        either(n, "file lies", "files lie"),
        shown_path(root),
        either(n, "it has", "they have"),
        first_lines(&stray, 5)
    ))
    .help(match list_beside(root) {
        Some(list) => format!(
            "put each image into a folder named after its class; or name a list that tells the classes, with columns `path` and `label`: `manifest = \"{}\"` if it is that",
            shown_path(list)
        ),
        None => "put each image into a folder named after its class; or write a list of `path,label` and name it: `manifest = \"…\"`".to_owned(),
    })
}

/// A list in the folder, or beside it, as where Kaggle and Hugging Face tell the classes.
fn list_beside(root: &Path) -> Option<PathBuf> {
    let within = |folder: &Path| {
        let files = folder.read_dir().ok()?.flatten().map(|entry| entry.path());
        let is_list = |path: &PathBuf| {
            let ending = path.extension().unwrap_or_default();
            ["csv", "tsv"]
                .iter()
                .any(|e| ending.eq_ignore_ascii_case(e))
                && path.is_file()
        };
        files.filter(is_list).min()
    };
    within(root).or_else(|| within(root.parent()?))
}

/// There must be an image.
fn refuse_none(root: &Path, tree: &Tree) -> Result<()> {
    if !tree.is_empty() {
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
    Err(Error::failed(found).help(match list_beside(root) {
        Some(list) => format!(
            "put one folder per class with its images there; or, where `{}` tells the classes, name that list in its place",
            shown_path(list)
        ),
        None => "put one folder per class with its images there".to_owned(),
    }))
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
    for mut folder in tree.holders() {
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

/// Two entries of one NFC name are two spellings of it.
fn twins(root: &Path, name: &str, one: &str, other: &str) -> Error {
    Error::failed(format!(
        "`{}` is there twice in `{}`, most likely spelt with composed (NFC) and with decomposed (NFD) letters: `{one}` and `{other}`",
        shown(name),
        shown_path(root)
    ))
    .help("the two look alike and are one name here; merge them into one")
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
