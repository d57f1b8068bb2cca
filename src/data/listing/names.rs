//! The images of a listing, by all that a list may call them.

use std::{
    collections::HashMap,
    path::{Component, Path},
};

use super::{Listing, Place, written::forms_of_path};
use crate::{name::nfc, text::escaped};

/// The images of a listing by all that they may be called.
pub(super) struct Names {
    whole: HashMap<String, usize>,
    below: HashMap<String, Vec<usize>>,
    paths: HashMap<String, usize>,
}

impl Names {
    /// Of all images.
    pub(super) fn of(listing: &Listing) -> Self {
        let mut names = Self {
            whole: HashMap::new(),
            below: HashMap::new(),
            paths: HashMap::new(),
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
    /// relative to one of these folders.
    pub(super) fn meant(&self, row: &str, folders: [&Path; 2]) -> Vec<usize> {
        for written in forms_of_path(row) {
            let name = nfc(written.trim_start_matches("./"));
            if let Some(image) = self.whole.get(&name) {
                return vec![*image];
            }
            if let Some(images) = self.below.get(&name) {
                return images.clone();
            }
            for base in folders {
                let path = plain_path(&base.join(&written));
                if let Some(image) = self.paths.get(&path) {
                    return vec![*image];
                }
            }
        }
        Vec::new()
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
