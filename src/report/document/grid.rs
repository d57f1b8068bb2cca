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
    /// What becomes of it in a narrow terminal.
    pub place: Place,
}

/// What becomes of a column where a table is wider than a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// It stays.
    #[default]
    Needed,
    /// It is left out, those on the right first.
    Extra,
    /// It holds names, which are shortened in the middle.
    Names,
    /// The rows are told one below the other, each under its cell of this column.
    Heading,
    /// In a narrow window the rows are told one below the other, each cell behind the name of its column, this one too.
    Named,
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
            place: Place::default(),
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

    /// The same as one that is left out of a terminal that has no room for it.
    #[must_use]
    pub fn extra(self) -> Self {
        Self {
            place: Place::Extra,
            ..self
        }
    }

    /// The same as one of names that are shortened in the middle where there is no room for them.
    #[must_use]
    pub fn names(self) -> Self {
        Self {
            place: Place::Names,
            ..self
        }
    }

    /// The same as the one that rows stand under in a narrow terminal.
    #[must_use]
    pub fn heading(self) -> Self {
        Self {
            place: Place::Heading,
            ..self
        }
    }

    /// The same as one behind whose name its cells stand in a narrow window, as those of the other columns do.
    #[must_use]
    pub fn named(self) -> Self {
        Self {
            place: Place::Named,
            ..self
        }
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
