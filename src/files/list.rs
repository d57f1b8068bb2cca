//! Many files by name, in little memory.

use std::{
    cmp::Ordering,
    collections::HashMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::paths::{File, FilePaths, split};
use crate::error::Result;

/// Files by their names, each with the path where it lies: a name (NFC, with `/`) is content, a place is not. A million files take
/// about 40 MB.
#[derive(Clone, Debug, Default)]
pub struct FileList {
    paths: FilePaths,
    /// What the names of the files of each folder begin with.
    folders: Vec<String>,
    known: HashMap<(String, OsString), u32>,
}

/// One file of a list.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    list: &'a FileList,
    file: &'a File,
}

impl FileList {
    /// One file.
    #[must_use]
    pub fn of(name: &str, path: &Path) -> Self {
        let mut list = Self::default();
        list.push(name, path);
        list
    }

    /// Adds a file.
    pub fn push(&mut self, name: &str, path: &Path) {
        let (above, last) = split(name.as_bytes());
        let above = &name[..above.len()];
        let (folder, spelt) = split(path.as_os_str().as_bytes());
        let folder = self.folder(above, Path::new(OsStr::from_bytes(folder)));
        self.paths.add(folder, spelt);
        if last != spelt {
            self.rename_last(last);
        }
    }

    /// Gives the file that was added last a name of its own.
    fn rename_last(&mut self, name: &[u8]) {
        if let Some(file) = self.paths.files.last_mut() {
            file.name = name.len() as u32;
            self.paths.text.extend_from_slice(name);
        }
    }

    fn folder(&mut self, name: &str, path: &Path) -> u32 {
        let (names, paths) = (&self.folders, &self.paths.folders);
        let is_it = |last: &u32| {
            let last = *last as usize;
            names[last] == name && paths[last].as_os_str() == path.as_os_str()
        };
        let last = self.paths.files.last().map(|file| file.folder);
        if let Some(last) = last.filter(is_it) {
            return last;
        }
        let number = self.folders.len() as u32;
        let key = (name.to_owned(), path.as_os_str().to_owned());
        let known = *self.known.entry(key).or_insert(number);
        if known == number {
            self.folders.push(name.to_owned());
            self.paths.folders.push(path.to_owned());
        }
        known
    }

    /// Names files: `folder` gives what the names of a folder's files begin with (nothing, or something with a final `/`), `last` what
    /// they end with, given the last component.
    ///
    /// # Errors
    /// Those of `folder` and `last`.
    pub fn named(
        mut paths: FilePaths,
        folder: impl Fn(&Path) -> Result<String>,
        last: impl Fn(&[u8], &Path) -> Result<String>,
    ) -> Result<Self> {
        let folders = paths.folders.iter().map(|path| folder(path));
        let folders = folders.collect::<Result<Vec<_>>>()?;
        for i in 0..paths.files.len() {
            let file = paths.files[i];
            let spelt = paths.last(&file);
            if spelt.is_ascii() {
                continue;
            }
            let name = last(spelt, &paths.folders[file.folder as usize])?;
            if name.as_bytes() != spelt {
                let spelt = spelt.to_vec();
                paths.files[i].at = paths.text.len();
                paths.files[i].name = name.len() as u32;
                paths.text.extend_from_slice(&spelt);
                paths.text.extend_from_slice(name.as_bytes());
            }
        }
        let spelt = paths.folders.iter().map(|path| path.as_os_str().to_owned());
        let known = folders.iter().cloned().zip(spelt);
        let known = known.zip(0..).collect();
        Ok(Self {
            paths,
            folders,
            known,
        })
    }

    /// Puts something in front of every name, such as `train/`.
    #[must_use]
    pub fn below(mut self, above: &str) -> Self {
        for folder in &mut self.folders {
            folder.insert_str(0, above);
        }
        let known = std::mem::take(&mut self.known).into_iter();
        let moved = known.map(|((name, path), number)| ((format!("{above}{name}"), path), number));
        self.known = moved.collect();
        self
    }

    /// Brings the files into the order of their names (code points); files of one name keep theirs.
    pub fn sort(&mut self) {
        let mut files = std::mem::take(&mut self.paths.files);
        files.sort_by(|a, b| self.compare(a, b));
        self.paths.files = files;
    }

    fn compare(&self, a: &File, b: &File) -> Ordering {
        let (last_a, last_b) = (self.last(a), self.last(b));
        if a.folder == b.folder {
            return last_a.cmp(last_b);
        }
        let above = |file: &File| self.folders[file.folder as usize].bytes();
        let (a, b) = (
            above(a).chain(last_a.bytes()),
            above(b).chain(last_b.bytes()),
        );
        a.cmp(b)
    }

    fn last(&self, file: &File) -> &str {
        let text = match file.name {
            0 => self.paths.last(file),
            name => &self.paths.text[file.at + file.spelt as usize..][..name as usize],
        };
        // Only text was put in.
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// A file by its place in the list.
    ///
    /// # Panics
    /// When there are not so many: a mistake of the caller, as with a slice.
    #[must_use]
    pub fn get(&self, i: usize) -> Listed<'_> {
        let file = &self.paths.files[i];
        Listed { list: self, file }
    }

