//! Lines of a CSV or TSV file as people's programs write them, each with its place.
//!
//! The common readers take whatever comes: a quote that is never closed swallows the rows behind it, a line is counted wrong where
//! lines end in CRLF. A list of photographs may not lose rows without a word, so it is read here.

use crate::text::shown;

/// One row that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// The text of each cell, without quotes and blanks around it.
    pub cells: Vec<String>,
}

/// The rows of a text, or what is wrong with them; and how many rows held separators alone.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// In order; of a row that cannot be read its line and what is wrong.
    pub rows: Vec<Result<Cells, (u64, String)>>,
    /// Rows of separators alone, such as spreadsheets write below a table.
    pub empty: usize,
}

/// What separates the cells: as a first line of `sep=;` says, else the first of `order` under which the header has all of
/// `columns`, else the first that it holds. With the text behind that line and the number of its first line.
pub(super) fn separator<'a>(
    text: &'a str,
    order: [char; 3],
    columns: &[&str],
) -> (char, &'a str, u64) {
    let (first, rest) = cut_line(text);
    if let Some(separator) = said(first) {
        return (separator, rest, 2);
    }
    let header = text.lines().find(|line| !line.trim().is_empty());
    let header = header.unwrap_or_default();
    let has_all = |separator: &char| {
        let names: Vec<_> = header.split(*separator).map(bare).collect();
        let has = |column: &&str| names.iter().any(|n| n.eq_ignore_ascii_case(column));
        columns.iter().all(has)
    };
    let holds = |separator: &char| header.contains(*separator);
    let found = order.into_iter().find(has_all);
    let found = found.or_else(|| order.into_iter().find(holds));
    (found.unwrap_or(','), text, 1)
}

/// The separator of a line such as `sep=;`, by which Excel is told.
fn said(line: &str) -> Option<char> {
    let line = line.trim_matches(|c: char| c == '"' || c == ' ');
    let (word, separator) = line.split_once('=')?;
    let mut chars = separator.chars();
    let one = chars.next().filter(|_| chars.next().is_none())?;
    word.trim().eq_ignore_ascii_case("sep").then_some(one)
}

fn bare(cell: &str) -> &str {
    cell.trim().trim_matches('"').trim()
}

/// The first line without its end, and what follows. Lines end in `\n`, `\r\n` or `\r`.
fn cut_line(text: &str) -> (&str, &str) {
    let Some(end) = text.find(['\n', '\r']) else {
        return (text, "");
    };
    let rest = &text[end..];
    let end_length = if rest.starts_with("\r\n") { 2 } else { 1 };
    (&text[..end], &rest[end_length..])
}

/// Reads the rows. `read` says which columns matter: a cell there may not hold a line break.
pub(super) fn rows(text: &str, separator: char, first_line: u64) -> Rows {
    let mut reader = Reader {
        rest: text,
        line: first_line,
        separator,
    };
    let mut found = Rows::default();
    while !reader.rest.is_empty() {
        let line = reader.line;
        match reader.row() {
            Ok(cells) if cells.iter().all(String::is_empty) => {
                found.empty += usize::from(cells.len() > 1);
            }
            Ok(cells) => found.rows.push(Ok(Cells { line, cells })),
            Err(mistake) => {
                found.rows.push(Err(mistake));
                reader.skip_line();
            }
        }
    }
    found
}

