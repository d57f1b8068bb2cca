//! A place in a pipeline file, and how a message at it looks.

use std::{ops::Range, path::PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// A place in a pipeline file, with its line for carets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, as shown to people (relative to the working directory where it lies below it).
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The source line.
    pub text: String,
    /// Characters to underline, at least 1.
    pub length: usize,
}

impl Location {
    /// The beginning of a file that could not be read: no source line is shown.
    pub(crate) fn whole(file: PathBuf) -> Self {
        Self {
            file,
            line: 1,
            column: 1,
            text: String::new(),
            length: 1,
        }
    }

    /// The place of a range of bytes in a file's text; of its first line where it runs over several.
    pub(crate) fn of(file: PathBuf, text: &str, span: &Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.floor_char_boundary(span.end.max(start));
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text[line_start..].split('\n').next().unwrap_or_default();
        let line = rest.strip_suffix('\r').unwrap_or(rest);
        let line_end = line_start + line.len();
        let underlined = &text[start..end.min(line_end).max(start)];
        Self {
            file,
            line: before.matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            text: line.to_owned(),
            length: underlined.chars().count().max(1),
        }
    }

    /// A message at this place as a person reads it in a terminal: file, line and column, the source line, a caret, and
    /// the way out. No colour; ends without a line break.
    #[must_use]
    pub fn render(&self, message: &str, help: Option<&str>) -> String {
        let path = self.file.display().to_string();
        let title = Level::ERROR.primary_title(message);
        let group: Group<'_> = if self.text.is_empty() {
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
        place(self.column - 1)..place(self.column - 1 + self.length)
    }
}
