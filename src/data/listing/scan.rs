//! Class folders: the class of an image is the deepest folder that holds it, by its NFC name. What AI Hub puts beside the
//! images of a class says which part of an image is used and where it came from.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use super::{
    Found, Listing, Place, Role,
    ai_hub::{key_of, parse_areas, parse_sources},
    found::some_lines,
    walk::Tree,
};
use crate::error::{Error, Result};

/// Lists the images below a folder of class folders, in a zip of class folders, or in a folder of such zips; reads no image.
///
/// Folders nest to any depth and one class name in two places is one class. Symbolic links are followed, a loop of them
/// is passed over. Hidden entries, `Thumbs.db`, `desktop.ini`, `__MACOSX` and files of a well-known other kind are passed
/// over and counted. `org_url.csv` gives the addresses of the images beside it and, where `crop_area` is set,
/// `crop_area.properties` their boxes; an image without a box is used whole.
///
/// # Errors
/// When the folder or a zip cannot be read, holds images outside class folders, holds no image or an empty class folder,
/// when a name cannot be understood, or when two names in one place are the NFC and the NFD spelling of one name.
pub fn scan(root: &Path, role: Role, crop_area: bool) -> Result<Listing> {
    let tree = Tree::read(root)?;
    refuse_stray(root, &tree)?;
    let mut listing = Listing::default();
    for (name, place) in &tree.files {
        if let Place::Zip { archive, entry } = place {
            archive.check(*entry)?;
        }
        let class = folder_of(name).rsplit('/').next().unwrap_or_default();
        let found = Found::new(role, name, class.to_owned(), place.clone());
        listing.images.push(found);
    }
    listing.sort();
    let mut folders = tree.folders.clone();
    folders.sort();
    let folders = folders.iter().map(|(name, s)| (name.as_str(), s.clone()));
    refuse_twins(root, folders)?;
    let images = listing.images.iter();
    refuse_twins(root, images.map(|i| (i.name.as_str(), i.place.spelling())))?;
    listing.notes.extend(empty_classes(root, role, &tree)?);
    listing.passed_over = tree.passed_over.clone();
    beside(root, &tree, role, crop_area, &mut listing)?;
    Ok(listing)
}

/// Adds what is told beside the images, and the files that tell it.
fn beside(
    root: &Path,
    tree: &Tree,
    role: Role,
    crop_area: bool,
    listing: &mut Listing,
) -> Result<()> {
    let below = |name: &str| format!("{}/{name}", role.name());
    if root.is_file() {
        let name = format!("{}.zip", role.name());
        listing.beside.push((name, root.to_owned()));
    }
    for (name, path) in &tree.zips {
        listing.beside.push((below(name), path.clone()));
    }
    let mut by_folder: HashMap<String, HashMap<String, Vec<usize>>> = HashMap::new();
    if !tree.areas.is_empty() || !tree.sources.is_empty() {
        for (i, image) in listing.images.iter().enumerate() {
            let images = by_folder
                .entry(folder_of(&image.name).to_owned())
                .or_default();
            images.entry(key_of(&image.name)).or_default().push(i);
        }
    }
    let use_file = |name: &str, place: &Place, used: bool, listing: &mut Listing| {
        if !used {
            let extension = name.rsplit('.').next().unwrap_or_default();
            listing
                .passed_over
                .count(format!("`.{}`", extension.to_ascii_lowercase()));
        } else if let Place::File(path) = place {
            listing.beside.push((below(name), path.clone()));
        }
    };
    let mut without_address = 0;
    for (name, place) in &tree.sources {
        let images = by_folder.get(folder_of(&below(name)));
        use_file(name, place, images.is_some(), listing);
        let Some(images) = images else { continue };
        for row in parse_sources(&place.read()?) {
            let of = row.names.iter().find_map(|name| images.get(name));
            without_address += usize::from(of.is_none());
            for i in of.into_iter().flatten() {
                listing.images[*i].source = Some(row.url.clone());
            }
        }
    }
    if !tree.sources.is_empty() {
        let known = listing.images.iter().filter(|i| i.source.is_some()).count();
        let mut note = format!(
            "`{}`: the addresses of {known} images are known, of {} they are not",
            role.name(),
            listing.images.len() - known
        );
        if without_address > 0 {
            note.push_str(&format!("; {without_address} addresses are of no image"));
        }
        listing.notes.push(note);
    }
    let (mut unused, mut bad) = (0, BTreeMap::<&str, usize>::new());
    for (name, place) in &tree.areas {
        let images = by_folder.get(folder_of(&below(name)));
        use_file(name, place, crop_area && images.is_some(), listing);
        let Some(images) = images.filter(|_| crop_area) else {
            continue;
        };
        let areas = parse_areas(&place.read()?);
        for (key, area) in &areas.boxes {
            let of = images.get(key);
            unused += usize::from(of.is_none());
            for i in of.into_iter().flatten() {
                listing.images[*i].crop = Some(*area);
            }
        }
        for (why, n) in areas.passed_over {
            *bad.entry(why).or_default() += n;
        }
    }
    if crop_area {
        let boxes = listing.images.iter().filter(|i| i.crop.is_some()).count();
        let whole = listing.images.len() - boxes;
        let mut note = format!(
            "`{}`: the boxes of {boxes} images are cut out, {whole} images have none and are used whole",
            role.name()
        );
        if unused > 0 {
            let boxes = if unused == 1 { "box is" } else { "boxes are" };
            note.push_str(&format!("; {unused} {boxes} of no image"));
        }
        let lines: usize = bad.values().sum();
        if lines > 0 {
            let kinds: Vec<_> = bad.iter().map(|(why, n)| format!("{n} {why}")).collect();
            note.push_str(&format!("; {lines} lines give none: {}", kinds.join(", ")));
        }
        listing.notes.push(note);
    }
    listing.beside.sort();
    Ok(())
}

