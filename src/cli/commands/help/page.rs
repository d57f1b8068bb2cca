//! The pages of `docs/`, for a terminal.

use unicode_width::UnicodeWidthStr;

use crate::{
    report::{Align, Grid},
    text::wrapped,
};

/// For each page its name and its text.
macro_rules! pages {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../../../docs/", $name, ".md"))),)*]
    };
}

/// The pages for users, in the order of a first reading.
const PAGES: &[(&str, &str)] = pages![
    "first-steps",
    "coming-from",
    "recipes",
    "aihub",
    "commands",
    "config",
    "cluster",
    "scale",
    "pipeline-file",
    "data",
    "training",
    "models",
    "python",
    "results",
    "cache",
    "gpu",
];

/// The names of all pages.
pub(super) fn names<'a>() -> impl Iterator<Item = &'a str> {
    PAGES.iter().map(|(name, _)| *name)
}

/// A page in lines of at most so many columns.
pub(super) fn page(name: &str, width: usize) -> Option<String> {
    let (_, text) = PAGES.iter().find(|(page, _)| *page == name)?;
    Some(rendered(text, width))
}

/// Markdown as a person reads it: paragraphs in lines that fit, tables drawn, links by their words, code as it is.
fn rendered(markdown: &str, width: usize) -> String {
    let mut out = String::new();
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            for code in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                out += &format!("    {code}\n");
            }
        } else if line.starts_with('|') {
            let mut table = vec![line];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                table.push(row);
            }
            out += &drawn(&table, width);
        } else if line.starts_with('#') {
            let heading = words(line.trim_start_matches(['#', ' ']));
            let rule = if line.starts_with("# ") { "=" } else { "-" };
            out += &format!("{heading}\n{}\n", rule.repeat(heading.width()));
        } else if line.starts_with("<!--") {
            // For those who write the page.
        } else if line.is_empty() {
            out.push('\n');
        } else {
            let mut paragraph = line.to_owned();
            let goes_on = |line: &&str| {
                let begins = ["- ", "#", "|", "```", "<!--"];
                !line.is_empty() && !begins.iter().any(|b| line.trim_start().starts_with(b))
            };
            while let Some(more) = lines.next_if(goes_on) {
                paragraph += " ";
                paragraph += more.trim();
            }
            out += &filled(&words(&paragraph), width);
        }
    }
    out
}

/// A paragraph, or an item of a list below its mark.
fn filled(paragraph: &str, width: usize) -> String {
    let text = paragraph.trim_start();
    let indent = paragraph.len() - text.len();
    let Some(item) = text.strip_prefix("- ") else {
        return wrapped(text, indent, width);
    };
    let lines = wrapped(item, indent + 2, width);
    format!("{}- {}", " ".repeat(indent), lines.trim_start())
}

/// Text without its marks: `[words](place)` is its words, `**so**` is so.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let link = rest[at + 1..].split_once("](").and_then(|(words, behind)| {
            let (_, behind) = behind.split_once(')')?;
            (!words.contains(['[', ']', '`']) || words.matches('`').count() == 2)
                .then_some((words, behind))
        });
        match link {
            Some((words, behind)) => {
                out += &rest[..at];
                out += words;
                rest = behind;
            }
            None => {
                out += &rest[..=at];
                rest = &rest[at + 1..];
            }
        }
    }
    // Between an odd and an even backtick is code, where `**` is a pattern's.
    let pieces = out + rest;
    let pieces = pieces.split('`').enumerate();
    let plain = pieces.map(|(i, piece)| match i % 2 {
        0 => piece.replace("**", ""),
        _ => piece.to_owned(),
    });
    plain.collect::<Vec<_>>().join("`")
}

/// A table with the columns of its first row.
fn drawn(table: &[&str], width: usize) -> String {
    let cells = |row: &str| -> Vec<String> {
        let row = row.trim().trim_matches('|').replace("\\|", "\u{0}");
        let cells = row.split('|').map(|cell| words(cell.trim()));
        cells.map(|cell| cell.replace('\u{0}', "|")).collect()
    };
    let header = cells(table.first().unwrap_or(&""));
    let columns: Vec<_> = header.iter().map(|n| (n.as_str(), Align::Left)).collect();
    let mut grid = Grid::new(&columns);
    for row in table.iter().skip(2) {
        let mut row = cells(row);
        row.resize(header.len(), String::new());
        grid.rows.push(row);
    }
    grid.text(u16::try_from(width).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_paragraphs_that_fit_lists_tables_and_code() {
        let text = "# A page\n\nSee [this](x.md#y) and\n**that** now.\n\n- one [two](z)\n  three\n\n```sh\nkfood run\n```\n";
        assert_eq!(
            rendered(text, 20),
            "A page\n======\n\nSee this and that\nnow.\n\n- one two three\n\n    kfood run\n"
        );
        let table = rendered("| a | b |\n|---|---|\n| `x\\|y` | 김치 |\n", 60);
        assert!(table.contains("x|y") && table.contains("김치"), "{table}");
        assert_eq!(words("`a[0]` and [1, 2]"), "`a[0]` and [1, 2]");
        assert_eq!(words("**all** of `a/**/*.jpg`"), "all of `a/**/*.jpg`");
    }

    #[test]
    fn every_page_for_users_is_there_and_fits() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
        let others = ["CHANGELOG", "SECURITY", "contributing"];
        for entry in std::fs::read_dir(docs).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let Some(name) = name.strip_suffix(".md") else {
                continue;
            };
            let told = names().any(|page| page == name);
            assert!(
                told || others.contains(&name)
                    || name.starts_with("README")
                    || name.ends_with(".ko"),
                "`kfood help {name}` is missing: name it in PAGES"
            );
        }
        for name in names() {
            let page = page(name, 80).unwrap();
            assert!(page.lines().count() > 20);
            let text = page.lines().filter(|line| !line.starts_with("    "));
            let wide: Vec<_> = text.filter(|line| line.width() > 80).collect();
            assert!(wide.is_empty(), "{name}: {wide:#?}");
        }
    }
}
