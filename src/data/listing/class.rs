//! Which folder names the class of an image, and where that is not clear.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{found::part_of_folder, nested::Nested};
use crate::{
    error::{Error, Result},
    record::Part,
    settings::FolderLevel,
    text::{count, either, first_few, first_lines, shown, shown_path},
};

/// How many names a message shows.
pub(super) const SHOWN: usize = 4;

/// The first so many folders of a path to a folder.
pub(super) fn upper(folder: &str, depth: usize) -> &str {
    let end = folder.match_indices('/').nth(depth.max(1) - 1);
    end.map_or(folder, |(at, _)| &folder[..at])
}

/// How many folders a path to a folder has.
pub(super) fn depth(folder: &str) -> usize {
    1 + folder.matches('/').count()
}

/// The last folder of a path.
pub(super) fn name(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or_default()
}

/// What stands before the last `/`: the folder of an image, or the one above a folder.
pub(super) fn parent(folder: &str) -> &str {
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
            first_lines(&above, 5)
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
    let Some(nested) = Nested::of(root, folders) else {
        return Ok(());
    };
    nested.refuse_repeated()?;
    nested.refuse_nameless()?;
    warnings.extend(nested.warn_of_shared());
    warnings.extend(nested.warn_of_depths());
    if warnings.is_empty() {
        notes.extend(nested.choice());
    }
    Ok(())
}

/// A tree whose folders of one level are parts is none of classes: read as it lies, the test part would be trained on.
fn refuse_parts(root: &Path, folders: &BTreeSet<&str>) -> Result<()> {
    let least = folders.iter().map(|folder| depth(folder)).min();
    for level in 1..=least.unwrap_or(0) {
        let mut parts: BTreeMap<Part, BTreeSet<&str>> = BTreeMap::new();
        let mut others: BTreeSet<&str> = BTreeSet::new();
        let mut around_classes = true;
        for folder in folders {
            let upper = upper(folder, level);
            if let Some(part) = part_of_folder(name(upper)) {
                parts.entry(part).or_default().insert(upper);
                around_classes &= depth(folder) > level;
            } else {
                others.insert(upper);
            }
        }
        // Beside folders of other names they are parts where they hold class folders: classes may be called so, too.
        let are_parts = others.is_empty() || around_classes;
        if are_parts && parts.len() > 1 && parts.contains_key(&Part::Train) {
            let leaves = least == Some(level) && !around_classes;
            return Err(parts_error(root, &parts, &others, leaves));
        }
        if around_classes && !others.is_empty() {
            refuse_part_among_classes(root, folders, level)?;
        }
    }
    Ok(())
}

/// A part that lies among the classes and holds the same ones (`a`, `b`, `val/a`, `val/b`) would be trained on.
fn refuse_part_among_classes(root: &Path, folders: &BTreeSet<&str>, level: usize) -> Result<()> {
    let is_part = |folder: &str| part_of_folder(name(upper(folder, level)));
    let (inside, outside): (BTreeSet<&str>, BTreeSet<&str>) =
        folders.iter().partition(|folder| is_part(folder).is_some());
    // Classes lie beside it: what is called alike below other folders is the matter of `Nested`.
    let beside = outside.into_iter().filter(|folder| depth(folder) == level);
    let known: BTreeSet<&str> = beside.map(name).collect();
    for folder in inside {
        let (upper, Some(part)) = (upper(folder, level), is_part(folder)) else {
            continue;
        };
        if known.contains(name(folder)) {
            return Err(Error::failed(format!(
                "the folder `{}` of `{}` is called as a part of a data set is, and holds classes that lie outside it, too, such as `{}`",
                shown(upper),
                shown_path(root),
                shown(name(folder))
            ))
            .help(format!(
                "move it out of there, and name it in the dataset: `{} = …`; `class = \"deepest\"` takes its images with the others",
                part.name()
            )));
        }
    }
    Ok(())
}

/// The error that names parts, and folders beside them. `leaves`: they hold images and no folders.
fn parts_error(
    root: &Path,
    parts: &BTreeMap<Part, BTreeSet<&str>>,
    others: &BTreeSet<&str>,
    leaves: bool,
) -> Error {
    let names = parts.values().flatten().map(|upper| name(upper));
    let mut message = format!(
        "the folders {} of `{}` are parts of a data set and no classes",
        first_few(names.collect::<BTreeSet<_>>(), SHOWN),
        shown_path(root)
    );
    if !others.is_empty() {
        let others: Vec<_> = others.iter().map(|upper| name(upper)).collect();
        message.push_str(&format!(
            "; {} {} beside them",
            first_few(others.iter().copied(), SHOWN),
            either(others.len(), "lies", "lie")
        ));
    }
    let one_each = parts.values().all(|uppers| uppers.len() == 1);
    let help = if leaves {
        "put a folder for each class into each of them, and name each part: `train = …`, `test = …`; `class = \"deepest\"` takes them as classes all the same".to_owned()
    } else if root.is_dir() && one_each {
        let setting = |(part, uppers): (&Part, &BTreeSet<&str>)| {
            let upper = uppers.first().copied().unwrap_or_default();
            format!(
                "`{} = \"{}/{}\"`",
                part.name(),
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
    Error::failed(message).help(help)
}

/// Whether a folder is a piece of the one above it: `김밥_2` or `김밥_train` in `김밥`.
pub(super) fn is_piece(name: &str, above: &str) -> bool {
    let (name, above) = (name.to_lowercase(), above.to_lowercase());
    let Some(rest) = name.strip_prefix(&above).filter(|_| !above.is_empty()) else {
        return false;
    };
    let rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
    rest.is_empty() || is_no_class(rest) || part_of_folder(rest).is_some()
}

/// What folders of images are called whatever they show.
const IMAGE_FOLDERS: [&str; 34] = [
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

/// What stands before the number of a folder.
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

/// Whether a name reads as a date, a number, or as what folders of images are called whatever they show.
pub(super) fn is_no_class(name: &str) -> bool {
    let small = name.trim().to_lowercase();
    if IMAGE_FOLDERS.contains(&small.as_str()) {
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
