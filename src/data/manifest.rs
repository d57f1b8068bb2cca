//! A CSV list of images: `path,label[,part]`, paths relative to the CSV's folder.

use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
};

use unicode_normalization::UnicodeNormalization;

use super::{
    Found, Listing,
    listing::{part_name, some_lines},
};
use crate::{
    error::{Error, Result},
    files,
    name::{nearest, nfc},
    record::Part,
};

/// The columns in the order in which a row is read.
struct Columns {
    path: usize,
    label: usize,
    part: Option<usize>,
}

/// Lists the images of a CSV file with a header of `path`, `label` and optionally `part` (`train`, the default, or `test`).
/// Other columns are allowed and not read; a byte-order mark and quotes are understood.
///
/// # Errors
/// When the file cannot be read or is no such CSV, and, with their lines, for rows without a label, rows that name a file
/// twice or a file that is not there.
pub fn read_manifest(csv_file: &Path) -> Result<Listing> {
    let bytes = files::read(csv_file)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let shown = csv_file.display();
    let broken = |e: csv::Error| {
        Error::failed(format!("cannot understand `{shown}`"))
            .because(e)
            .help("save it as CSV in UTF-8 with a header line of `path,label` or `path,label,part`")
    };
    let columns = columns(csv_file, reader.headers().map_err(broken)?)?;
    let folder = csv_file.parent().unwrap_or(Path::new("."));
    let (mut listing, mut mistakes) = (Listing::default(), Vec::new());
    let mut lines: HashMap<String, u64> = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        match row(folder, &columns, &record) {
            Ok(found) => {
                let (_, relative) = found.name.split_once('/').unwrap_or_default();
                if let Some(first) = lines.insert(relative.to_owned(), line) {
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

fn columns(csv_file: &Path, header: &csv::StringRecord) -> Result<Columns> {
    let place = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    let need = |name: &str| {
        place(name).ok_or_else(|| {
            let found: Vec<_> = header.iter().collect();
            let hint = nearest(name, found.iter().copied())
                .map_or(String::new(), |near| format!("; is `{near}` meant?"));
            Error::failed(format!(
                "line 1 of `{}` has no column `{name}`, only `{}`{hint}",
                csv_file.display(),
                found.join("`, `")
            ))
            .help("the first line names the columns: `path,label` or `path,label,part`")
        })
    };
    Ok(Columns {
        path: need("path")?,
        label: need("label")?,
        part: place("part"),
    })
}

/// One row, or what is wrong with it.
fn row(
    folder: &Path,
    columns: &Columns,
    record: &csv::StringRecord,
) -> std::result::Result<Found, String> {
    let written = record.get(columns.path).unwrap_or_default();
    let label = nfc(record.get(columns.label).unwrap_or_default());
    if written.is_empty() {
        return Err("`path` is empty".to_owned());
    }
    if label.is_empty() {
        return Err(format!("`{written}` has no label"));
    }
    let part = match columns.part.and_then(|i| record.get(i)).unwrap_or_default() {
        "" | "train" => Part::Train,
        "test" => Part::Test,
        other => {
            return Err(format!(
                "`part` is `{other}`; accepted are `train` and `test`"
            ));
        }
    };
    let relative = normal(written).ok_or_else(|| {
        format!("`{written}` is absolute; paths are relative to the CSV's folder")
    })?;
    let path = real_path(folder, &relative).ok_or_else(|| format!("no file `{written}`"))?;
    let name = format!("{}/{}", part_name(part), nfc(&relative));
    Ok(Found::file(part, name, label, path))
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

/// The file as written, or under the other Unicode spelling of its name.
fn real_path(folder: &Path, relative: &str) -> Option<PathBuf> {
    let spellings = [
        relative.to_owned(),
        nfc(relative),
        relative.nfd().collect::<String>(),
    ];
    spellings
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
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
            "path,label,part\na.jpg,x,\nno.jpg,x,\na.jpg,x,\na.jpg,,\n/etc/a.jpg,x,\na.jpg,x,dev\n",
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
            "line 7: `part` is `dev`",
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
        let error = read("path,label\na.jpg\n", &["a.jpg"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("line: 2"), "{error}");
        assert!(read("path,label\n", &[]).is_err());
    }
}
