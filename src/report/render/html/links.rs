//! Where a sentence names a chapter in “quotation marks”, it leads there.

use std::collections::BTreeMap;

use crate::report::{Block, Text};

/// The addresses of headings, by their text with backticks; of equal ones that of the first.
pub(super) struct Places(BTreeMap<String, String>);

/// A piece of a sentence, and where it leads.
#[derive(Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) to: Option<String>,
    pub(super) text: Text,
}

impl Places {
    /// Of a document whose blocks have addresses by their places.
    pub(super) fn of(blocks: &[Block], id: fn(usize) -> String) -> Self {
        let mut places = BTreeMap::new();
        for (i, block) in blocks.iter().enumerate() {
            if let Block::Heading { text, .. } = block {
                places.entry(text.in_backticks()).or_insert_with(|| id(i));
            }
        }
        Self(places)
    }

    /// A sentence in pieces.
    pub(super) fn linked(&self, text: &Text) -> Vec<Piece> {
        let text = text.in_backticks();
        let plain = |text: &str| Piece {
            to: None,
            text: text.into(),
        };
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, name, after)) = quoted(rest, |name| self.0.contains_key(name)) {
            pieces.push(plain(before));
            pieces.push(Piece {
                to: self.0.get(name).cloned(),
                text: name.into(),
            });
            rest = after;
        }
        pieces.push(plain(rest));
        pieces
    }
}

/// What stands before the first wanted name in quotation marks, the name, and what stands behind it; the marks go with their sides.
fn quoted(text: &str, wanted: impl Fn(&str) -> bool) -> Option<(&str, &str, &str)> {
    for (open, mark) in text.match_indices('“') {
        let from = open + mark.len();
        let inside = text[from..].find('”').map(|length| from + length);
        if let Some(to) = inside.filter(|to| wanted(&text[from..*to])) {
            return Some((&text[..from], &text[from..to], &text[to..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_that_is_named_is_led_to_and_nothing_else() {
        let blocks = [
            Block::paragraph("first"),
            Block::heading(2, "Evaluation `a`"),
            Block::heading(2, "Evaluation `a`"),
        ];
        let places = Places::of(&blocks, |i| format!("s{i}"));
        let pieces = places.linked(&"it says “unknown”, as “Evaluation `a`” tells `it`.".into());
        let told: Vec<_> = pieces
            .iter()
            .map(|p| (p.to.as_deref(), p.text.in_backticks()))
            .collect();
        assert_eq!(
            told,
            [
                (None, "it says “unknown”, as “".to_owned()),
                (Some("s1"), "Evaluation `a`".to_owned()),
                (None, "” tells `it`.".to_owned())
            ]
        );
    }
}
