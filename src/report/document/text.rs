//! Running text with what is meant literally.

use crate::text::{escaped, is_hidden};

/// A piece of running text. Made of a string in which literal things stand in backticks, as everywhere in this program: [`Text::from`]
/// tells them apart, so that each form of a document can set them in its own way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// In the order of reading.
    pub spans: Vec<Span>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Words.
    Plain(String),
    /// Something literal: a name, a setting, a file.
    Code(String),
}

/// Words with everything hidden escaped but the breaks between lines.
fn by_line(words: &str) -> String {
    let hides = |c: char| c != '\n' && is_hidden(c);
    if !words.contains(hides) {
        return words.to_owned();
    }
    words.split('\n').map(bared).collect::<Vec<_>>().join("\n")
}

/// With everything hidden escaped but blanks at the ends, which are those of a sentence that goes on.
fn bared(words: &str) -> String {
    let bare = words.trim_matches(' ');
    words.replacen(bare, &escaped(bare), 1)
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let pieces: Vec<&str> = text.split('`').collect();
        // Every second piece stands between two backticks; a last one that is not closed is no code.
        let open = usize::from(pieces.len().is_multiple_of(2));
        let closed = pieces.len() - open;
        let mut spans = Vec::new();
        for (i, piece) in pieces[..closed].iter().enumerate() {
            match i % 2 {
                0 if piece.is_empty() => {}
                0 => spans.push(Span::Plain(by_line(piece))),
                _ => spans.push(Span::Code(bared(piece))),
            }
        }
        spans.extend(
            pieces[closed..]
                .iter()
                .map(|rest| Span::Plain(format!("`{}", by_line(rest)))),
        );
        Self { spans }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl Text {
    /// Of one line, whatever names stand in it: a break in one is escaped too.
    #[must_use]
    pub fn line(text: &str) -> Self {
        Self::from(text.replace('\n', "\\n"))
    }

    /// With backticks around what is literal: so a terminal shows it, and Markdown writes it.
    #[must_use]
    pub fn in_backticks(&self) -> String {
        let span = |span: &Span| match span {
            Span::Plain(words) => words.clone(),
            Span::Code(literal) => format!("`{literal}`"),
        };
        self.spans.iter().map(span).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_backticks_is_literal() {
        let text = Text::from("set `lr` of `net`");
        let (plain, code) = (
            |t: &str| Span::Plain(t.to_owned()),
            |t: &str| Span::Code(t.to_owned()),
        );
        assert_eq!(
            text.spans,
            [plain("set "), code("lr"), plain(" of "), code("net")]
        );
    }

    #[test]
    fn nothing_in_a_text_steers_or_hides() {
        let text = Text::from("a\u{1b}[31m: `x\n\u{7}`\n  b\r ");
        assert_eq!(text.in_backticks(), "a\\x1b[31m: `x\\n\\x07`\n  b\\r ");
        assert_eq!(Text::line("a\nb").in_backticks(), "a\\nb");
    }

    #[test]
    fn a_text_keeps_every_character() {
        for text in ["", "plain", "`a`", "a `b", "``", "`a``b` c", "` `x"] {
            assert_eq!(Text::from(text).in_backticks(), text);
        }
    }
}
