//! A CSV or TSV list of images: `path,label[,part][,group]`, paths relative to the list's folder.

use std::{collections::HashMap, path::Path};

use super::{
    Found, Listing, Place,
    columns::{Columns, columns, refuse_unread_parts},
    found::part_of_word,
    label::{label, warn_of_missing, warn_of_no_groups, warn_of_several},
    listed_path::ListedPaths,
    rows::{self, Cells},
    table::{LARGEST_LIST, same_header, table},
};
use crate::{
    error::{Error, Result},
    files,
    name::nfc,
    record::Part,
    text::{count, either, first_lines, shown, shown_path},
};

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// As written.
    path: String,
    /// NFC.
    label: String,
    part: Part,
    group: Option<String>,
}

/// What a list says before any file is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Each row with its line, from 1, and with what is wrong where it cannot be used.
    rows: Vec<(u64, std::result::Result<Row, String>)>,
    /// What there is to tell.
    notes: Vec<String>,
}

/// Lists the images of a CSV or TSV file with a header of `path`, `label` and optionally `part` or `split` (`train`, the
/// default; `validation`; `test`; as people write them, see `part`) and `group`. Other columns are allowed and not read; a
/// byte-order mark, quotes, and text in UTF-16 or CP949 are understood. The separator is the one that a first line such as `sep=;`
/// or the header says: a tab, comma or semicolon. Rows of separators alone, and the header again, are passed over and told.
///
/// Paths are relative to the list's folder; an absolute one must lie below it or below `root`. An image may be named without its
/// ending where one file alone is meant.
///
/// # Errors
/// When the file cannot be read or is no such list, and, with their lines, for rows without a label, rows that name a file
/// twice or a file that is not there.
pub fn read_manifest(list: &Path, root: &Path) -> Result<Listing> {
    let bytes = files::read_bounded(list, LARGEST_LIST)?;
    let shown = shown_path(list);
    let Rows { rows, notes } = parse_manifest(&bytes, is_tsv(list), &shown)?;
    let folder = files::folder_of(list);
    let mut listing = Listing {
        notes,
        ..Listing::default()
    };
    let mut mistakes = Vec::new();
    let mut known: HashMap<String, (u64, usize)> = HashMap::new();
    let mut paths = ListedPaths::new(folder, root);
    for (line, row) in rows {
        match row.and_then(|row| found(&mut paths, row)) {
            Ok((relative, found)) => {
                let here = (line, listing.images.len());
                let (first, at) = *known.entry(relative.clone()).or_insert(here);
                if first != line {
                    let relative = crate::text::shown(&relative);
                    let other = otherwise(&listing.images[at], &found);
                    mistakes.push(format!(
                        "line {line}: `{relative}` is already on line {first}{other}"
                    ));
                }
                listing.images.push(found);
            }
            Err(mistake) => mistakes.push(format!("line {line}: {mistake}")),
        }
    }
    if !mistakes.is_empty() {
        return Err(Error::failed(format!(
            "{} of `{shown}` cannot be used:{}",
            count(mistakes.len(), "row"),
            first_lines(&mistakes, 20)
        ))
        .help(paths.help()));
    }
    if listing.images.is_empty() {
        return Err(Error::failed(format!("`{shown}` lists no images"))
            .help("add one row for each image: `path,label`"));
    }
    listing.warnings.extend(paths.outside());
    listing.warnings.extend(warn_of_missing(&listing.images));
    listing.warnings.extend(warn_of_several(&listing.images));
    listing.warnings.extend(warn_of_no_groups(&listing.images));
    listing.sort();
    Ok(listing)
}

/// What an earlier row says otherwise of the same image.
fn otherwise(first: &Found, again: &Found) -> String {
    if first.class != again.class {
        return format!(", with the label `{}`", shown(&first.class));
    }
    match first.part == again.part {
        true => String::new(),
        false => format!(", in `{}`", first.part.name()),
    }
}

