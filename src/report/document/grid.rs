//! Text in rows and columns.

use std::borrow::Cow;

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// From left to right.
    pub columns: Vec<Column>,
    /// As many cells as columns; what is literal stands in backticks.
    pub rows: Vec<Vec<String>>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Where its text stands.
    pub align: Align,
    /// What it holds, in a sentence, where its name does not say it.
    pub meaning: Option<Cow<'static, str>>,
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// For words.
    Left,
    /// For numbers.
    Right,
}

impl Grid {
    /// Without rows.
    #[must_use]
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let column = |(name, align): &(&str, Align)| Column::new(*name, *align);
        Self::of(columns.iter().map(column))
    }

    /// Without rows, of columns that explain themselves.
    pub fn of(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }
}

impl Column {
    /// A column whose name says it all.
    pub fn new(name: impl Into<String>, align: Align) -> Self {
        Self {
            name: name.into(),
            align,
            meaning: None,
        }
    }

    /// A column of words.
    pub fn left(name: impl Into<String>) -> Self {
        Self::new(name, Align::Left)
    }

    /// A column of numbers.
    pub fn right(name: impl Into<String>) -> Self {
        Self::new(name, Align::Right)
    }

    /// The same with what it holds.
    #[must_use]
    pub fn meaning(self, sentence: &'static str) -> Self {
        Self {
            meaning: Some(Cow::Borrowed(sentence)),
            ..self
        }
    }
}
