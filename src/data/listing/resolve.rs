//! A name to the file that it means: each component of a path may be spelt composed, decomposed or in CP949 on the disk.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::names::Names;
use crate::name::nfc;

/// The files below a folder by their NFC names. Folders are read only where a name is not spelt as given, each once.
pub(super) struct Resolver {
    root: PathBuf,
    read: HashMap<PathBuf, BTreeMap<String, OsString>>,
}

impl Resolver {
    /// For names below this folder.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            read: HashMap::new(),
        }
    }

    /// What a relative path with `/` means on the disk, spelt as the disk has it; `..` goes up. `None` where there is no such thing.
    /// A link that leads nowhere is there: what it is like to read it is another question.
    pub(super) fn find(&mut self, relative: &str) -> Option<PathBuf> {
        let whole = self.root.join(relative);
        if whole.exists() {
            return Some(whole);
        }
        let mut path = self.root.clone();
        for part in relative.split('/') {
            match part {
                "" | "." => continue,
                ".." => {
                    path.push("..");
                    continue;
                }
                _ => {}
            }
            let as_given = path.join(part);
            if as_given.symlink_metadata().is_ok() {
                path = as_given;
            } else {
                let spelt = self.names(&path).get(&nfc(part))?.clone();
                path.push(spelt);
            }
        }
        Some(path)
    }

    /// The NFC names in a folder, each with its spelling; of two spellings of one name the first in the order of bytes. Empty
    /// where the folder cannot be read.
    pub(super) fn names(&mut self, folder: &Path) -> &BTreeMap<String, OsString> {
        self.read.entry(folder.to_owned()).or_insert_with(|| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let mut spelt: Vec<OsString> = entries.map(|entry| entry.file_name()).collect();
            spelt.sort();
            let encoding = Names::of(spelt.iter().map(|name| name.as_encoded_bytes()));
            let mut names = BTreeMap::new();
            for spelt in spelt {
                if let Some(name) = encoding.read(spelt.as_encoded_bytes()) {
                    names.entry(name).or_insert(spelt);
                }
            }
            names
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn every_component_may_be_spelt_otherwise_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let nfd: String = "김밥".nfd().collect();
        let cp949 = OsStr::from_bytes(b"\xb1\xe8\xb9\xe4");
        let put = |path: &Path| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        };
        let mixed = folder.path().join(&nfd).join("떡국/김.jpg");
        put(&mixed);
        let windows = folder.path().join("win").join(cp949).join("1.jpg");
        put(&windows);
        let mut resolver = Resolver::new(folder.path());
        let nfd_of = |name: &str| name.nfd().collect::<String>();
        for name in ["김밥/떡국/김.jpg".to_owned(), nfd_of("김밥/떡국/김.jpg")] {
            assert_eq!(resolver.find(&name).as_deref(), Some(mixed.as_path()));
        }
        assert_eq!(resolver.find("win/김밥/1.jpg"), Some(windows));
        assert_eq!(resolver.find("김밥/떡국/밥.jpg"), None);
        assert_eq!(resolver.find("없다/1.jpg"), None);
    }
}
