//! The forms in which a document can be had. A new one for files is a file here with its [`Format`], its `mod`, and its place in [`FORMATS`].

mod html;
mod markdown;
mod sparkline;
mod stacked;
mod terminal;
mod zip;

use std::path::Path;

use super::Document;
use crate::{
    error::{Error, Result},
    text,
};

pub use html::{Evidence, Pictures, Thumbnail};
pub use sparkline::curve;

/// A form for a file.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// How the names of its files end.
    pub extension: &'static str,
    /// What it is, for a person who chooses.
    pub doc: &'static str,
    /// Whether photographs are shown in it.
    pub pictures: bool,
    /// The photographs that a file of it holds at most.
    pub most: usize,
    /// The bytes of a whole document in it, with these pictures where it shows any.
    pub write: fn(&Document, &Pictures) -> Result<Vec<u8>>,
}

/// All forms for files; the first one is that of a file whose name says none.
const FORMATS: &[Format] = &[markdown::FORMAT, html::FORMAT, zip::FORMAT];

impl Format {
    /// A page for a browser.
    #[must_use]
    pub fn page() -> &'static Self {
        &html::FORMAT
    }

    /// Where a report goes, in a line of help.
    #[must_use]
    pub fn told() -> String {
        let told = |format: &Self| format!("`report.{}` is {}", format.extension, format.doc);
        let forms: Vec<_> = FORMATS.iter().map(told).collect();
        format!("Where to write it: {}; stdout without", forms.join(", "))
    }

    /// The form that the name of a file asks for; the first one where it has no ending.
    ///
    /// # Errors
    /// For the ending of no form.
    pub fn of(path: &Path) -> Result<&'static Self> {
        let Some(extension) = path.extension() else {
            return Ok(&FORMATS[0]);
        };
        let asked = |format: &&Self| extension.eq_ignore_ascii_case(format.extension);
        FORMATS.iter().find(asked).ok_or_else(|| {
            let named = text::shown_path(path);
            let endings = FORMATS
                .iter()
                .map(|format| format!("`.{}`", format.extension));
            Error::usage(format!("`{named}` names no form of a report")).help(format!(
                "let it end in one of {}",
                text::first_items(endings, FORMATS.len())
            ))
        })
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
