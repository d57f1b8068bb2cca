//! What AI Hub puts beside the images of a class: the addresses that they came from, and the boxes that are used of them.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use super::{
    Listing, Place,
    ai_hub::{key_of, parse_areas, parse_sources},
    class::parent,
    walk::Tree,
};
use crate::{
    error::Result,
    record::Part,
    text::{count, either, number},
};

/// The places in a listing of the images of each folder, by what is left of their names.
type ByFolder = HashMap<String, HashMap<String, Vec<usize>>>;

/// Adds to a listing what is told beside its images, and the files that tell it.
///
/// # Errors
/// When such a file cannot be read.
pub(super) fn beside(
    root: &Path,
    tree: &Tree,
    part: Part,
    crop_area: bool,
    listing: &mut Listing,
) -> Result<()> {
    let mut beside = Beside {
        tree,
        part,
        by_folder: by_folder(tree, listing),
        listing,
    };
    beside.zips(root);
    beside.addresses()?;
    beside.boxes(crop_area)?;
    listing.beside.sort();
    Ok(())
}

fn by_folder(tree: &Tree, listing: &Listing) -> ByFolder {
    let mut by_folder = ByFolder::new();
    if tree.areas.is_empty() && tree.sources.is_empty() {
        return by_folder;
    }
    for (i, image) in listing.images.iter().enumerate() {
        let images = by_folder.entry(parent(&image.name).to_owned()).or_default();
        images.entry(key_of(&image.name)).or_default().push(i);
    }
    by_folder
}

struct Beside<'a> {
    tree: &'a Tree,
    part: Part,
    by_folder: ByFolder,
    listing: &'a mut Listing,
}

impl Beside<'_> {
    /// The archives that images were read from are inputs too.
    fn zips(&mut self, root: &Path) {
        if root.is_file() {
            let name = format!("{}.zip", self.part.name());
            self.listing.beside.push((name, root.to_owned()));
        }
        for (name, path) in &self.tree.zips {
            let name = self.below(name);
            self.listing.beside.push((name, path.clone()));
        }
    }

    /// A name of the tree as the listing has it.
    fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.part.name())
    }

    /// Adds a file to the inputs where it is used, and to what was passed over where it is not. What lies in a zip is an input with it.
    fn note(&mut self, name: &str, place: &Place, used: bool) {
        if !used {
            let extension = name.rsplit('.').next().unwrap_or_default();
            let kind = format!("`.{}`", extension.to_ascii_lowercase());
            self.listing.passed_over.count(kind);
        } else if let Place::File(path) = place {
            let name = self.below(name);
            self.listing.beside.push((name, path.clone()));
        }
    }

    /// Where the images came from.
    fn addresses(&mut self) -> Result<()> {
        let mut of_none = 0;
        for (name, place) in &self.tree.sources {
            let folder = parent(&self.below(name)).to_owned();
            self.note(name, place, self.by_folder.contains_key(&folder));
            let Some(images) = self.by_folder.get(&folder) else {
                continue;
            };
            for row in parse_sources(&place.read_text()?) {
                let of = row.names.iter().find_map(|name| images.get(name));
                of_none += usize::from(of.is_none());
                for i in of.into_iter().flatten() {
                    self.listing.images[*i].source = Some(row.url.clone());
                }
            }
        }
        if !self.tree.sources.is_empty() {
            self.tell_addresses(of_none);
        }
        Ok(())
    }

    fn tell_addresses(&mut self, of_none: usize) {
        let images = &self.listing.images;
        let known = images.iter().filter(|i| i.source.is_some()).count();
        let mut note = format!(
            "`{}`: the addresses of {} are known, of {} they are not",
            self.part.name(),
            count(known, "image"),
            number((images.len() - known) as u64)
        );
        if of_none > 0 {
            let are = either(of_none, "is", "are");
            note.push_str(&format!(
                "; {} {are} of no image",
                count(of_none, "address")
            ));
        }
        self.listing.notes.push(note);
    }

    /// Which part of each image is used, where that is asked for.
    fn boxes(&mut self, asked: bool) -> Result<()> {
        let (mut of_none, mut bad) = (0, BTreeMap::<&str, usize>::new());
        for (name, place) in &self.tree.areas {
            let folder = parent(&self.below(name)).to_owned();
            let used = asked && self.by_folder.contains_key(&folder);
            self.note(name, place, used);
            let Some(images) = self.by_folder.get(&folder).filter(|_| asked) else {
                continue;
            };
            let areas = parse_areas(&place.read_text()?);
            for (key, area) in &areas.boxes {
                let of = images.get(key);
                of_none += usize::from(of.is_none());
                for i in of.into_iter().flatten() {
                    self.listing.images[*i].crop = Some(*area);
                }
            }
            for (why, n) in areas.passed_over {
                *bad.entry(why).or_default() += n;
            }
        }
        if asked {
            self.tell_boxes(of_none, &bad);
        }
        Ok(())
    }

    fn tell_boxes(&mut self, of_none: usize, bad: &BTreeMap<&str, usize>) {
        let images = &self.listing.images;
        let boxes = images.iter().filter(|i| i.crop.is_some()).count();
        let whole = images.len() - boxes;
        let mut note = format!(
            "`{}`: the boxes of {} are cut out, {} {} none and {} used whole",
            self.part.name(),
            count(boxes, "image"),
            count(whole, "image"),
            either(whole, "has", "have"),
            either(whole, "is", "are")
        );
        if of_none > 0 {
            let are = either(of_none, "is", "are");
            note.push_str(&format!("; {} {are} of no image", count(of_none, "box")));
        }
        let lines: usize = bad.values().sum();
        if lines > 0 {
            let kinds: Vec<_> = bad.iter().map(|(why, n)| format!("{n} {why}")).collect();
            let (n, give) = (count(lines, "line"), either(lines, "gives", "give"));
            note.push_str(&format!("; {n} {give} none: {}", kinds.join(", ")));
        }
        self.listing.notes.push(note);
    }
}
