//! The text of a list as a header and rows, whatever it is encoded in and separated by.

use super::{
    rows::{self, Cells},
    text,
};
use crate::{
    error::{Error, Result},
    text::{count, utf32},
};

/// What a list looks like.
pub(super) const HELP: &str =
    "the first line names the columns: `path,label`, and if there are such `part` and `group`";

/// The largest list that is read, in bytes: millions of rows have less.
pub const LARGEST_LIST: u64 = 1 << 30;

/// A text as a header and rows.
pub(super) struct Table {
    pub header: Cells,
    pub rows: Vec<std::result::Result<Cells, (u64, String)>>,
    pub separator: char,
}

/// Reads the text of a list, whatever it is encoded in and separated by, with what there is to tell of that. `wanted` are the
/// columns that it needs.
pub(super) fn table(
    bytes: &[u8],
    tsv: bool,
    shown: &str,
    wanted: &[&str],
) -> Result<(Table, Vec<String>)> {
    refuse_no_text(bytes, shown, wanted)?;
    let (text, encoding) = text::decode_file(bytes).ok_or_else(|| {
        Error::failed(format!("`{shown}` is neither UTF-8 nor CP949"))
            .help("save it as CSV in UTF-8")
    })?;
    if let Some(what) = in_other_words(&text) {
        return Err(
            Error::failed(format!("`{shown}` is {what}, and no CSV")).help(format!(
                "write it as CSV whose first line names the columns: `{}`",
                wanted.join(",")
            )),
        );
    }
    let mut notes = Vec::new();
    if let Some(encoding) = encoding {
        notes.push(format!("`{shown}` is not UTF-8 and was read as {encoding}"));
    }
    let order = if tsv {
        ['\t', ',', ';']
    } else {
        [',', '\t', ';']
    };
    let (separator, text, line) = rows::separator(&text, order, wanted);
    let rows::Rows { rows, empty } = rows::rows(text, separator, line);
    if empty > 0 {
        let rows = count(empty, "row");
        notes.push(format!("`{shown}`: passed over {rows} of separators alone"));
    }
    let mut rows = rows.into_iter();
    let header = match rows.next() {
        Some(Ok(header)) => header,
        Some(Err((line, mistake))) => {
            return Err(Error::failed(format!("line {line} of `{shown}`: {mistake}")).help(HELP));
        }
        None => {
            let columns = wanted.join(",");
            return Err(Error::failed(format!("`{shown}` is empty"))
                .help(format!("the first line names the columns: `{columns}`")));
        }
    };
    let table = Table {
        header,
        rows: rows.collect(),
        separator,
    };
    Ok((table, notes))
}

/// The error for a file of another kind, known by its first bytes.
fn refuse_no_text(bytes: &[u8], shown: &str, wanted: &[&str]) -> Result<()> {
    let workbook = [&b"PK\x03\x04"[..], b"\xD0\xCF\x11\xE0"]
        .iter()
        .any(|begin| bytes.starts_with(begin));
    if workbook {
        let message = format!("`{shown}` is no text, but a workbook of Excel (or another archive)");
        return Err(Error::failed(message).help("save it as CSV in UTF-8"));
    }
    if bytes.starts_with(b"PAR1") {
        return Err(Error::failed(format!("`{shown}` is Parquet, and no CSV")).help(format!(
            "write it as CSV whose first line names the columns: `{}`; in Python `pandas.read_parquet(…).to_csv(…, index=False)`",
            wanted.join(",")
        )));
    }
    if let Some(name) = utf32(bytes) {
        return Err(Error::failed(format!(
            "`{shown}` is {name} text, expected UTF-8, UTF-16 or CP949"
        ))
        .help(format!(
            "save it as CSV in UTF-8, or convert it: `iconv -f {name} -t UTF-8 {shown} > utf8.csv`"
        )));
    }
    Ok(())
}

/// What a text is that other programs write for lists, and that has no lines of cells.
fn in_other_words(text: &str) -> Option<&'static str> {
    let begin: String = (text.chars().filter(|c| !c.is_whitespace()))
        .take(16)
        .collect();
    let begins = |with: &[&str]| with.iter().any(|w| begin.to_lowercase().starts_with(w));
    if begins(&["{\""])
        && text
            .trim_start()
            .lines()
            .nth(1)
            .is_some_and(|line| line.starts_with('{'))
    {
        Some("JSON Lines")
    } else if begins(&["{\"", "[{", "[[", "[\""]) {
        Some("JSON")
    } else if begins(&["<!doctypehtml", "<html"]) {
        Some("an HTML page")
    } else {
        begins(&["<?xml"]).then_some("XML")
    }
}

/// Whether a row is the header again, as where lists were put together.
pub(super) fn same_header(header: &Cells, row: &Cells) -> bool {
    let pairs = header.cells.iter().zip(&row.cells);
    header.cells.len() == row.cells.len()
        && pairs.into_iter().all(|(a, b)| a.eq_ignore_ascii_case(b))
}
