//! The file that a name means, whichever way its letters are spelt.
//!
//! A folder may have been copied from macOS (decomposed letters, NFD), a file in it from Windows, and the list that names both was
//! typed on a third machine. A name is looked up folder by folder: each component as written, else as the entry that is the same
//! name (NFC). Names on disk are read as [`Names`] says.

mod names;

pub use names::Names;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

use crate::name::nfc;

/// What a folder holds: entries by their names (NFC).
type Entries = BTreeMap<String, OsString>;

/// Finds files by name; remembers the folders that it had to look through.
#[derive(Debug, Default)]
pub struct Finder {
    folders: HashMap<PathBuf, Entries>,
    stems: HashMap<PathBuf, HashMap<String, Vec<String>>>,
}

impl Finder {
    /// What a path with `/` means below a folder, if there is such an entry.
    pub fn find(&mut self, folder: &Path, relative: &str) -> Option<PathBuf> {
        self.walk(folder.to_owned(), Path::new(relative))
    }

    /// What a path means, if there is such an entry.
    pub fn find_path(&mut self, path: &Path) -> Option<PathBuf> {
        self.walk(PathBuf::new(), path)
    }

    /// The names (NFC, as `relative` otherwise) of the entries that have this name and an ending.
    pub fn with_endings(&mut self, folder: &Path, relative: &str) -> Vec<String> {
        let (above, stem) = match relative.rsplit_once('/') {
            Some((above, stem)) => (format!("{above}/"), stem),
            None => (String::new(), relative),
        };
        let Some(folder) = self.find(folder, &above) else {
            return Vec::new();
        };
        if !self.stems.contains_key(&folder) {
            let mut stems: HashMap<String, Vec<String>> = HashMap::new();
            for name in self.entries(&folder).keys() {
                if let Some((stem, _)) = name.rsplit_once('.') {
                    stems.entry(stem.to_owned()).or_default().push(name.clone());
                }
            }
            self.stems.insert(folder.clone(), stems);
        }
        let found = self.stems[&folder].get(&nfc(stem));
        let found = found.into_iter().flatten();
        found.map(|name| format!("{}{name}", nfc(&above))).collect()
    }

    /// The name of an entry that differs in the case of letters alone, in the last component.
    pub fn other_case(&mut self, folder: &Path, relative: &str) -> Option<String> {
        let (above, last) = match relative.rsplit_once('/') {
            Some((above, last)) => (format!("{above}/"), last),
            None => (String::new(), relative),
        };
        let folder = self.find(folder, &above)?;
        let wanted = nfc(last).to_lowercase();
        let mut names = self.entries(&folder).keys();
        let name = names.find(|name| name.to_lowercase() == wanted)?;
        Some(format!("{above}{name}"))
    }

    fn walk(&mut self, start: PathBuf, path: &Path) -> Option<PathBuf> {
        let whole = start.join(path);
        if whole.symlink_metadata().is_ok() {
            return Some(whole);
        }
        let mut at = start;
        for component in path.components() {
            let next = at.join(component);
            at = match component {
                Component::Normal(name) if next.symlink_metadata().is_err() => {
                    let spelt = self.entries(&at).get(&nfc(name.to_str()?))?.clone();
                    at.join(spelt)
                }
                _ => next,
            };
        }
        Some(at)
    }

    fn entries(&mut self, folder: &Path) -> &Entries {
        self.folders
            .entry(folder.to_owned())
            .or_insert_with(|| entries(folder))
    }
}

/// What a path means, spelt as the disk has it; the path as it is where there is no such entry.
#[must_use]
pub fn existing(path: PathBuf) -> PathBuf {
    Finder::default().find_path(&path).unwrap_or(path)
}

/// A folder that cannot be read holds nothing that a name could mean.
fn entries(folder: &Path) -> Entries {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut spelt: Vec<OsString> = entries.map(|entry| entry.file_name()).collect();
    // Of two spellings of one name the first in byte order, whatever order the disk has.
    spelt.sort();
    let encoding = Names::on_disk(spelt.iter().map(|name| name.as_encoded_bytes()));
    let mut found = Entries::new();
    for spelt in spelt {
        if let Some(name) = encoding.read(spelt.as_encoded_bytes()) {
            found.entry(name).or_insert(spelt);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    const NFD: &str = "\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}";

    #[test]
    fn each_component_is_looked_up_in_its_own_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join(NFD)).unwrap();
        let odd = root.join(OsStr::from_bytes(b"\xb1\xe8\xc4\xa1"));
        fs::create_dir(&odd).unwrap();
        for name in ["김밥.jpg", "b.c.jpg", "b.c.png"] {
            fs::write(root.join(NFD).join(name), b"x").unwrap();
        }
        fs::write(odd.join(format!("{NFD}.jpg")), b"x").unwrap();
        let mut finder = Finder::default();
        let there = root.join(NFD).join("김밥.jpg");
        for name in [
            "김밥/김밥.jpg".to_owned(),
            format!("{NFD}/{NFD}.jpg"),
            format!("김밥/{NFD}.jpg"),
            "./김밥/../김밥/김밥.jpg".to_owned(),
        ] {
            let found = finder.find(root, &name).unwrap();
            assert_eq!(
                found.canonicalize().unwrap(),
                there.canonicalize().unwrap(),
                "{name}"
            );
        }
        assert_eq!(
            finder.find(root, "김치/김밥.jpg"),
            Some(odd.join(format!("{NFD}.jpg")))
        );
        assert_eq!(finder.find(root, "김밥/none.jpg"), None);
        assert_eq!(existing(root.join("김밥/김밥.jpg")), there);
        assert_eq!(finder.with_endings(root, "김밥/김밥"), ["김밥/김밥.jpg"]);
        assert_eq!(finder.with_endings(root, "김밥/b.c").len(), 2);
        assert_eq!(
            finder.other_case(root, "김밥/B.C.JPG").as_deref(),
            Some("김밥/b.c.jpg")
        );
    }
}