struct Reader<'a> {
    rest: &'a str,
    line: u64,
    separator: char,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Vec<String>, (u64, String)> {
        let mut cells = Vec::new();
        loop {
            self.skip_blanks();
            let cell = match self.rest.strip_prefix('"') {
                Some(rest) => {
                    self.rest = rest;
                    self.quoted()?
                }
                None => self.plain(),
            };
            cells.push(cell.trim().to_owned());
            if let Some(rest) = self.rest.strip_prefix(self.separator) {
                self.rest = rest;
                continue;
            }
            self.skip_line();
            return Ok(cells);
        }
    }

    /// Up to the separator or the end of the line.
    fn plain(&mut self) -> String {
        let separator = self.separator;
        let end = self.rest.find([separator, '\n', '\r']);
        let (cell, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        cell.to_owned()
    }

    /// Behind the opening quote, up to the closing one and the blanks behind it.
    fn quoted(&mut self) -> Result<String, (u64, String)> {
        let opened = self.line;
        let mut cell = String::new();
        loop {
            let Some(end) = self.rest.find('"') else {
                let begin: String = self.rest.chars().take(40).collect();
                self.rest = "";
                let begin = shown(cut_line(&begin).0);
                return Err((opened, format!("a quote that is never closed: `\"{begin}`")));
            };
            cell.push_str(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            match self.rest.strip_prefix('"') {
                Some(rest) => {
                    cell.push('"');
                    self.rest = rest;
                }
                None => break,
            }
        }
        self.line += breaks(&cell);
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with([self.separator, '\n', '\r']) {
            return Ok(cell);
        }
        let text = self.plain();
        Err((
            opened,
            format!(
                "text behind a closing quote: `\"{}\"{}`; a quote inside a cell is written twice",
                shown(&cell),
                shown(&text)
            ),
        ))
    }

    fn skip_blanks(&mut self) {
        let separator = self.separator;
        let blank = |c: char| c != separator && c != '\n' && c != '\r' && c.is_whitespace();
        self.rest = self.rest.trim_start_matches(blank);
    }

    fn skip_line(&mut self) {
        let (_, rest) = cut_line(self.rest);
        if rest.len() < self.rest.len() {
            self.line += 1;
        }
        self.rest = rest;
    }
}

/// The line breaks in a cell.
pub(super) fn breaks(cell: &str) -> u64 {
    let crlf = cell.matches("\r\n").count();
    (cell.matches(['\n', '\r']).count() - crlf) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    type Line = Result<(u64, Vec<String>), (u64, String)>;

    fn read(text: &str) -> Vec<Line> {
        let (separator, rest, line) = separator(text, [',', '\t', ';'], &["path", "label"]);
        let rows = rows(rest, separator, line).rows.into_iter();
        rows.map(|row| row.map(|r| (r.line, r.cells))).collect()
    }

    fn good(text: &str) -> Vec<(u64, Vec<String>)> {
        read(text).into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn lines_are_counted_alike_whatever_ends_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = [
                "path,label",
                "",
                "a, \"x, \"\"y\"\"\" ",
                "\"b\nc\",z",
                ",,",
                "d,w",
            ]
            .join(end);
            let found = good(&text);
            let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, [1, 3, 4, 7], "{end:?}");
            assert_eq!(found[1].1, ["a", "x, \"y\""]);
            assert_eq!(found[2].1, ["b\nc", "z"]);
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_and_swallows_nothing_unsaid() {
        let found = read("path,label\na,a\na/1.jpg,\"a\nb/0.jpg,b\n");
        let (line, mistake) = found.last().unwrap().clone().unwrap_err();
        assert_eq!((line, found.len()), (3, 3));
        assert!(mistake.starts_with("a quote that is never closed: `\"a`"));
        let found = read("path,label\na,\"a\nb,\"b\"\nc,c\n");
        assert!(matches!(&found[1], Err((2, m)) if m.starts_with("text behind a closing quote")));
    }

    #[test]
    fn the_separator_is_the_one_that_gives_the_columns() {
        for text in [
            "sep=;\npath;label\na;b,c",
            "path;label\na;b,c",
            "path\tlabel\na\tb,c",
            "\"path\";\"label\"\na;b,c",
            "\r\n\r\npath;label\na;b,c",
        ] {
            let found = good(text);
            assert_eq!(found.last().unwrap().1, ["a", "b,c"], "{text:?}");
        }
    }
}
