//! Which columns of a list matter, and what is said where they are called otherwise.

use super::{
    found::part_of_word,
    rows::Cells,
    table::{HELP, Table, same_header},
};
use crate::{
    error::{Error, Result},
    name::nearest,
    record::Part,
    text::{first_few, shown as shown_name},
};

/// What other programs call the column of paths and that of labels, in small letters.
const PATHS: [&str; 18] = [
    "file_name",
    "filename",
    "file",
    "file_path",
    "filepath",
    "image",
    "image_path",
    "image_name",
    "image_id",
    "img",
    "img_path",
    "id",
    "name",
    "파일",
    "파일명",
    "이미지",
    "이미지명",
    "경로",
];
const LABELS: [&str; 15] = [
    "labels",
    "class",
    "classes",
    "class_name",
    "category",
    "target",
    "y",
    "dish",
    "choice",
    "label_name",
    "라벨",
    "레이블",
    "클래스",
    "분류",
    "음식명",
];

/// The columns in the order in which a row is read.
pub(super) struct Columns {
    pub path: usize,
    pub label: usize,
    pub part: Option<usize>,
    pub group: Option<usize>,
}

/// The place of a column that must be there.
///
/// # Errors
/// When it is not, with the name that is nearest.
pub(super) fn need(shown: &str, header: &Cells, name: &str) -> Result<usize> {
    if let Some(place) = place(header, name) {
        return Ok(place);
    }
    let found = header.cells.iter().map(String::as_str);
    let near = nearest(name, found.clone()).filter(|_| header.cells.len() > 1);
    let hint = near.map_or(String::new(), |near| {
        format!("; is `{}` meant?", shown_name(near))
    });
    Err(Error::failed(format!(
        "line {} of `{shown}` has no column `{name}`, only {}{hint}",
        header.line,
        first_few(found, 10)
    )))
}

fn place(header: &Cells, name: &str) -> Option<usize> {
    let mut cells = header.cells.iter();
    cells.position(|cell| cell.eq_ignore_ascii_case(name))
}

/// The columns of a list of images with labels.
///
/// # Errors
/// When one is missing, is there twice, or is there under both its names.
pub(super) fn columns(shown: &str, table: &Table) -> Result<Columns> {
    let header = &table.header;
    let line = header.line;
    let need = |name: &str| need(shown, header, name).map_err(|error| error.help(way_out(table)));
    let twice = ["path", "label", "part", "split", "group"].into_iter();
    let times = |name: &str| {
        let cells = header.cells.iter();
        cells.filter(|h| h.eq_ignore_ascii_case(name)).count()
    };
    if let Some(name) = twice.into_iter().find(|name| times(name) > 1) {
        return Err(Error::failed(format!(
            "line {line} of `{shown}` has the column `{name}` twice"
        ))
        .help("rename or remove one of them"));
    }
    let (part, split) = (place(header, "part"), place(header, "split"));
    if part.is_some() && split.is_some() {
        return Err(Error::failed(format!(
            "line {line} of `{shown}` has the columns `part` and `split`, which mean the same"
        ))
        .help("rename or remove one of them"));
    }
    Ok(Columns {
        path: need("path")?,
        label: need("label")?,
        part: part.or(split),
        group: place(header, "group"),
    })
}

