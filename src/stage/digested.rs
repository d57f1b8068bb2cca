//! Files outside the cache with what they hold.

use std::collections::BTreeMap;

use crate::{
    digest::Digest,
    files::{FileList, Listed},
};

/// Files with their content digests: 40 bytes each beside the list.
#[derive(Clone, Debug, Default)]
pub struct DigestedFiles {
    files: FileList,
    contents: Vec<(Digest, u64)>,
    /// Why some cannot be read.
    lost: BTreeMap<usize, String>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct DigestedFile<'a> {
    /// Its name and its path.
    pub file: Listed<'a>,
    /// blake3 of the content.
    pub digest: Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// Why it cannot be read, if so; the digest is then that of the reason.
    pub lost: Option<&'a str>,
}

impl DigestedFiles {
    /// From the digest and the size of each file, and why some cannot be read, by their places in the list.
    ///
    /// # Panics
    /// When there is not one of them for each file: a mistake of the caller.
    #[must_use]
    pub fn new(
        files: FileList,
        contents: Vec<(Digest, u64)>,
        lost: BTreeMap<usize, String>,
    ) -> Self {
        assert_eq!(files.len(), contents.len());
        Self {
            files,
            contents,
            lost,
        }
    }

    /// The list.
    #[must_use]
    pub fn list(&self) -> &FileList {
        &self.files
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

    /// A file by its place.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn get(&self, i: usize) -> DigestedFile<'_> {
        let (digest, bytes) = self.contents[i];
        DigestedFile {
            file: self.files.get(i),
            digest,
            bytes,
            lost: self.lost.get(&i).map(String::as_str),
        }
    }

    /// The files, in their order.
    pub fn iter(&self) -> impl Iterator<Item = DigestedFile<'_>> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// Those that cannot be read, and why.
    pub fn lost(&self) -> impl Iterator<Item = (Listed<'_>, &str)> {
        let lost = self.lost.iter();
        lost.map(|(i, why)| (self.files.get(*i), why.as_str()))
    }

    /// Whether they are in the order of their names, each name once.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        let next = self.files.iter().skip(1);
        let mut pairs = self.files.iter().zip(next);
        pairs.all(|(a, b)| a.by_name(b).is_lt())
    }
}
