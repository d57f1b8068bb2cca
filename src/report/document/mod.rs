//! What is told, as data and without any markup: blocks of text, tables, curves and pictures. It is filled once from results;
//! [`super::render`] turns it into Markdown or lines for a terminal.

mod curve;
mod grid;
mod photographs;
mod plots;
mod text;

use std::collections::BTreeSet;

use super::Language;
use crate::text::and_more;

pub use curve::{Axis, Curve, Scale, Series, Unit};
pub use grid::{Align, Column, Grid, Place};
pub use photographs::{Cell, Guess, Matrix, Photograph, Range, Ranges, Shot};
pub use plots::{Drawing, Flow, Multiples, Node, Parallel, Scatter, Timeline, Upright};
pub use text::{Span, Text};

/// Blocks from top to bottom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// In the order of reading.
    pub blocks: Vec<Block>,
    /// In which language its sentences are.
    pub language: Language,
}

/// One piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// The beginning of a chapter.
    Heading {
        /// 1 for the whole document, 2 for a chapter, 3 for a part of it.
        level: u8,
        /// What it is about.
        text: Text,
    },
    /// A sentence or a few.
    Paragraph(Text),
    /// Something that is probably not as wanted.
    Warning(Text),
    /// Items of equal rank.
    List(Vec<Text>),
    /// A table, and what its signs mean.
    Table {
        /// Rows and columns.
        grid: Grid,
        /// A sentence each.
        notes: Vec<Text>,
    },
    /// Values over another value.
    Curve(Curve),
    /// How many of something are in each of several steps.
    Bars {
        /// What is counted, and over what.
        title: Text,
        /// Each step with its count.
        bars: Vec<(String, u64)>,
    },
    /// Photographs side by side.
    Gallery(Vec<Shot>),
    /// Something that is only drawn: what of it is to be read stands beside it as text or a table.
    Drawn(Drawing),
    /// Text that keeps its lines, such as a file.
    Verbatim(String),
    /// A picture in a file.
    Picture {
        /// The file, relative to the document.
        path: String,
        /// What is to be seen, for those who cannot see it.
        alt: Text,
    },
}

impl Document {
    /// Of blocks.
    #[must_use]
    pub fn new(blocks: Vec<Block>) -> Self {
        let language = Language::default();
        Self { blocks, language }
    }

    /// Every photograph that is shown somewhere, once.
    #[must_use]
    pub fn photographs(&self) -> BTreeSet<&Photograph> {
        let shots = self.blocks.iter().flat_map(Block::shots);
        shots.flat_map(Shot::photographs).collect()
    }
}

impl Document {
    /// Every guess in a gallery, once, with its photograph.
    #[must_use]
    pub fn guesses(&self) -> BTreeSet<(&Guess, &Photograph)> {
        let galleries = self
            .blocks
            .iter()
            .filter(|block| matches!(block, Block::Gallery(_)));
        let shots = galleries.flat_map(Block::shots);
        let guesses = shots.filter_map(|shot| Some((shot.guess.as_ref()?, &shot.photograph)));
        guesses.collect()
    }
}

impl Block {
    /// The photographs in it.
    fn shots(&self) -> Vec<&Shot> {
        match self {
            Self::Gallery(shots) => shots.iter().collect(),
            Self::Drawn(Drawing::Matrix(matrix)) => {
                matrix.cells.iter().flat_map(|c| &c.shots).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A heading.
    pub fn heading(level: u8, text: impl Into<Text>) -> Self {
        let text = text.into();
        Self::Heading { level, text }
    }

    /// A paragraph.
    pub fn paragraph(text: impl Into<Text>) -> Self {
        Self::Paragraph(text.into())
    }

    /// A warning.
    pub fn warning(text: impl Into<Text>) -> Self {
        Self::Warning(text.into())
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// The first `most` items, and how many more there are; `rest` says where those are, and may be empty.
    pub fn first_of(items: impl ExactSizeIterator<Item = String>, most: usize, rest: &str) -> Self {
        let more = items.len().saturating_sub(most);
        let mut few: Vec<Text> = items.take(most).map(Text::from).collect();
        if more > 0 {
            few.push((and_more(more as u64) + rest).into());
        }
        Self::List(few)
    }

    /// A table whose signs explain themselves.
    #[must_use]
    pub fn table(grid: Grid) -> Self {
        let notes = Vec::new();
        Self::Table { grid, notes }
    }
}

impl From<Block> for Document {
    fn from(block: Block) -> Self {
        Self::new(vec![block])
    }
}