/// What to do about a first line that does not name the columns.
fn way_out(table: &Table) -> String {
    let header = &table.header;
    if let [one] = header.cells.as_slice()
        && one.contains(['|', ' ', ':'])
    {
        return format!("separate the columns by commas, semicolons or tabs; {HELP}");
    }
    let called = |names: &[&str], name: &str| {
        if place(header, name).is_some() {
            return None;
        }
        let mut cells = header.cells.iter();
        let cell = cells.find(|cell| names.contains(&cell.to_lowercase().as_str()))?;
        Some(format!("`{}` to `{name}`", shown_name(cell)))
    };
    let renamed = [called(&PATHS, "path"), called(&LABELS, "label")];
    let mut renamed: Vec<_> = renamed.into_iter().flatten().collect();
    let classes = classes_as_columns(table);
    if place(header, "label").is_none() && classes.len() > 1 {
        let classes = first_few(classes, 3);
        renamed.retain(|renamed| renamed.ends_with("`path`"));
        let and = if renamed.is_empty() { "" } else { ", and " };
        return format!(
            "{HELP}; each class is a column of 0 and 1 here ({classes}): write the name of the one that is 1 into one column `label`{and}{}",
            renamed
                .first()
                .map_or(String::new(), |path| format!("rename {path}"))
        );
    }
    match renamed.is_empty() {
        true => HELP.to_owned(),
        false => format!("{HELP}; rename {}", renamed.join(" and ")),
    }
}

/// Columns in which every row has 0 or 1, and some row 1: one for each class, as Roboflow and many tables of Kaggle have them.
fn classes_as_columns(table: &Table) -> impl ExactSizeIterator<Item = &str> {
    let rows: Vec<&Cells> = table.rows.iter().flatten().collect();
    let flag = |cell: &str| match cell {
        "0" | "0.0" => Some(false),
        "1" | "1.0" => Some(true),
        _ => None,
    };
    let is_class = |column: usize| {
        let cells = rows.iter().map(|row| row.cells.get(column));
        let flags = cells.map(|cell| flag(cell?));
        let flags: Option<Vec<bool>> = flags.collect();
        flags.is_some_and(|flags| flags.contains(&true))
    };
    let columns = table.header.cells.iter().enumerate();
    let classes: Vec<_> = columns
        .filter(|(column, _)| is_class(*column))
        .map(|(_, name)| name.as_str())
        .collect();
    classes.into_iter()
}

/// Whether all cells are names of parts, and not all of the training part.
fn are_parts(cells: &[&str]) -> bool {
    let parts: Option<Vec<Part>> = cells.iter().map(|cell| part_of_word(cell)).collect();
    parts.is_some_and(|parts| parts.iter().any(|part| *part != Part::Train))
}

/// Whether a column says of each image if it is in one part, such as fastai's `is_valid`, and not the same of all.
fn are_flags(name: &str, cells: &[&str]) -> bool {
    let small = name.to_lowercase();
    let part = small.strip_prefix("is_").unwrap_or(&small);
    let flag = |cell: &str| match cell.to_lowercase().as_str() {
        "1" | "true" | "yes" | "t" | "y" => Some(true),
        "0" | "false" | "no" | "f" | "n" => Some(false),
        _ => None,
    };
    let flags: Option<Vec<bool>> = cells.iter().map(|cell| flag(cell)).collect();
    let differ = |flags: Vec<bool>| flags.contains(&true) && flags.contains(&false);
    part_of_word(part).is_some() && flags.is_some_and(differ)
}

/// A column that says parts and is called otherwise is not read: all images would be training images, those of the test part too.
///
/// # Errors
/// When there is one.
pub(super) fn refuse_unread_parts(shown: &str, columns: &Columns, table: &Table) -> Result<()> {
    if columns.part.is_some() {
        return Ok(());
    }
    let rows = table.rows.iter().flatten();
    let rows = rows.filter(|row| !same_header(&table.header, row));
    for (i, name) in table.header.cells.iter().enumerate() {
        if i == columns.path || i == columns.label || Some(i) == columns.group {
            continue;
        }
        let cells = rows.clone().map(|row| row.cells.get(i).map(String::as_str));
        let Some(cells) = cells.collect::<Option<Vec<&str>>>() else {
            continue;
        };
        if are_parts(&cells) || are_flags(name, &cells) {
            return Err(Error::failed(format!(
                "line {} of `{shown}`: the column `{}` tells the part of each image, and is not read under this name",
                table.header.line,
                shown_name(name)
            ))
            .help("call it `part`, with `train`, `validation` or `test` in each row; or take it out: then all are training images"));
        }
    }
    Ok(())
}
