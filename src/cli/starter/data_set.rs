//! What lies at the paths of the command line: data sets with their parts, counts and sizes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::look::{Looked, Unusable, look};
use crate::{
    data::{self, Listing, PartsIn, Reading, is_tsv, is_zip, parts_in, read_manifest},
    error::{Error, Result},
    name::nfc,
    record::Part,
    stages,
    text::{either, first_items, number, plural, shown_path},
};

/// Folders that are named where they are left out.
const NAMED: usize = 3;

/// A data set as it was found.
pub(in crate::cli) struct DataSet {
    /// What a stage of it may be called.
    pub name: String,
    /// A list, where it is one; its parts have no place of their own.
    pub manifest: Option<PathBuf>,
    /// Its parts with their places and numbers of photographs.
    pub parts: Vec<(Part, PathBuf, usize)>,
    /// Classes.
    pub classes: usize,
    /// Training photographs of the smallest and of the largest class.
    pub of_a_class: (usize, usize),
    /// Shorter sides in pixels: the smallest, the median and the largest.
    pub sides: (u32, u32, u32),
    /// Files that preprocess cannot use, with the reason; they are counted nowhere else.
    pub unusable: Unusable,
    /// What is to be told of it.
    pub told: Vec<String>,
}

impl DataSet {
    /// Photographs to train and validate on.
    pub(in crate::cli) fn to_train_on(&self) -> usize {
        let parts = self.parts.iter();
        parts
            .filter(|(role, ..)| *role != Part::Test)
            .map(|(.., n)| n)
            .sum()
    }

    /// All that can be used.
    pub(in crate::cli) fn photographs(&self) -> usize {
        self.parts.iter().map(|(.., n)| n).sum()
    }

    /// Whether it has this part.
    pub(in crate::cli) fn has(&self, part: Part) -> bool {
        self.parts.iter().any(|(role, ..)| *role == part)
    }

    /// "193 photographs in 7 classes, 17 to 71 of each, 280 to 2,169 px": of each class to train on, and the shorter sides.
    pub(in crate::cli) fn summary(&self) -> String {
        let all = self.photographs();
        let ((least, most), (from, _, to)) = (self.of_a_class, self.sides);
        format!(
            "{} {} in {} classes, {} of each, {} px",
            number(all as u64),
            plural(all, "photograph"),
            number(self.classes as u64),
            span(least as u64, most as u64),
            span(from.into(), to.into()),
        )
    }
}

/// "17 to 71", or one number.
fn span(from: u64, to: u64) -> String {
    if from == to {
        return number(from);
    }
    format!("{} to {}", number(from), number(to))
}

/// The data sets at these paths: folders that are named for the parts of one are one data set.
///
/// # Errors
/// When something is not there, or is no data set.
pub(in crate::cli) fn data_sets(paths: &[PathBuf], root: &Path) -> Result<Vec<DataSet>> {
    let paths: Vec<PathBuf> = paths
        .iter()
        .map(|path| present(path))
        .collect::<Result<_>>()?;
    let roles: Vec<_> = paths
        .iter()
        .map(|path| data::part_of_folder(&stem(path)))
        .collect();
    let differ = |i: usize| roles[i].is_some() && !roles[..i].contains(&roles[i]);
    if paths.len() > 1 && roles.contains(&Some(Part::Train)) && (0..roles.len()).all(differ) {
        let parts = roles.iter().flatten().copied().zip(paths.iter().cloned());
        return Ok(vec![of_parts(parts.collect())?]);
    }
    paths.iter().map(|path| data_set(path, root)).collect()
}

fn present(path: &Path) -> Result<PathBuf> {
    if !path.exists() {
        let message = format!("there is no `{}`", shown_path(path));
        return Err(Error::usage(message)
            .help("name a folder of class folders, a zip of them, or a CSV list"));
    }
    std::path::absolute(path).map_err(|e| Error::io("find", path, e))
}

