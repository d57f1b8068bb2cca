//! Photographs beside what is told of them, and counts behind which photographs stand.

use super::Text;
use crate::text::shown;

/// A photograph of a data set, by name: what is shown of it is looked up when a document is rendered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Photograph {
    /// The dataset instance that lists it.
    pub dataset: String,
    /// The preprocess instance whose pack holds it too.
    pub data: String,
    /// As in `images.json`.
    pub path: String,
}

/// A photograph with what is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    /// Which one.
    pub photograph: Photograph,
    /// Another one that it is to be held against.
    pub beside: Option<Photograph>,
    /// A line each; the first one is the most important.
    pub caption: Vec<Text>,
    /// Of a guess: whose, and which class, so that it can be shown what speaks for it.
    pub guess: Option<Guess>,
}

impl Shot {
    /// Its photograph, and the one beside it.
    pub fn photographs(&self) -> impl Iterator<Item = &Photograph> {
        std::iter::once(&self.photograph).chain(&self.beside)
    }

    /// The names of its photographs.
    pub(in crate::report) fn names(&self) -> impl Iterator<Item = String> {
        self.photographs().map(|photograph| shown(&photograph.path))
    }
}

/// A guess of a model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guess {
    /// The evaluation of the model.
    pub evaluation: String,
    /// The class.
    pub class: String,
}

/// How often each class was taken for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// As a model lists them.
    pub classes: Vec<String>,
    /// Their places in the order in which rows and columns stand; the same in all matrices that are held against each other.
    pub order: Vec<usize>,
    /// Over so many runs counts are added up.
    pub runs: usize,
    /// Those with a count, and those of the diagonal, row by row.
    pub cells: Vec<Cell>,
}

/// A count of a [`Matrix`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The class that the images are of, by its place.
    pub label: usize,
    /// The class that they were taken for.
    pub predicted: usize,
    /// How often, over all runs.
    pub count: u64,
    /// Photographs that are to be shown of it.
    pub images: usize,
    /// Those of them that there is room for.
    pub shots: Vec<Shot>,
}

/// Shares with their intervals, one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    /// What the shares are of.
    pub title: Text,
    /// From top to bottom.
    pub ranges: Vec<Range>,
}

/// One share with its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// What it is a share of, such as a class.
    pub name: String,
    /// From 0 to 1.
    pub value: f64,
    /// Lower end of its 95% interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The images that it is a share of.
    pub images: u64,
}
