//! A CSV or TSV list of images: `path,label[,part][,group]`, paths relative to the list's folder.

use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
};

use unicode_normalization::UnicodeNormalization;

use super::{Found, Listing, Place, Role, found::some_lines, text};
use crate::{
    error::{Error, Result},
    files,
    name::{nearest, nfc},
};

/// What a list looks like.
const HELP: &str =
    "the first line names the columns: `path,label`, and if there are such `part` and `group`";

/// The columns in the order in which a row is read.
struct Columns {
    path: usize,
    label: usize,
    part: Option<usize>,
    group: Option<usize>,
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As written.
    written: String,
    /// Without `.` and inner `..`, with `/`.
    relative: String,
    /// NFC.
    label: String,
    role: Role,
    group: Option<String>,
}

/// The rows of a list, each with its line, from 1, and with what is wrong where it cannot be used; and what there is to tell.
type Rows = (Vec<(u64, std::result::Result<Row, String>)>, Option<String>);

/// Lists the images of a CSV or TSV file with a header of `path`, `label` and optionally `part` or `split` (`train`, the
/// default; `validation`, `valid`, `val` or `dev`; `test`) and `group`. Other columns are allowed and not read; a byte-order
/// mark, quotes, and text in UTF-16 or CP949 are understood. The separator is the one that the header line holds: a
/// tab, comma or semicolon; where it holds several, a tab for `.tsv` and a comma otherwise.
///
/// # Errors
/// When the file cannot be read or is no such list, and, with their lines, for rows without a label, rows that name a file
/// twice or a file that is not there.
pub fn read_manifest(list: &Path) -> Result<Listing> {
    let bytes = files::read(list)?;
    let shown = list.display().to_string();
    let (rows, note) = parse_manifest(&bytes, is_tsv(list), &shown)?;
    let folder = list.parent().unwrap_or(Path::new("."));
    let mut listing = Listing {
        notes: note.into_iter().collect(),
        ..Listing::default()
    };
    let mut mistakes = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    for (line, row) in rows {
        match row.and_then(|row| found(folder, row)) {
            Ok((relative, found)) => {
                let first = *lines.entry(relative.clone()).or_insert(line);
                if first != line {
                    mistakes.push(format!(
                        "line {line}: `{relative}` is already on line {first}"
                    ));
                }
                listing.images.push(found);
            }
            Err(mistake) => mistakes.push(format!("line {line}: {mistake}")),
        }
    }
    if !mistakes.is_empty() {
        let rows = if mistakes.len() == 1 { "row" } else { "rows" };
        return Err(Error::failed(format!(
            "{} {rows} of `{shown}` cannot be used:{}",
            mistakes.len(),
            some_lines(&mistakes, 20)
        ))
        .help(format!(
            "every row names one image below `{}`, once, with its label",
            folder.display()
        )));
    }
    if listing.images.is_empty() {
        return Err(Error::failed(format!("`{shown}` lists no images"))
            .help("add one row for each image: `path,label`"));
    }
    listing.sort();
    Ok(listing)
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
    let (text, encoding) = text::decode(bytes).ok_or_else(|| {
        Error::failed(format!("`{shown}` is neither UTF-8 nor CP949"))
            .help("save it as CSV in UTF-8")
    })?;
    let note =
        encoding.map(|encoding| format!("`{shown}` is not UTF-8 and was read as {encoding}"));
    let header = text.lines().next().unwrap_or_default();
    let order = if tsv {
        ['\t', ',', ';']
    } else {
        [',', '\t', ';']
    };
    let separator = order.into_iter().find(|c| header.contains(*c));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .delimiter(separator.unwrap_or(',') as u8)
        .from_reader(text.as_bytes());
    let broken = |e: csv::Error| {
        Error::failed(format!("cannot understand `{shown}`"))
            .because(e)
            .help(HELP)
    };
    let header = reader.headers().map_err(broken)?.clone();
    let columns = columns(shown, &header)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = match (record.len(), header.len()) {
            (found, wanted) if found != wanted => {
                let fields = if found == 1 { "field" } else { "fields" };
                Err(format!("{found} {fields} instead of {wanted}"))
            }
            _ => row(&columns, &record),
        };
        rows.push((line, row));
    }
    Ok((rows, note))
}

fn columns(shown: &str, header: &csv::StringRecord) -> Result<Columns> {
    let place = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    let need = |name: &str| {
        place(name).ok_or_else(|| {
            let found: Vec<_> = header.iter().collect();
            let hint = nearest(name, found.iter().copied())
                .map_or(String::new(), |near| format!("; is `{near}` meant?"));
            Error::failed(format!(
                "line 1 of `{shown}` has no column `{name}`, only `{}`{hint}",
                found.join("`, `")
            ))
            .help(HELP)
        })
    };
    if place("part").is_some() && place("split").is_some() {
        return Err(Error::failed(format!(
            "line 1 of `{shown}` has the columns `part` and `split`, which mean the same"
        ))
        .help("rename or remove one of them"));
    }
    Ok(Columns {
        path: need("path")?,
        label: need("label")?,
        part: place("part").or_else(|| place("split")),
        group: place("group"),
    })
}

/// One row, or what is wrong with it.
fn row(columns: &Columns, record: &csv::StringRecord) -> std::result::Result<Row, String> {
    let field = |i: Option<usize>| i.and_then(|i| record.get(i)).unwrap_or_default();
    let written = field(Some(columns.path));
    let label = nfc(field(Some(columns.label)));
    if written.is_empty() {
        return Err("`path` is empty".to_owned());
    }
    if label.is_empty() {
        return Err(format!("`{written}` has no label"));
    }
    let part = field(columns.part);
    let role = match part.to_ascii_lowercase().as_str() {
        "" | "train" => Role::Train,
        "validation" | "valid" | "val" | "dev" => Role::Validation,
        "test" => Role::Test,
        _ => {
            return Err(format!(
                "`part` is `{part}`; accepted are `train`, `validation` (or `valid`, `val`, `dev`) and `test`"
            ));
        }
    };
    let relative = normal(written).ok_or_else(|| {
        format!("`{written}` is absolute; paths are relative to the list's folder")
    })?;
    let group = field(columns.group);
    Ok(Row {
        written: written.to_owned(),
        relative,
        label,
        role,
        group: (!group.is_empty()).then(|| nfc(group)),
    })
}

/// The image of a row, with its name below the folder.
fn found(folder: &Path, row: Row) -> std::result::Result<(String, Found), String> {
    let (relative, path) =
        real_path(folder, &row.relative).ok_or_else(|| format!("no file `{}`", row.written))?;
    let mut found = Found::new(row.role, &relative, row.label, Place::File(path));
    found.group = row.group;
    Ok((relative, found))
}

/// A relative path without `.` and inner `..`, with `/`.
fn normal(written: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(written).components() {
        match component {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            Component::ParentDir => parts.push(".."),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The file as written, under the other Unicode spelling of its name, or with `\\` for `/`; with its NFC name.
fn real_path(folder: &Path, relative: &str) -> Option<(String, PathBuf)> {
    let slashes = relative.replace('\\', "/");
    let names = [relative, slashes.as_str()];
    names.into_iter().find_map(|name| {
        let spellings = [name.to_owned(), nfc(name), name.nfd().collect::<String>()];
        let mut paths = spellings.iter().map(|spelt| folder.join(spelt));
        let path = paths.find(|path| path.is_file())?;
        Some((normal(&nfc(name))?, path))
    })
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
        read_manifest(&folder.path().join("list.csv"))
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
            let listing = read_manifest(&list).unwrap();
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