fn data_set(path: &Path, root: &Path) -> Result<DataSet> {
    if path.is_dir() {
        let PartsIn { parts, beside } = parts_in(path)?;
        let mut found = of_parts(parts)?;
        if !beside.is_empty() {
            let lie = either(beside.len(), "lies", "lie");
            let names = beside.iter().filter_map(|path| path.file_name());
            let names = names.map(|name| format!("`{}`", shown_path(name)));
            let beside = first_items(names, NAMED);
            found.told.push(format!(
                "{beside} {lie} beside the parts and in none of them: left out"
            ));
        }
        return Ok(found);
    }
    if is_zip(path) {
        return of_parts(vec![(Part::Train, path.to_owned())]);
    }
    if is_tsv(path)
        || path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
    {
        let listing = read_manifest(path, root)?;
        return found(stem(path), Some(path.to_owned()), Vec::new(), &listing);
    }
    let message = format!(
        "`{}` is no folder, no zip and no CSV list",
        shown_path(path)
    );
    let help = data::archive_way_out(path);
    let help =
        help.unwrap_or("name a folder of class folders, a zip of them, or a CSV list".to_owned());
    Err(Error::usage(message).help(help))
}

fn of_parts(parts: Vec<(Part, PathBuf)>) -> Result<DataSet> {
    let mut listing = Listing::default();
    for (role, path) in &parts {
        listing.append(data::scan(path, *role, Reading::default())?);
    }
    // The parts of `kfood/train` are those of `kfood`; `kfood_train` is called well enough.
    let train = parts
        .iter()
        .find(|(role, _)| *role == Part::Train)
        .or(parts.first());
    let train = train.map_or(Path::new(""), |(_, path)| path.as_path());
    let named = stem(train);
    let name = match (data::part_of_folder(&named), train.parent()) {
        (Some(_), Some(above)) if !named.contains(['_', '-', ' ']) => stem(above),
        _ => named,
    };
    found(name, None, parts, &listing)
}

fn found(
    name: String,
    manifest: Option<PathBuf>,
    places: Vec<(Part, PathBuf)>,
    listing: &Listing,
) -> Result<DataSet> {
    let (classes, warnings) = stages::classes(listing)?;
    let mut of_class: BTreeMap<&str, usize> = BTreeMap::new();
    let mut counts: BTreeMap<Part, usize> = BTreeMap::new();
    let Looked {
        photographs,
        sides,
        unusable,
    } = look(listing)?;
    for image in photographs {
        *counts.entry(image.part).or_default() += 1;
        if image.part != Part::Test {
            *of_class.entry(image.class.as_str()).or_default() += 1;
        }
    }
    let place = |role: Part| {
        let place = places.iter().find(|(given, _)| *given == role);
        place.map(|(_, path)| path.clone()).unwrap_or_default()
    };
    let parts = counts.into_iter().map(|(role, n)| (role, place(role), n));
    let least = of_class.values().min().copied().unwrap_or_default();
    let most = of_class.values().max().copied().unwrap_or_default();
    let mut told = warnings;
    told.extend(listing.warnings.iter().cloned());
    told.extend(listing.notes.iter().cloned());
    if listing.passed_over.total() > 0 {
        told.push(listing.passed_over.to_string());
    }
    Ok(DataSet {
        name: usable(&name),
        manifest,
        parts: parts.collect(),
        classes: classes.len(),
        of_a_class: (least, most),
        sides,
        unusable,
        told,
    })
}

/// The last name of a path without its extension.
fn stem(path: &Path) -> String {
    let name = if path.is_dir() {
        path.file_name()
    } else {
        path.file_stem()
    };
    nfc(&name.unwrap_or_default().to_string_lossy())
}

/// As a name of a file and of a stage: letters, digits, `_` and `-`.
fn usable(name: &str) -> String {
    let kept = |c: char| {
        if c.is_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(kept).collect();
    match name.trim_matches(['_', '-']) {
        "" => "photographs".to_owned(),
        name => name.to_owned(),
    }
}