/// Whether a list is separated by tabs, by its name.
#[must_use]
pub fn is_tsv(list: &Path) -> bool {
    let extension = list.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("tsv") || extension.eq_ignore_ascii_case("tab")
}

/// Reads the rows of a list and looks at no file; `shown` is its name in messages.
///
/// # Errors
/// When it is no such list.
pub fn parse_manifest(bytes: &[u8], tsv: bool, shown: &str) -> Result<Rows> {
    let (mut table, notes) = table(bytes, tsv, shown, &["path", "label"])?;
    let mut found = Rows {
        notes,
        rows: Vec::new(),
    };
    let columns = columns(shown, &table)?;
    refuse_unread_parts(shown, &columns, &table)?;
    let width = table.header.cells.len();
    let mut headers = 0;
    for row in std::mem::take(&mut table.rows) {
        let mut row = match row {
            Ok(row) => row,
            Err((line, mistake)) => {
                found.rows.push((line, Err(mistake)));
                continue;
            }
        };
        if same_header(&table.header, &row) {
            headers += 1;
            continue;
        }
        // Spreadsheets write separators behind the last cell.
        while row.cells.len() > width && row.cells.last().is_some_and(String::is_empty) {
            row.cells.pop();
        }
        let read = if row.cells.len() == width {
            self::row(&columns, &row, table.separator)
        } else {
            let cells = count(row.cells.len(), "field");
            Err(format!("{cells} instead of {width}"))
        };
        found.rows.push((row.line, read));
    }
    if headers > 0 {
        let rows = count(headers, "row");
        let note = format!(
            "`{shown}`: passed over {rows} that {} the header",
            either(headers, "repeats", "repeat")
        );
        found.notes.push(note);
    }
    Ok(found)
}

/// One row, or what is wrong with it.
fn row(columns: &Columns, row: &Cells, separator: char) -> std::result::Result<Row, String> {
    let cell = |i: usize| row.cells.get(i).map(String::as_str).unwrap_or_default();
    let path = cell(columns.path);
    refuse_swallowed_rows(columns, row, separator)?;
    if path.is_empty() {
        return Err("`path` is empty".to_owned());
    }
    let group = columns.group.map_or("", cell);
    Ok(Row {
        path: path.to_owned(),
        label: label(path, cell(columns.label))?,
        part: part(columns.part.map_or("", cell))?,
        group: (!group.is_empty()).then(|| nfc(group)),
    })
}

/// A quote that is closed too late has rows in it; no cell that is read has line breaks or other control characters.
fn refuse_swallowed_rows(
    columns: &Columns,
    row: &Cells,
    separator: char,
) -> std::result::Result<(), String> {
    let read = [
        Some(columns.path),
        Some(columns.label),
        columns.part,
        columns.group,
    ];
    for (i, text) in row.cells.iter().enumerate() {
        let is_read = read.contains(&Some(i));
        if is_read && text.contains(['\n', '\r']) {
            return Err(format!(
                "a quote that is closed only {} further down, so that rows stand in one cell: `{}`",
                count(rows::breaks(text), "line"),
                shown(text)
            ));
        }
        if is_read && text.contains(char::is_control) {
            return Err(format!("`{}` holds control characters", shown(text)));
        }
        // A note of several lines is fine; rows in it are not.
        let width = row.cells.len();
        let is_row = |line: &str| line.matches(separator).count() + 1 >= width;
        if text.lines().skip(1).any(is_row) {
            return Err(format!(
                "a quote that is closed only {} further down, behind what look like rows: `{}`",
                count(rows::breaks(text), "line"),
                shown(text)
            ));
        }
    }
    Ok(())
}

/// The part of a row: training where nothing is said.
fn part(written: &str) -> std::result::Result<Part, String> {
    if written.is_empty() {
        return Ok(Part::Train);
    }
    part_of_word(written).ok_or_else(|| {
        format!(
            "`part` is `{}`; accepted are `train`, `validation` (or `valid`, `val`, `dev`) and `test`",
            shown(written)
        )
    })
}

