//! Which folder names the class of an image, and where that is not clear.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::found::{Role, some_lines};
use crate::{
    error::{Error, Result},
    settings::FolderLevel,
    text::{count, first_few, shown, shown_path},
};

/// How many names a message shows.
const SHOWN: usize = 4;

/// The first so many folders of a path to a folder.
pub(super) fn upper(folder: &str, depth: usize) -> &str {
    let end = folder.match_indices('/').nth(depth.max(1) - 1);
    end.map_or(folder, |(at, _)| &folder[..at])
}

/// How many folders a path to a folder has.
pub(super) fn depth(folder: &str) -> usize {
    1 + folder.matches('/').count()
}

fn name(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or_default()
}

fn parent(folder: &str) -> &str {
    folder.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The class of the images in each folder that holds some; what there is to tell goes to `warnings` and `notes`.
///
/// # Errors
/// Where images lie above the folder that is asked for; and, where none is asked for, when every class is found below every folder above
/// them, or when the deepest folders are named as dates, numbers and the like are.
pub(super) fn classes<'a>(
    root: &Path,
    folders: &BTreeSet<&'a str>,
    asked: Option<FolderLevel>,
    warnings: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<&'a str, &'a str>> {
    let level = asked.unwrap_or(FolderLevel::Deepest);
    let (mut classes, mut above) = (BTreeMap::new(), Vec::new());
    for folder in folders {
        match level.depth(depth(folder)) {
            Some(depth) => {
                classes.insert(*folder, name(upper(folder, depth)));
            }
            None => above.push(format!("`{}`", shown(folder))),
        }
    }
    if !above.is_empty() {
        return Err(Error::failed(format!(
            "the images in {} of `{}` lie above the level that `class` names:{}",
            count(above.len(), "folder"),
            shown_path(root),
            some_lines(&above, 5)
        ))
        .help("name a level that all images have, or `class = \"deepest\"`"));
    }
    if asked.is_none() {
        judge(root, folders, warnings, notes)?;
    }
    Ok(classes)
}

/// Whether the deepest folder is clearly the class.
fn judge(
    root: &Path,
    folders: &BTreeSet<&str>,
    warnings: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Result<()> {
    refuse_parts(root, folders)?;
    let root = shown_path(root);
    let inner: Vec<&str> = folders.iter().copied().filter(|f| depth(f) > 1).collect();
    let Some(least) = inner.iter().map(|folder| depth(folder)).min() else {
        return Ok(()); // All of them lie directly in the root.
    };
    let mut parents_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for folder in &inner {
        parents_of
            .entry(name(folder))
            .or_default()
            .insert(parent(folder));
    }
    let parents: BTreeSet<&str> = inner.iter().map(|folder| parent(folder)).collect();
    let leaves = || parents_of.keys().copied();
    let several = parents.len() > 1;
    let either = |why: &str| {
        let level = match least - 1 {
            1 => "\"first\"".to_owned(),
            level => format!("{{ level = {level} }}"),
        };
        let uppers: BTreeSet<&str> = folders
            .iter()
            .filter(|folder| depth(folder) >= least - 1)
            .map(|folder| name(upper(folder, least - 1)))
            .collect();
        let names = |of: &mut dyn Iterator<Item = &str>| first_few(of, SHOWN);
        Error::failed(format!(
            "which folder of `{root}` is the class of an image? {why}"
        ))
        .help(format!(
            "say it in the dataset: `class = {level}` for {}, or `class = \"deepest\"` for {}",
            names(&mut uppers.into_iter()),
            names(&mut leaves())
        ))
    };
    if several && parents_of.values().all(|of| of.len() == parents.len()) {
        let (n, m) = (parents_of.len(), parents.len());
        return Err(either(&format!(
            "{} found in each of {}",
            match n {
                1 => format!("`{}` is", shown(name(inner[0]))),
                n => format!("the same {n} folders are"),
            },
            count(m, "folder")
        )));
    }
    let uppers: BTreeSet<&str> = folders
        .iter()
        .filter(|folder| depth(folder) >= least - 1)
        .map(|folder| upper(folder, least - 1))
        .collect();
    let is_none = |folder: &&str| {
        let (own, above) = (name(folder), name(parent(folder)));
        is_no_class(own) || is_piece(own, above)
    };
    if uppers.len() > 1 && inner.iter().all(is_none) {
        let named = first_few(leaves(), SHOWN);
        return Err(either(&format!(
            "the deepest ones are called {named}, which no class is"
        )));
    }
    let shared = parents_of.iter().filter(|(_, of)| of.len() > 1);
    let shared: Vec<&str> = shared.map(|(name, _)| *name).collect();
    let choose =
        "`class = \"first\"` or `class = { level = … }` in the dataset would take an upper folder";
    if !shared.is_empty() {
        warnings.push(format!(
            "in `{root}` {} found below several folders and taken as one class each: {}; {choose}",
            match shared.len() {
                1 => "1 name is".to_owned(),
                n => format!("{n} names are"),
            },
            first_few(shared, SHOWN)
        ));
    }
    let both: Vec<&str> = folders
        .iter()
        .copied()
        .filter(|f| parents.contains(f))
        .collect();
    if let Some(first) = both.first() {
        let below = inner.iter().find(|folder| parent(folder) == *first);
        warnings.push(format!(
            "in `{root}` {} images and folders with images, which are classes of their own, such as `{}` in `{}`; {choose}",
            match both.len() {
                1 => format!("`{}` holds", shown(first)),
                n => format!("{n} folders hold"),
            },
            shown(below.map_or("", |folder| name(folder))),
            shown(first)
        ));
    } else if let Some(flat) = folders.iter().find(|folder| depth(folder) < least) {
        warnings.push(format!(
            "in `{root}` classes lie at different depths: `{}` and `{}`; {choose}",
            shown(flat),
            shown(inner[0])
        ));
    }
    if several && warnings.is_empty() {
        notes.push(format!(
            "in `{root}` the class is the deepest folder, such as `{}` of `{}`; {choose}, and `group` keeps one as the image's group",
            shown(name(inner[0])),
            shown(inner[0])
        ));
    }
    Ok(())
}

/// A tree whose folders of one level are parts is none of classes: read as it lies, the test part would be trained on.
fn refuse_parts(root: &Path, folders: &BTreeSet<&str>) -> Result<()> {
    let least = folders.iter().map(|folder| depth(folder)).min();
    for level in 1..=least.unwrap_or(0) {
        let mut parts: BTreeMap<Role, BTreeSet<&str>> = BTreeMap::new();
        for folder in folders {
            let upper = upper(folder, level);
            match Role::of_folder(name(upper)) {
                Some(role) => parts.entry(role).or_default().insert(upper),
                None => {
                    parts.clear();
                    break;
                }
            };
        }
        if parts.len() < 2 || !parts.contains_key(&Role::Train) {
            continue;
        }
        let names = parts.values().flatten().map(|upper| name(upper));
        let message = format!(
            "the folders {} of `{}` are parts of a data set and no classes",
            first_few(names.collect::<BTreeSet<_>>(), SHOWN),
            shown_path(root)
        );
        let one_each = parts.values().all(|uppers| uppers.len() == 1);
        let help = if least == Some(level) {
            "put a folder for each class into each of them, and name each part: `train = …`, `test = …`; `class = \"deepest\"` takes them as classes all the same".to_owned()
        } else if root.is_dir() && one_each {
            let setting = |(role, uppers): (&Role, &BTreeSet<&str>)| {
                let upper = uppers.first().copied().unwrap_or_default();
                format!(
                    "`{} = \"{}/{}\"`",
                    role.name(),
                    shown_path(root),
                    shown(upper)
                )
            };
            let settings: Vec<_> = parts.iter().map(setting).collect();
            format!("name each part in the dataset: {}", settings.join(", "))
        } else if root.is_dir() {
            "name the parts in a list: `manifest` with a column `part`".to_owned()
        } else {
            "unpack the zip, and name each part in the dataset: `train = …`, `test = …`".to_owned()
        };
        return Err(Error::failed(message).help(help));
    }
    Ok(())
}

/// Whether a folder is a piece of the one above it: `김밥_2` or `김밥_train` in `김밥`.
fn is_piece(name: &str, above: &str) -> bool {
    let (name, above) = (name.to_lowercase(), above.to_lowercase());
    let Some(rest) = name.strip_prefix(&above).filter(|_| !above.is_empty()) else {
        return false;
    };
    let rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
    rest.is_empty() || is_no_class(rest) || Role::of_folder(rest).is_some()
}

/// Whether a name reads as a date, a number, or as what folders of images are called whatever they show.
fn is_no_class(name: &str) -> bool {
    const NAMES: [&str; 34] = [
        "image",
        "images",
        "img",
        "imgs",
        "photo",
        "photos",
        "picture",
        "pictures",
        "pic",
        "pics",
        "jpg",
        "jpeg",
        "png",
        "raw",
        "original",
        "originals",
        "orig",
        "data",
        "files",
        "crop",
        "crops",
        "cropped",
        "thumb",
        "thumbs",
        "thumbnails",
        "small",
        "large",
        "resized",
        "camera",
        "dcim",
        "이미지",
        "사진",
        "원본",
        "원천데이터",
    ];
    const NUMBERED: [&str; 16] = [
        "batch",
        "part",
        "day",
        "session",
        "set",
        "group",
        "shoot",
        "seq",
        "folder",
        "new folder",
        "camera",
        "cam",
        "shot",
        "img",
        "새 폴더",
        "새폴더",
    ];
    let small = name.trim().to_lowercase();
    if NAMES.contains(&small.as_str()) {
        return true;
    }
    let rest = NUMBERED.iter().find_map(|begin| small.strip_prefix(begin));
    let rest = rest.unwrap_or(&small);
    let sign = |c: char| c.is_ascii_digit() || " -_.:()t/년월일".contains(c);
    rest.contains(|c: char| c.is_ascii_digit()) && rest.chars().all(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_numbers_are_no_classes_and_dishes_are() {
        for name in [
            "2024-05-01",
            "20240501",
            "001",
            "images",
            "IMG",
            "batch_2",
            "2024년 5월 1일",
            "사진",
        ] {
            assert!(is_no_class(name), "{name}");
        }
        for name in ["김밥", "a", "7up", "class1", "pizza_2", "set menu", "group"] {
            assert!(!is_no_class(name), "{name}");
        }
    }

    #[test]
    fn a_piece_of_a_class_is_no_class() {
        for (name, above) in [
            ("김밥_2", "김밥"),
            ("a_batch0", "a"),
            ("a_train", "a"),
            ("Kimchi-01", "kimchi"),
            ("b", "b"),
        ] {
            assert!(is_piece(name, above), "{name}");
        }
        for (name, above) in [
            ("김밥김치", "김밥"),
            ("apple", "a"),
            ("b", "a"),
            ("pizza_margherita", "pizza"),
        ] {
            assert!(!is_piece(name, above), "{name}");
        }
    }

    #[test]
    fn an_upper_folder_is_cut_out_of_a_path() {
        assert_eq!(
            [upper("a/b/c", 1), upper("a/b/c", 2), upper("a/b/c", 3)],
            ["a", "a/b", "a/b/c"]
        );
        assert_eq!([depth("a"), depth("a/b/c")], [1, 3]);
    }
}
