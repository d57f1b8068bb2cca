//! What is wrong with a pipeline file: all of it at once.

use std::{collections::BTreeSet, fmt, ops::Range};

use serde::Serialize;

use super::{file::File, location::Location};
use crate::{
    error::Error,
    text::{self, shown_path},
};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub location: Location,
    /// What was found and what is accepted.
    pub message: String,
    /// The way out, if there is one to name.
    pub help: Option<String>,
}

impl Mistake {
    /// What stands in a file may be of any length, and is shown in part then.
    fn new(location: Location, message: &str, help: Option<&str>) -> Self {
        Self {
            location,
            message: text::bounded(message).into_owned(),
            help: help.map(|help| text::bounded(help).into_owned()),
        }
    }

    /// As a person reads it: message, place, source line with caret, help. No colour.
    #[must_use]
    pub fn render(&self) -> String {
        self.location.render(&self.message, self.help.as_deref())
    }
}

/// One mistake for programs (`--json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MistakeRow {
    /// The file as shown to people.
    pub file: String,
    /// From 1; `None` for a file as a whole.
    pub line: Option<usize>,
    /// From 1, in characters; `None` for a file as a whole.
    pub column: Option<usize>,
    /// What was found and what is accepted.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

/// All mistakes of a pipeline file and of the files it uses, in the order of the files and of their lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// A single mistake.
    pub(crate) fn one(location: Location, message: String, help: Option<String>) -> Self {
        Self(vec![Mistake::new(location, &message, help.as_deref())])
    }

    /// All of them.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Mistake> {
        self.0.iter()
    }

    /// All of them as a person reads them, a blank line between two; ends with a line break. No colour.
    #[must_use]
    pub fn render(&self) -> String {
        let texts: Vec<_> = self.0.iter().map(Mistake::render).collect();
        format!("{}\n", texts.join("\n\n"))
    }

    /// All of them for programs.
    #[must_use]
    pub fn rows(&self) -> Vec<MistakeRow> {
        self.0
            .iter()
            .map(|m| MistakeRow {
                file: shown_path(&m.location.file),
                line: (m.location.line > 0).then_some(m.location.line),
                column: (m.location.line > 0).then_some(m.location.column),
                message: m.message.clone(),
                help: m.help.clone(),
            })
            .collect()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render())
    }
}

impl std::error::Error for Mistakes {}

impl From<Mistakes> for Error {
    /// Exit code 2, the whole text as the message.
    fn from(mistakes: Mistakes) -> Self {
        let count = mistakes.0.len();
        let told = mistakes.render();
        Self::usage(format!(
            "{} found\n\n{}",
            text::count(count, "mistake"),
            told.trim_end()
        ))
    }
}

/// Mistakes while reading: one at the same place with the same words counts once, so that a mistake in a matrix is not
/// repeated for each combination.
#[derive(Default)]
pub(crate) struct Found {
    mistakes: BTreeSet<(usize, usize, usize, String, Option<String>)>,
    /// Whether some text is not TOML: what else is found in it would mislead.
    pub unreadable: bool,
}

impl Found {
    /// Notes a mistake in a file, by its number.
    pub(crate) fn add(
        &mut self,
        file: usize,
        span: &Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.mistakes
            .insert((file, span.start, span.end, message.into(), help));
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// All of them in order.
    pub(crate) fn finish(self, files: &[File]) -> Mistakes {
        let mistakes = self
            .mistakes
            .into_iter()
            .map(|(file, start, end, message, help)| {
                let location = files[file].location(&(start..end));
                Mistake::new(location, &message, help.as_deref())
            });
        Mistakes(mistakes.collect())
    }
}
