//! Which parts of a data set lie in a folder, by what its folders and zips are called.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    found::part_of_folder,
    kinds::{left_behind, left_behind_folder, named_image, named_zip},
};
use crate::{
    error::{Error, Result},
    record::Part,
    text::{first_items, shown_path},
};

/// Folders within one another are looked into so deep for the one that holds something.
const DEEPEST: usize = 4;

/// What a folder was found to hold.
#[derive(Debug)]
pub struct PartsIn {
    /// Its parts and where they lie.
    pub parts: Vec<(Part, PathBuf)>,
    /// Folders and zips beside the parts that are named for none.
    pub beside: Vec<PathBuf>,
}

/// The parts in a folder: those that its folders and zips are named for (`train`, `1.Training`, `kfood_val`), else the folder itself
/// as the training part. A folder that holds one folder alone is looked into.
///
/// # Errors
/// When it cannot be read, or several folders are named for one part.
pub fn parts_in(folder: &Path) -> Result<PartsIn> {
    let mut folder = folder.to_owned();
    for _ in 0..DEEPEST {
        let held = Held::read(&folder)?;
        if let Some(parts) = held.parts(&folder)? {
            return Ok(parts);
        }
        // The one folder is a class where it holds no folders.
        match held.folders.as_slice() {
            [only] if held.is_around() && !Held::read(only)?.folders.is_empty() => {
                folder.clone_from(only);
            }
            _ => break,
        }
    }
    Ok(PartsIn {
        parts: vec![(Part::Train, folder)],
        beside: Vec::new(),
    })
}

/// What a folder holds.
#[derive(Default)]
struct Held {
    folders: Vec<PathBuf>,
    zips: Vec<PathBuf>,
    images: bool,
}

impl Held {
    fn read(folder: &Path) -> Result<Self> {
        let failed = |e| Error::io("read", folder, e);
        let mut held = Self::default();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = name(&path);
            if path.is_dir() && left_behind_folder(&name).is_none() {
                held.folders.push(path);
            } else if left_behind(&name).is_none() && named_zip(&name) {
                held.zips.push(path);
            } else {
                held.images |= named_image(&name);
            }
        }
        held.folders.sort();
        held.zips.sort();
        Ok(held)
    }

    /// Whether there is nothing beside its folders.
    fn is_around(&self) -> bool {
        self.zips.is_empty() && !self.images
    }

    /// By part; nothing where these are classes, of which one may be called as a part is.
    fn parts(&self, folder: &Path) -> Result<Option<PartsIn>> {
        // A zip beside a folder of its name is where that came from.
        let unpacked = |zip: &&PathBuf| self.folders.contains(&zip.with_extension(""));
        let zips = self.zips.iter().filter(|zip| !unpacked(zip));
        let all = self.folders.iter().chain(zips);
        let mut parts: BTreeMap<Part, Vec<&PathBuf>> = BTreeMap::new();
        let mut beside = Vec::new();
        for path in all {
            match part_of_folder(&name(path)) {
                Some(role) => parts.entry(role).or_default().push(path),
                None => beside.push(path.clone()),
            }
        }
        if !parts.contains_key(&Part::Train) || (parts.len() == 1 && !beside.is_empty()) {
            return Ok(None);
        }
        if let Some((role, several)) = parts.iter().find(|(_, paths)| paths.len() > 1) {
            let names = several.iter().map(|path| format!("`{}`", shown_path(path)));
            let message = format!(
                "`{}` holds several {} parts: {}",
                shown_path(folder),
                role.name(),
                first_items(names, 5)
            );
            let help = "name the folders of one data set, such as `kfood new data/kfood_train data/kfood_val`";
            return Err(Error::usage(message).help(help));
        }
        let one = |(role, paths): (Part, Vec<&PathBuf>)| Some((role, (*paths.first()?).clone()));
        let parts = parts.into_iter().filter_map(one).collect();
        Ok(Some(PartsIn { parts, beside }))
    }
}

/// The last name of a path.
fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(folders: &[&str]) -> Result<Vec<String>> {
        let root = tempfile::tempdir().unwrap();
        for folder in folders {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let below = |path: &Path| {
            path.strip_prefix(root.path())
                .unwrap()
                .display()
                .to_string()
        };
        let parts = parts_in(root.path())?.parts.into_iter();
        Ok(parts
            .map(|(role, path)| format!("{} {}", role.name(), below(&path)))
            .collect())
    }

    #[test]
    fn parts_are_known_by_their_usual_names_and_classes_are_not_taken_for_parts() {
        let found = |folders: &[&str]| parts(folders).unwrap();
        let both = ["train kfood_train", "validation kfood_val"];
        assert_eq!(found(&["kfood_train/a", "kfood_val/a"]), both);
        let ai_hub = ["train x/1.Training", "validation x/2.Validation"];
        assert_eq!(found(&["x/1.Training/김밥", "x/2.Validation/김밥"]), ai_hub);
        assert_eq!(found(&["a", "b"]), ["train "]);
        assert_eq!(found(&["train", "plane", "car"]), ["train "]);
        assert_eq!(found(&["test tubes", "flasks"]), ["train "]);
        assert_eq!(
            found(&["train/a", "test/a", "labels"]),
            ["train train", "test test"]
        );
        let several = parts(&["kfood_train", "health_train", "kfood_val"]).unwrap_err();
        assert!(
            several.to_string().contains("holds several train parts"),
            "{several}"
        );
    }
}
