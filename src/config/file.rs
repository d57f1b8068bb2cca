//! A pipeline file once it is read, and places in its text.

use std::{ops::Range, path::PathBuf};

use super::location::Location;

/// A place in a file's text, in bytes.
pub(crate) type Span = Range<usize>;

/// One pipeline file.
pub(crate) struct File {
    /// Absolute, as it was given: what it is relative to and what lies beside it follows from here.
    pub path: PathBuf,
    /// Links resolved: two paths to one file are one file.
    pub real: PathBuf,
    /// As shown to people.
    pub shown: PathBuf,
    /// What its data paths are relative to.
    pub root: PathBuf,
    /// Its text.
    pub text: String,
    /// Where its lines start, in bytes.
    pub lines: Vec<usize>,
    /// The aliases that lead here from the first file, each with its dot: `mission2.`; empty for the first file.
    pub prefix: String,
    /// The files it uses by alias (their numbers), in the order of the file.
    pub uses: Vec<Use>,
}

/// One line of `[use]`.
pub(crate) struct Use {
    /// The alias.
    pub alias: String,
    /// Where the alias stands.
    pub span: Span,
    /// The number of the file; `None` if it could not be read.
    pub file: Option<usize>,
}

impl File {
    /// The place of a range of bytes.
    pub(crate) fn location(&self, span: &Span) -> Location {
        Location::of(self.shown.clone(), &self.text, &self.lines, span)
    }
}
