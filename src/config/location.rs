//! A place in a pipeline file, and how a message at it looks.

use std::{ops::Range, path::PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::text::shown_path;

/// A longer line, in bytes, is not shown: nobody would find the caret.
const LONGEST_LINE: usize = 4_096;

/// A place in a pipeline file, with its line for carets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, as shown to people (relative to the working directory where it lies below it).
    pub file: PathBuf,
    /// From 1; 0 for a file as a whole.
    pub line: usize,
    /// From 1, in characters; 0 for a file as a whole.
    pub column: usize,
    /// The source line.
    pub text: String,
    /// Characters to underline, at least 1.
    pub length: usize,
}

impl Location {
    /// A file that could not be read: it has no lines.
    pub(crate) fn whole(file: PathBuf) -> Self {
        Self {
            file,
            line: 0,
            column: 0,
            text: String::new(),
            length: 1,
        }
    }

    /// The place of a range of bytes in a file's text, of which `lines` says where its lines start; of its first line where it
    /// runs over several.
    pub(crate) fn of(file: PathBuf, text: &str, lines: &[usize], span: &Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.floor_char_boundary(span.end.max(start));
        let number = lines.partition_point(|line| *line <= start).max(1);
        let line_start = lines.get(number - 1).copied().unwrap_or(0);
        let rest = text[line_start..].split('\n').next().unwrap_or_default();
        let line = rest.strip_suffix('\r').unwrap_or(rest);
        let line_end = line_start + line.len();
        let underlined = &text[start..end.min(line_end).max(start)];
        Self {
            file,
            line: number,
            column: text[line_start..start].chars().count() + 1,
            text: line.to_owned(),
            length: underlined.chars().count().max(1),
        }
    }

    /// A message at this place as a person reads it in a terminal: file, line and column, the source line, a caret, and
    /// the way out. No colour; ends without a line break.
    #[must_use]
    pub fn render(&self, message: &str, help: Option<&str>) -> String {
        let path = shown_path(&self.file);
        let title = Level::ERROR.primary_title(message);
        let group: Group<'_> = if self.line == 0 {
            title.element(Origin::path(path))
        } else if self.text.is_empty() || self.text.len() > LONGEST_LINE {
            let origin = Origin::path(path).line(self.line).char_column(self.column);
            title.element(origin)
        } else {
            let underlined = AnnotationKind::Primary.span(self.bytes());
            title.element(
                Snippet::source(self.text.as_str())
                    .line_start(self.line)
                    .path(path)
                    .annotation(underlined),
            )
        };
        let group = match help {
            Some(help) => group.element(Level::HELP.message(help)),
            None => group,
        };
        Renderer::plain().render(&[group])
    }

    /// What to underline, in bytes of `text`.
    fn bytes(&self) -> Range<usize> {
        let place = |characters: usize| {
            self.text
                .char_indices()
                .nth(characters)
                .map_or(self.text.len(), |(at, _)| at)
        };
        let start = self.column.saturating_sub(1);
        place(start)..place(start + self.length)
    }
}
