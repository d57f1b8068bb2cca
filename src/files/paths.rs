//! Where many files lie, in little memory.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The paths of many files. A folder stands once and the last components behind each other, so that of a million files each takes
/// 24 bytes and its name.
#[derive(Clone, Debug, Default)]
pub struct FilePaths {
    /// With a final `/`, where there is one.
    pub(super) folders: Vec<PathBuf>,
    known: HashMap<OsString, u32>,
    pub(super) files: Vec<File>,
    pub(super) text: Vec<u8>,
}

/// One file: its folder, and where its last component stands in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    pub(super) at: usize,
    pub(super) folder: u32,
    pub(super) spelt: u32,
    /// The bytes of its name, which then stands behind the spelling; 0 where it is spelt as its name.
    pub(super) name: u32,
}

impl FilePaths {
    /// Adds a file.
    pub fn push(&mut self, path: &Path) {
        let (folder, last) = split(path.as_os_str().as_bytes());
        let folder = self.folder(Path::new(OsStr::from_bytes(folder)));
        self.add(folder, last);
    }

    pub(super) fn add(&mut self, folder: u32, last: &[u8]) {
        self.files.push(File {
            at: self.text.len(),
            folder,
            spelt: last.len() as u32,
            name: 0,
        });
        self.text.extend_from_slice(last);
    }

    /// The number of a folder. Files come folder by folder, mostly.
    fn folder(&mut self, folder: &Path) -> u32 {
        let last = self.files.last().map(|file| file.folder);
        if let Some(last) = last.filter(|last| same(&self.folders[*last as usize], folder)) {
            return last;
        }
        if let Some(known) = self.known.get(folder.as_os_str()) {
            return *known;
        }
        let number = self.folders.len() as u32;
        self.folders.push(folder.to_owned());
        self.known.insert(folder.as_os_str().to_owned(), number);
        number
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The folders of the files, each once.
    #[must_use]
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The last components of the paths, in their order.
    pub fn lasts(&self) -> impl Iterator<Item = &[u8]> {
        self.files.iter().map(|file| self.last(file))
    }

    /// The paths, in their order.
    pub fn iter(&self) -> impl Iterator<Item = PathBuf> {
        let all = self.files.iter();
        all.map(|file| {
            let mut path = PathBuf::new();
            self.write(file, &mut path);
            path
        })
    }

    pub(super) fn last(&self, file: &File) -> &[u8] {
        &self.text[file.at..][..file.spelt as usize]
    }

    /// Makes `path` the path of a file.
    pub(super) fn write(&self, file: &File, path: &mut PathBuf) {
        let mut whole = std::mem::take(path).into_os_string();
        whole.clear();
        whole.push(&self.folders[file.folder as usize]);
        whole.push(OsStr::from_bytes(self.last(file)));
        *path = whole.into();
    }
}

/// Byte for byte: two spellings of one path are two here.
fn same(a: &Path, b: &Path) -> bool {
    a.as_os_str() == b.as_os_str()
}

/// What stands up to the last `/`, and what stands behind it.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let behind = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    path.split_at(behind)
}
