//! Listings of outside files: names with content digests, their one digest, and what changed between two of them.

use std::{collections::BTreeMap, path::Path};

use crate::{
    digest::{Digest, Parts},
    error::{Error, Result},
    files,
    stage::DigestedFile,
    text::shown_path,
};

/// Names with content digests.
pub type Listing = BTreeMap<String, Digest>;

const DOMAIN: &str = "kfood 2026 file listing";

/// The digest of a listing: names and contents, sorted by name; places do not count.
///
/// # Errors
/// When two files have one name, as when a folder holds the NFC and the NFD spelling of one Korean name.
pub fn digest_of_files(listed: &[DigestedFile]) -> Result<Digest> {
    let mut sorted: Vec<_> = listed.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut parts = Parts::new(DOMAIN);
    for (i, file) in sorted.iter().enumerate() {
        if let Some(before) = i
            .checked_sub(1)
            .map(|b| sorted[b])
            .filter(|b| b.name == file.name)
        {
            let message = format!(
                "two files have the name `{}`: `{}` and `{}`",
                file.name,
                shown_path(&before.path),
                shown_path(&file.path)
            );
            return Err(Error::failed(message)
                .help("composed (NFC) and decomposed (NFD) spellings are one name; remove one of the files"));
        }
        parts.part(&file.name).part(file.digest.0);
    }
    Ok(parts.finish())
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
pub(super) fn write(path: &Path, listed: &[DigestedFile]) -> Result<()> {
    let mut text = String::new();
    for file in listed {
        let escaped = file.name.replace('\\', "\\\\").replace('\n', "\\n");
        if escaped != file.name {
            text.push('\\');
        }
        text.push_str(&format!("{}  {escaped}\n", file.digest));
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

    fn file(name: &str, content: &str) -> DigestedFile {
        DigestedFile {
            name: name.to_owned(),
            path: Path::new("/somewhere").join(name),
            digest: Digest::of(content.as_bytes()),
            bytes: content.len() as u64,
            lost: None,
        }
    }

    #[test]
    fn the_digest_of_a_listing_is_pinned_and_sorted() {
        let (a, b) = (file("김밥/1.jpg", "one"), file("비빔밥/2.jpg", "two"));
        let digest = digest_of_files(&[a.clone(), b.clone()]).unwrap();
        assert_eq!(digest, digest_of_files(&[b, a]).unwrap());
        assert_eq!(
            digest.to_string(),
            "037e08e426ea0a3b4d9fc9847586c65a1f110ae6e3e32f02cf80f34a64efe769"
        );
    }

    #[test]
    fn names_and_contents_do_not_run_into_each_other() {
        let one = digest_of_files(&[file("ab", "c"), file("d", "e")]).unwrap();
        let two = digest_of_files(&[file("a", "bc"), file("d", "e")]).unwrap();
        assert_ne!(one, two);
        assert_ne!(digest_of_files(&[]).unwrap(), one);
    }

    #[test]
    fn two_files_of_one_name_are_an_error_that_names_both() {
        let mut other = file("김밥.jpg", "two");
        other.path = "/elsewhere".into();
        let error = digest_of_files(&[file("김밥.jpg", "one"), other]).unwrap_err();
        assert!(error.to_string().contains("/elsewhere"), "{error}");
    }

    #[test]
    fn a_listing_survives_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.files");
        let listed = [file("a\nb", "1"), file("c\\n", "2"), file("d  e", "3")];
        write(&path, &listed).unwrap();
        let of_files = digest_of_files(&listed).unwrap();
        let expected: Listing = listed.into_iter().map(|f| (f.name, f.digest)).collect();
        assert_eq!(digest(&expected), of_files);
        assert_eq!(read(&path), Some(expected));
    }
}
