//! The images of a listing, by all that a list may call them.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Component, Path},
};

use super::{Listing, Place, written::forms_of_path};
use crate::{name::nfc, text::escaped};

/// The images of a listing by all that they may be called.
pub(super) struct Names {
    whole: HashMap<String, usize>,
    below: HashMap<String, Vec<usize>>,
    paths: HashMap<String, usize>,
    /// The names of `below` by what is left of them without their endings, in small letters.
    stems: HashMap<String, Vec<String>>,
    /// The endings, with their dot, that images of a last name have.
    endings: HashMap<String, BTreeSet<String>>,
}

impl Names {
    /// Of all images.
    pub(super) fn of(listing: &Listing) -> Self {
        let mut names = Self {
            whole: HashMap::new(),
            below: HashMap::new(),
            paths: HashMap::new(),
            stems: HashMap::new(),
            endings: HashMap::new(),
        };
        for (i, image) in listing.images.iter().enumerate() {
            names.whole.insert(image.name.clone(), i);
            if let Some((_, below)) = image.name.split_once('/') {
                names.below.entry(below.to_owned()).or_default().push(i);
            }
            if let Place::File(path) = &image.place {
                names.paths.insert(plain_path(path), i);
            }
        }
        names.add_shown(listing);
        for name in names.below.keys() {
            let stem = without_ending(name);
            let last = stem.rsplit('/').next().unwrap_or_default();
            let endings = names.endings.entry(last.to_owned()).or_default();
            endings.insert(name[stem.len()..].to_owned());
            let stems = names.stems.entry(stem.to_lowercase()).or_default();
            stems.push(name.clone());
        }
        names
    }

    /// Names with hidden characters as kfood shows them and writes them into lists, too; one that another image has as it stands is
    /// that one's.
    fn add_shown(&mut self, listing: &Listing) {
        let mut below: HashMap<String, Vec<usize>> = HashMap::new();
        let hiding = |name: &str| Some(escaped(name)).filter(|shown| shown != name);
        for (i, image) in listing.images.iter().enumerate() {
            let Some(shown) = hiding(&image.name) else {
                continue;
            };
            if let Some((_, name)) = shown.split_once('/') {
                below.entry(name.to_owned()).or_default().push(i);
            }
            self.whole.entry(shown).or_insert(i);
        }
        for (name, images) in below {
            self.below.entry(name).or_insert(images);
        }
    }

    /// The images that a row of a list means: by their name, else by their name below a part, else by their path on disk, which may be
    /// relative to one of these folders. Where nothing is called so, an ending may have been left out.
    pub(super) fn meant(&self, row: &str, folders: [&Path; 2]) -> Vec<usize> {
        let forms = forms_of_path(row);
        for written in &forms {
            let found = self.called(written, folders);
            if !found.is_empty() {
                return found;
            }
        }
        for written in &forms {
            let endings = self.endings_of(written);
            let with_endings = endings.iter().map(|ending| format!("{written}{ending}"));
            let found: BTreeSet<usize> = with_endings
                .flat_map(|name| self.called(&name, folders))
                .collect();
            if !found.is_empty() {
                return found.into_iter().collect();
            }
        }
        Vec::new()
    }

    fn called(&self, written: &str, folders: [&Path; 2]) -> Vec<usize> {
        let name = nfc(written.trim_start_matches("./"));
        if let Some(image) = self.whole.get(&name) {
            return vec![*image];
        }
        if let Some(images) = self.below.get(&name) {
            return images.clone();
        }
        for base in folders {
            let path = plain_path(&base.join(written));
            if let Some(image) = self.paths.get(&path) {
                return vec![*image];
            }
        }
        Vec::new()
    }

    /// The name of an image that has another ending than a row says, or other capitals.
    pub(super) fn like(&self, row: &str) -> Option<&str> {
        for written in forms_of_path(row) {
            let stem = without_ending(written.trim_start_matches("./"));
            let stem = nfc(stem).to_lowercase();
            let below = stem.split_once('/').map_or("", |(_, below)| below);
            let names = [stem.as_str(), below].into_iter();
            let found = names.filter_map(|stem| self.stems.get(stem)).flatten();
            if let Some(name) = found.min() {
                return Some(name);
            }
        }
        None
    }

    /// The endings of the images whose last name but for the ending is that of a path.
    fn endings_of(&self, written: &str) -> BTreeSet<&str> {
        let name = nfc(written);
        let last = name.rsplit('/').next().unwrap_or_default();
        let endings = self.endings.get(last).into_iter().flatten();
        endings.map(String::as_str).collect()
    }
}

/// A path without the ending of its last name.
fn without_ending(path: &str) -> &str {
    let last = path.rfind('/').map_or(0, |at| at + 1);
    match path[last..].rfind('.') {
        Some(at) if at > 0 => &path[..last + at],
        _ => path,
    }
}

/// An absolute path without `.` and `..`, NFC.
fn plain_path(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    let absolute = std::path::absolute(path);
    for component in absolute.as_deref().unwrap_or(path).components() {
        match component {
            Component::Normal(name) => parts.push(nfc(&name.to_string_lossy())),
            Component::ParentDir => {
                parts.pop();
            }
            _ => {}
        }
    }
    parts.join("/")
}
