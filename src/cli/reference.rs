//! The declarations of kinds and settings as text for a terminal.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    config::{About, KINDS, settings_of},
    settings::declare::{Field, OneOf, Shape, Table, Variant, Word},
    text::wrapped,
};

/// A kind, a setting, or one of the values of a setting.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Topic {
    /// How it is asked for: `train.optimizer.sgd`.
    pub path: String,
    /// Its last word.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// Whether it must be given, or what holds where it is left out.
    pub default: String,
    /// What is accepted, in words; empty for a kind and for a word.
    pub accepts: String,
    /// What its value may be.
    pub shape: Option<Shape>,
}

impl Topic {
    /// A kind of stage.
    pub(super) fn of_kind(kind: &About) -> Self {
        let tensors = if kind.tensors {
            " It computes with tensors."
        } else {
            ""
        };
        Self {
            path: kind.name.to_owned(),
            name: kind.name.to_owned(),
            doc: format!("{} It gives {}.{tensors}", kind.doc, kind.gives),
            default: String::new(),
            accepts: String::new(),
            shape: Some(Shape::Table(Table {
                fields: settings_of(kind),
                ..Table::default()
            })),
        }
    }

    /// What is asked for by one more word.
    pub(super) fn below(&self, name: &str) -> Option<Self> {
        self.parts().into_iter().find(|part| part.name == name)
    }

    /// Its settings, or the values it may have.
    pub(super) fn parts(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        if let Some(shape) = &self.shape {
            self.collect(shape, &mut parts);
        }
        parts
    }

    fn collect(&self, shape: &Shape, parts: &mut Vec<Self>) {
        match shape {
            Shape::Table(table) => parts.extend(table.fields.iter().map(|f| self.field(f))),
            Shape::OneOf(OneOf { variants, .. }) => {
                for variant in variants {
                    // A word that may be a table too is told once.
                    parts.retain(|part| part.name != variant.name);
                    parts.push(self.variant(variant));
                }
            }
            Shape::Word(words) => parts.extend(words.iter().map(|word| self.word(word))),
            Shape::List { item, .. } => self.collect(item, parts),
            Shape::Ways(ways) => ways.iter().for_each(|way| self.collect(way, parts)),
            _ => {}
        }
    }

    fn field(&self, field: &Field) -> Self {
        Self {
            path: format!("{}.{}", self.path, field.name),
            name: field.name.to_owned(),
            doc: field.doc.to_owned(),
            default: match (&field.default, field.unset, field.needed) {
                (_, _, true) => "needed".to_owned(),
                (Some(default), ..) => format!("default {default}"),
                (None, "", _) => String::new(),
                (None, unset, _) => format!("default: {unset}"),
            },
            accepts: field.accepts.clone(),
            shape: Some(field.shape.clone()),
        }
    }

    fn variant(&self, variant: &Variant) -> Self {
        let accepts = match variant.example {
            "" => variant.shape.in_words(),
            example => format!("`{example}`"),
        };
        Self {
            path: format!("{}.{}", self.path, variant.name),
            name: variant.name.to_owned(),
            doc: variant.doc.to_owned(),
            default: String::new(),
            accepts,
            shape: Some(variant.shape.clone()),
        }
    }

    fn word(&self, word: &Word) -> Self {
        Self {
            path: format!("{}.{}", self.path, word.name),
            name: word.name.to_owned(),
            doc: word.doc.to_owned(),
            default: String::new(),
            accepts: String::new(),
            shape: None,
        }
    }

    /// All of it, no line wider than `width` columns where words allow it.
    pub(super) fn text(&self, width: usize) -> String {
        let mut text = self.head();
        text.push('\n');
        text += &wrapped(&self.doc, 2, width);
        if !self.accepts.is_empty() {
            text += &wrapped(&format!("Accepted: {}.", self.accepts), 2, width);
        }
        let parts = self.parts();
        if parts.iter().any(|part| !part.doc.is_empty()) {
            text.push('\n');
            for part in &parts {
                text += &part.entry(width);
            }
        }
        let has_settings = |part: &&Self| part.parts().iter().any(|p| !p.accepts.is_empty());
        let more = parts.iter().find(has_settings);
        if let Some(more) = more.or(parts.iter().find(|part| !part.parts().is_empty())) {
            let _ = write!(text, "\nMore of each, such as: kfood help {}\n", more.path);
        }
        text
    }

    fn head(&self) -> String {
        match self.default.as_str() {
            "" => self.path.clone(),
            default => format!("{} ({default})", self.path),
        }
    }

    /// It among others: what it is called, what it does, what is accepted.
    fn entry(&self, width: usize) -> String {
        let mut text = match self.default.as_str() {
            "" => format!("  {}\n", self.name),
            default => wrapped(&format!("{} ({default})", self.name), 2, width),
        };
        text += &wrapped(&self.doc, 6, width);
        if !self.accepts.is_empty() {
            text += &wrapped(&format!("Accepted: {}.", self.accepts), 6, width);
        }
        text
    }
}

/// The kinds of stages, each with what it is.
pub(super) fn kinds(width: usize) -> String {
    let mut text = "Kinds of stages:\n".to_owned();
    for kind in &KINDS {
        let _ = writeln!(text, "  {}", kind.name);
        text += &wrapped(kind.doc, 6, width);
    }
    text + "\nMore of each: kfood help train, kfood help train.optimizer\n"
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    /// Every topic, from the kinds down.
    fn all() -> Vec<Topic> {
        let mut topics: Vec<_> = KINDS.iter().map(Topic::of_kind).collect();
        let mut next = 0;
        while next < topics.len() {
            let parts = topics[next].parts();
            topics.extend(parts);
            next += 1;
        }
        topics
    }

    #[test]
    fn every_topic_fits_terminals_of_sixty_columns_and_more() {
        let topics = all();
        assert!(topics.len() > 300, "{}", topics.len());
        for width in [60, 80, 120] {
            for topic in &topics {
                for line in topic.text(width).lines() {
                    // A word alone cannot be cut, and neither can the path of a topic.
                    let fits = line.width() <= width || line.split_whitespace().count() == 1;
                    assert!(
                        fits || line.starts_with("More of each") || line == topic.head(),
                        "{width}: {line}"
                    );
                }
            }
        }
        assert!(kinds(60).lines().all(|line| line.width() <= 60));
    }

    #[test]
    fn a_setting_says_its_default_what_is_accepted_and_what_it_does() {
        let train = About::named("train").map(Topic::of_kind).unwrap();
        let size = train.below("batch_size").unwrap();
        let text = size.text(100);
        assert!(
            text.starts_with("train.batch_size (default 32)\n  Images in a step"),
            "{text}"
        );
        assert!(
            text.contains("Accepted: a whole number of at least 1."),
            "{text}"
        );
        let sgd = train
            .below("optimizer")
            .and_then(|o| o.below("sgd"))
            .unwrap();
        assert!(
            sgd.text(100).contains("  lr (needed)\n"),
            "{}",
            sgd.text(100)
        );
        let flip = train
            .below("augment")
            .and_then(|a| a.below("random_horizontal_flip"));
        assert!(flip.unwrap().text(100).contains("a number from 0 to 1"));
    }
}