/// What stands before the last `/`.
fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Every image must lie in a class folder.
fn refuse_stray(root: &Path, tree: &Tree) -> Result<()> {
    let names = tree.files.iter().map(|(name, _)| name);
    let stray = names.filter(|name| !name.contains('/'));
    let mut stray: Vec<_> = stray.map(|name| format!("`{name}`")).collect();
    if stray.is_empty() {
        return Ok(());
    }
    stray.sort();
    let files = if stray.len() == 1 {
        "1 file lies".to_owned()
    } else {
        format!("{} files lie", stray.len())
    };
    Err(Error::failed(format!(
        "{files} directly in `{}`, outside any class folder, so they have no class:{}",
        root.display(),
        some_lines(&stray, 5)
    ))
    .help("put each image into a folder named after its class"))
}

/// Every folder must lead to an image where there is to be trained on it; elsewhere one that does not is told.
fn empty_classes(root: &Path, role: Role, tree: &Tree) -> Result<Option<String>> {
    let root = root.display();
    if tree.files.is_empty() {
        return Err(
            Error::failed(format!("`{root}` holds no images in class folders"))
                .help("put one folder per class with its images there"),
        );
    }
    let mut used = HashSet::new();
    for (name, _) in &tree.files {
        let mut folder = folder_of(name);
        while !folder.is_empty() && used.insert(folder) {
            folder = folder_of(folder);
        }
    }
    let names = tree.folders.iter().map(|(name, _)| name.as_str());
    let mut empty: Vec<_> = names.filter(|name| !used.contains(name)).collect();
    if empty.is_empty() {
        return Ok(None);
    }
    empty.sort_unstable();
    let empty: Vec<_> = empty.iter().map(|name| format!("`{name}`")).collect();
    let (folders, hold) = if empty.len() == 1 {
        ("class folder", "holds")
    } else {
        ("class folders", "hold")
    };
    let told = format!(
        "{} {folders} in `{root}` {hold} no image:{}",
        empty.len(),
        some_lines(&empty, 10)
    );
    if role != Role::Train {
        return Ok(Some(told));
    }
    Err(Error::failed(told).help("put images there, or remove the empty folder"))
}

/// Entries sorted by NFC name, with the bytes of their names: two of one name are two spellings of it.
fn refuse_twins<'a>(root: &Path, entries: impl Iterator<Item = (&'a str, String)>) -> Result<()> {
    let mut before: Option<(&str, String)> = None;
    for (name, spelling) in entries {
        if let Some((_, other)) = before.filter(|(n, _)| *n == name) {
            return Err(Error::failed(format!(
                "`{name}` is there twice in `{}`, most likely spelt with composed (NFC) and with decomposed (NFD) letters: `{other}` and `{spelling}`",
                root.display()
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
        let folder = tree(&["한식/김밥/2.jpg", "한식/김밥/10.jpg", "분식/김밥/1.jpg"]);
        let listing = scan(folder.path(), Role::Train, false).unwrap();
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
        let listing = scan(folder.path(), Role::Test, false).unwrap();
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
        let listing = scan(folder.path(), Role::Train, false).unwrap();
        assert_eq!(listing.images[0].name, "train/김밥/1.jpg");
        assert!(listing.images[0].place.file().exists());

        let folder = tree(&[&format!("{nfd}/1.jpg"), "김밥/2.jpg"]);
        let error = scan(folder.path(), Role::Train, false)
            .unwrap_err()
            .to_string();
        assert!(error.contains("`김밥` is there twice"), "{error}");
        let composed = r"\xea\xb9\x80\xeb\xb0\xa5`";
        assert!(error.contains(composed), "{error}");
        assert!(!error.contains(r"\\"), "{error}");

        let folder = tree(&[&format!("a/{nfd}.jpg"), "a/김밥.jpg"]);
        assert!(scan(folder.path(), Role::Train, false).is_err());
    }

    #[test]
    fn stray_files_empty_classes_and_empty_sets_are_errors() {
        let error = |files: &[&str], folder_too: Option<&str>| {
            let folder = tree(files);
            if let Some(name) = folder_too {
                fs::create_dir_all(folder.path().join(name)).unwrap();
            }
            scan(folder.path(), Role::Train, false)
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
        let listing = scan(folder.path(), Role::Train, false).unwrap();
        assert_eq!(listing.images.len(), 2);
        assert_eq!(
            listing.passed_over.to_string(),
            "passed over 1 entry: 1 looping links"
        );
    }
}