    /// The files, in their order.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Listed<'_>> + ExactSizeIterator + Clone {
        let files = self.paths.files.iter();
        files.map(|file| Listed { list: self, file })
    }

    /// The place of a name in a sorted list.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let files = &self.paths.files;
        let found = files.binary_search_by(|file| Listed { list: self, file }.compare(name));
        found.ok()
    }

    /// The folders of the files, each at least once, and with a final `/` where there is one.
    #[must_use]
    pub fn folders(&self) -> &[PathBuf] {
        self.paths.folders()
    }

    /// What the names of the files of each folder begin with, in the order of [`FileList::folders`].
    #[must_use]
    pub fn folder_names(&self) -> &[String] {
        &self.folders
    }
}

impl<'a> Listed<'a> {
    /// The name.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        self.write_name(&mut name);
        name
    }

    /// Makes `name` the name.
    pub fn write_name(self, name: &mut String) {
        name.clear();
        name.push_str(self.folder());
        name.push_str(self.list.last(self.file));
    }

    /// The path.
    #[must_use]
    pub fn path(self) -> PathBuf {
        let mut path = PathBuf::new();
        self.write_path(&mut path);
        path
    }

    /// Makes `path` the path.
    pub fn write_path(self, path: &mut PathBuf) {
        self.list.paths.write(self.file, path);
    }

    /// What the name begins with: nothing, or folders with a final `/`.
    #[must_use]
    pub fn folder(self) -> &'a str {
        &self.list.folders[self.file.folder as usize]
    }

    /// By the names.
    #[must_use]
    pub fn by_name(self, other: Listed<'_>) -> Ordering {
        if std::ptr::eq(self.list, other.list) {
            return self.list.compare(self.file, other.file);
        }
        self.bytes().cmp(other.bytes())
    }

    /// How the name stands to another.
    #[must_use]
    pub fn compare(self, name: &str) -> Ordering {
        self.bytes().cmp(name.bytes())
    }

    fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        self.folder()
            .bytes()
            .chain(self.list.last(self.file).bytes())
    }
}

impl<N: AsRef<str>, P: AsRef<Path>> FromIterator<(N, P)> for FileList {
    fn from_iter<I: IntoIterator<Item = (N, P)>>(files: I) -> Self {
        let mut list = Self::default();
        for (name, path) in files {
            list.push(name.as_ref(), path.as_ref());
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NFD: &str = "\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}";

    #[test]
    fn names_and_paths_come_back_as_they_were_put_in_and_in_the_order_of_names() {
        let odd = Path::new(OsStr::from_bytes(b"/d/\xb1\xe8/1.jpg"));
        let nfd = format!("/d/{NFD}/{NFD}.jpg");
        let files = [
            ("train/b/1.jpg", Path::new("/d/b/1.jpg")),
            ("train/김/1.jpg", odd),
            ("train/b.jpg", Path::new("/elsewhere/b.jpg")),
            ("train/김밥/김밥.jpg", Path::new(&nfd)),
            ("manifest.csv", Path::new("list.csv")),
            ("none", Path::new("")),
        ];
        let mut list: FileList = files.into_iter().collect();
        let got =
            |list: &FileList| -> Vec<_> { list.iter().map(|f| (f.name(), f.path())).collect() };
        let mut expected = files
            .map(|(name, path)| (name.to_owned(), path.to_owned()))
            .to_vec();
        assert_eq!(got(&list), expected);
        list.sort();
        expected.sort();
        assert_eq!(got(&list), expected);
        for (i, (name, _)) in expected.iter().enumerate() {
            assert_eq!(list.find(name), Some(i), "{name}");
        }
        assert_eq!(list.find("train/b/2.jpg"), None);
    }

    #[test]
    fn paths_are_named_folder_by_folder() {
        let mut paths = FilePaths::default();
        for path in [format!("/d/{NFD}/{NFD}.jpg"), format!("/d/{NFD}/a.jpg")] {
            paths.push(Path::new(&path));
        }
        assert_eq!(paths.lasts().map(<[u8]>::len).sum::<usize>(), NFD.len() + 9);
        let read = |_: &[u8], _: &Path| Ok("김밥.jpg".to_owned());
        let list = FileList::named(paths, |_| Ok("김밥/".to_owned()), read).unwrap();
        let list = list.below("train/");
        let names: Vec<_> = list.iter().map(Listed::name).collect();
        assert_eq!(names, ["train/김밥/김밥.jpg", "train/김밥/a.jpg"]);
        assert_eq!(
            list.get(0).path(),
            Path::new(&format!("/d/{NFD}/{NFD}.jpg"))
        );
        assert_eq!(list.get(1).path(), Path::new(&format!("/d/{NFD}/a.jpg")));
    }
}
