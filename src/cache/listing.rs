//! Listings of outside files: names with content digests, their one digest, and what changed between two of them.

use std::{collections::BTreeMap, path::Path};

use crate::{
    digest::{Digest, Parts},
    error::{Error, Result},
    files::{self, Listed},
    stage::DigestedFiles,
    text::shown_path,
};

/// Names with content digests.
pub type Listing = BTreeMap<String, Digest>;

const DOMAIN: &str = "kfood 2026 file listing";

/// The digest of a listing: names and contents, sorted by name; places do not count.
///
/// # Errors
/// When two files have one name, as when a folder holds the NFC and the NFD spelling of one Korean name.
pub fn digest_of_files(listed: &DigestedFiles) -> Result<Digest> {
    let mut order: Vec<usize> = Vec::new();
    if !listed.is_sorted() {
        order = (0..listed.len()).collect();
        order.sort_by(|a, b| listed.get(*a).file.by_name(listed.get(*b).file));
    }
    let at = |i: usize| listed.get(order.get(i).copied().unwrap_or(i));
    let mut parts = Parts::new(DOMAIN);
    let mut name = String::new();
    for i in 0..listed.len() {
        let one = at(i);
        if i > 0 && at(i - 1).file.by_name(one.file).is_eq() {
            return Err(two_of_one_name(at(i - 1).file, one.file));
        }
        one.file.write_name(&mut name);
        parts.part(&name).part(one.digest.0);
    }
    Ok(parts.finish())
}

fn two_of_one_name(one: Listed<'_>, other: Listed<'_>) -> Error {
    Error::failed(format!(
        "two files have the name `{}`: `{}` and `{}`",
        one.name(),
        shown_path(one.path()),
        shown_path(other.path())
    ))
    .help("composed (NFC) and decomposed (NFD) spellings are one name; remove one of the files")
}

/// The same of a listing that was read.
pub(super) fn digest(listing: &Listing) -> Digest {
    let mut parts = Parts::new(DOMAIN);
    for (name, digest) in listing {
        parts.part(name).part(digest.0);
    }
    parts.finish()
}

/// What changed between two listings; each list is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// In both with another content.
    pub changed: Vec<String>,
    /// In the new one alone.
    pub added: Vec<String>,
    /// In the old one alone.
    pub removed: Vec<String>,
}

impl Changes {
    /// Compares two listings.
    #[must_use]
    pub fn between(old: &Listing, new: &Listing) -> Self {
        let without = |of: &Listing, other: &Listing| {
            of.keys()
                .filter(|name| !other.contains_key(*name))
                .cloned()
                .collect()
        };
        let moved = |(name, digest): (&String, &Digest)| {
            new.get(name)
                .is_some_and(|other| other != digest)
                .then(|| name.clone())
        };
        Self {
            changed: old.iter().filter_map(moved).collect(),
            added: without(new, old),
            removed: without(old, new),
        }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }
}

/// Writes a listing as `b3sum` does: digest, two spaces, name; a line whose name is escaped starts with a backslash.
pub(super) fn write(path: &Path, listed: &DigestedFiles) -> Result<()> {
    let mut text = String::new();
    let mut name = String::new();
    for one in listed.iter() {
        one.file.write_name(&mut name);
        let digest = one.digest;
        if name.contains(['\\', '\n']) {
            let escaped = name.replace('\\', "\\\\").replace('\n', "\\n");
            text.push_str(&format!("\\{digest}  {escaped}\n"));
        } else {
            text.push_str(&format!("{digest}  {name}\n"));
        }
    }
    files::publish(path, text.as_bytes())
}

/// Reads a listing; `None` where there is none or it cannot be understood (it only serves to explain).
pub(super) fn read(path: &Path) -> Option<Listing> {
    parse(&std::fs::read_to_string(path).ok()?)
}

/// Understands the text of a listing.
pub(super) fn parse(text: &str) -> Option<Listing> {
    text.lines()
        .map(|line| {
            let (escaped, line) = match line.strip_prefix('\\') {
                Some(rest) => (true, rest),
                None => (false, line),
            };
            let (digest, name) = line.split_once("  ")?;
            let name = if escaped {
                unescape(name)
            } else {
                name.to_owned()
            };
            Some((name, digest.parse().ok()?))
        })
        .collect()
}

fn unescape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => out.push(if chars.next() == Some('n') {
                '\n'
            } else {
                '\\'
            }),
            (c, false) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of these names, folders and contents.
    fn files(all: &[(&str, &str, &str)]) -> DigestedFiles {
        let list = all
            .iter()
            .map(|(name, folder, _)| (name, Path::new(folder).join(name)));
        let content = |content: &str| (Digest::of(content.as_bytes()), content.len() as u64);
        let contents = all.iter().map(|(.., text)| content(text)).collect();
        DigestedFiles::new(list.collect(), contents, BTreeMap::new())
    }

    #[test]
    fn the_digest_of_a_listing_is_pinned_and_sorted() {
        let (a, b) = (("김밥/1.jpg", "/d", "one"), ("비빔밥/2.jpg", "/d", "two"));
        let digest = digest_of_files(&files(&[a, b])).unwrap();
        assert_eq!(digest, digest_of_files(&files(&[b, a])).unwrap());
        assert_eq!(
            digest.to_string(),
            "037e08e426ea0a3b4d9fc9847586c65a1f110ae6e3e32f02cf80f34a64efe769"
        );
    }

    #[test]
    fn names_and_contents_do_not_run_into_each_other() {
        let one = digest_of_files(&files(&[("ab", "", "c"), ("d", "", "e")])).unwrap();
        let two = digest_of_files(&files(&[("a", "", "bc"), ("d", "", "e")])).unwrap();
        assert_ne!(one, two);
        assert_ne!(digest_of_files(&files(&[])).unwrap(), one);
    }

    #[test]
    fn two_files_of_one_name_are_an_error_that_names_both() {
        let two = [
            ("김밥.jpg", "/somewhere", "one"),
            ("김밥.jpg", "/elsewhere", "two"),
        ];
        let error = digest_of_files(&files(&two)).unwrap_err();
        assert!(error.to_string().contains("/elsewhere"), "{error}");
    }

    #[test]
    fn a_listing_survives_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.files");
        let listed = files(&[("a\nb", "", "1"), ("c\\n", "", "2"), ("d  e", "", "3")]);
        write(&path, &listed).unwrap();
        let of_files = digest_of_files(&listed).unwrap();
        let expected: Listing = listed.iter().map(|f| (f.file.name(), f.digest)).collect();
        assert_eq!(digest(&expected), of_files);
        assert_eq!(read(&path), Some(expected));
    }
}
