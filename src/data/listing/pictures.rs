//! Photographs that somebody points at, whatever they are in: no classes and no parts.

use std::{collections::HashMap, path::Path};

use super::{
    PassedOver, Place,
    columns::need,
    is_tsv,
    listed_path::ListedPaths,
    table::{LARGEST_LIST, same_header, table},
    walk,
};
use crate::{
    error::{Error, Result},
    files,
    text::{count, first_lines, shown_path},
};

/// What a list is to look like.
const HELP: &str = "the first line names the columns: one is `path`, relative to the list's folder; the others are not read";

/// Photographs, and what there is to tell of the place that they are in.
#[derive(Debug, Default)]
pub struct Pictures {
    /// In the order of their names, those of a list in its order.
    pub places: Vec<Place>,
    /// What is there and was not taken.
    pub passed_over: PassedOver,
    /// What else there is to tell.
    pub notes: Vec<String>,
}

impl Pictures {
    /// What a folder, a zip (by its name) or a list (`.csv`, `.tsv`) holds; any other file stands for itself.
    ///
    /// # Errors
    /// When a folder cannot be read, a zip cannot be used, a list has no column `path`, or a row of it names no file.
    pub fn of(path: &Path) -> Result<Self> {
        let ends = |ending: &str| {
            path.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case(ending))
        };
        if path.is_dir() || (path.is_file() && ends("zip")) {
            walk::pictures(path)
        } else if path.is_file() && (ends("csv") || is_tsv(path)) {
            listed(path)
        } else {
            let places = vec![Place::File(path.to_owned())];
            Ok(Self {
                places,
                ..Self::default()
            })
        }
    }
}

/// The column `path` of a list, read as that of a data set is; an absolute path may lead anywhere.
fn listed(list: &Path) -> Result<Pictures> {
    let bytes = files::read_bounded(list, LARGEST_LIST)?;
    let shown = shown_path(list);
    let (table, notes) = table(&bytes, is_tsv(list), &shown, &["path"])?;
    let column = need(&shown, &table.header, "path").map_err(|error| error.help(HELP))?;
    let folder = files::folder_of(list);
    let mut paths = ListedPaths::new(folder, Path::new("/"));
    let mut found = Pictures {
        notes,
        ..Pictures::default()
    };
    let mut mistakes = Vec::new();
    let mut known = HashMap::new();
    for row in &table.rows {
        let row = match row {
            Ok(row) if same_header(&table.header, row) => continue,
            Ok(row) => row,
            Err((line, mistake)) => {
                mistakes.push(format!("line {line}: {mistake}"));
                continue;
            }
        };
        let written = row.cells.get(column).map_or("", String::as_str);
        let file = match written {
            "" => Err("`path` is empty".to_owned()),
            written => (known.entry(written))
                .or_insert_with(|| paths.file(written).map(|(_, path)| path))
                .clone(),
        };
        match file {
            Ok(path) => found.places.push(Place::File(path)),
            Err(mistake) => mistakes.push(format!("line {}: {mistake}", row.line)),
        }
    }
    if mistakes.is_empty() {
        return Ok(found);
    }
    let rows = count(mistakes.len(), "row");
    let told = first_lines(&mistakes, 20);
    Err(Error::failed(format!("{rows} of `{shown}` cannot be used:{told}")).help(HELP))
}
