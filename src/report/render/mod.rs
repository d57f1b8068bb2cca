//! The forms in which a document can be had. A new one is a file here, its `mod` and a line of [`FORMATS`].

mod markdown;
mod sparkline;
mod terminal;

use std::path::Path;

use super::Document;
use crate::text;

/// A form for a file.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// How the names of its files end.
    pub extension: &'static str,
    /// A whole document in it.
    pub write: fn(&Document) -> String,
}

/// All forms for files; the first one is that of a file whose name says none.
const FORMATS: &[Format] = &[Format {
    extension: "md",
    write: Document::markdown,
}];

impl Format {
    /// The form that the name of a file asks for.
    #[must_use]
    pub fn of(path: &Path) -> &'static Self {
        let extension = path.extension().unwrap_or_default();
        let asked = |format: &&Self| extension.eq_ignore_ascii_case(format.extension);
        FORMATS.iter().find(asked).unwrap_or(&FORMATS[0])
    }
}

/// A cell as it may stand in a row: blanks at its ends are its own, everything else hidden is escaped.
fn cell(text: &str) -> String {
    if text.chars().any(text::is_hidden) {
        text::shown(text)
    } else {
        text.to_owned()
    }
}
