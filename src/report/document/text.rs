//! Running text with what is meant literally.

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
                0 => spans.push(Span::Plain((*piece).to_owned())),
                _ => spans.push(Span::Code((*piece).to_owned())),
            }
        }
        spans.extend(
            pieces[closed..]
                .iter()
                .map(|rest| Span::Plain(format!("`{rest}"))),
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
    fn a_text_keeps_every_character() {
        for text in ["", "plain", "`a`", "a `b", "``", "`a``b` c", "` `x"] {
            assert_eq!(Text::from(text).in_backticks(), text);
        }
    }
}