/// The image of a row, with its name below the folder.
fn found(paths: &mut ListedPaths<'_>, row: Row) -> std::result::Result<(String, Found), String> {
    let (relative, path) = paths.file(&row.path)?;
    let mut found = Found::new(row.part, &relative, row.label, Place::File(path));
    found.group = row.group;
    Ok((relative, found))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(csv: &str, files: &[&str]) -> Result<Listing> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        fs::write(folder.path().join("list.csv"), csv).unwrap();
        read_manifest(&folder.path().join("list.csv"), folder.path())
    }

    #[test]
    fn a_list_with_mark_quotes_and_parts_is_read_in_order() {
        let listing = read(
            "\u{feff}label,path,part,note\r\n김밥,\"b, c.jpg\",test,x\r\n떡볶이,./a/1.jpg,,\r\n",
            &["b, c.jpg", "a/1.jpg"],
        )
        .unwrap();
        let seen: Vec<_> = listing
            .images
            .iter()
            .map(|i| (i.name.as_str(), i.class.as_str()))
            .collect();
        assert_eq!(
            seen,
            [("train/a/1.jpg", "떡볶이"), ("test/b, c.jpg", "김밥")]
        );
    }

    #[test]
    fn every_bad_row_is_named_by_its_line() {
        let error = read(
            "path,label,part\na.jpg,x,\nno.jpg,x,\na.jpg,x,\na.jpg,,\n/etc/a.jpg,x,\na.jpg,x,other\n",
            &["a.jpg"],
        )
        .unwrap_err()
        .to_string();
        for part in [
            "5 rows",
            "line 3: no file `no.jpg`",
            "line 4: `a.jpg` is already on line 2",
            "line 5: `a.jpg` has no label",
            "line 6: `/etc/a.jpg` is absolute",
            "line 7: `part` is `other`",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn a_missing_column_and_a_short_row_are_errors() {
        let error = read("path,lable\na.jpg,x\n", &["a.jpg"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("no column `label`") && error.contains("is `lable` meant?"));
        let error = read(
            "path,label\na.jpg\nno.jpg,x\na.jpg,x\na.jpg,x\na.jpg,x\n",
            &["a.jpg"],
        )
        .unwrap_err()
        .to_string();
        for part in [
            "line 2: 1 field instead of 2",
            "line 3: no file `no.jpg`",
            "line 5: `a.jpg` is already on line 4",
            "line 6: `a.jpg` is already on line 4",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(read("path,label\n", &[]).is_err());
    }

    #[test]
    fn tabs_parts_groups_and_cp949_are_understood() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["1.jpg", "2.jpg", "3,4.jpg", "가/5.jpg"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let text = "path\tlabel\tSplit\tgroup\n1.jpg\t김밥\tval\tg\n2.jpg\t김밥\tTest\t\n3,4.jpg\t잡채\t\th\n가\\5.jpg\t잡채\tdev\t\n";
        let (cp949, _, _) = encoding_rs::EUC_KR.encode(text);
        for name in ["list.tsv", "list.csv"] {
            let list = folder.path().join(name);
            fs::write(&list, &cp949).unwrap();
            let listing = read_manifest(&list, folder.path()).unwrap();
            let seen: Vec<_> = listing
                .images
                .iter()
                .map(|i| (i.name.as_str(), i.class.as_str(), i.group.as_deref()))
                .collect();
            assert_eq!(
                seen,
                [
                    ("train/3,4.jpg", "잡채", Some("h")),
                    ("validation/1.jpg", "김밥", Some("g")),
                    ("validation/가/5.jpg", "잡채", None),
                    ("test/2.jpg", "김밥", None),
                ]
            );
            assert!(listing.notes[0].contains("was read as CP949"));
        }
        let both = read("path,label,part,split\n1.jpg,a,,\n", &["1.jpg"]);
        assert!(both.unwrap_err().to_string().contains("mean the same"));
    }
}
