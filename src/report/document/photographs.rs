//! Photographs beside what is told of them, and counts behind which photographs stand.

use super::Text;

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
    /// A line each; the first one is the most important.
    pub caption: Vec<Text>,
    /// Of a guess: whose, and which class, so that it can be shown what speaks for it.
    pub guess: Option<Guess>,
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
    /// In the order of rows and columns.
    pub classes: Vec<String>,
    /// Those with a count, row by row.
    pub cells: Vec<Cell>,
}

/// A count of a [`Matrix`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The class that the images are of, by its place.
    pub label: usize,
    /// The class that they were taken for.
    pub predicted: usize,
    /// How many, over all runs.
    pub count: u64,
    /// Some of them, or all.
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
    /// Of what.
    pub name: String,
    /// From 0 to 1.
    pub value: f64,
    /// Lower end of its 95% interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Of how many images.
    pub images: u64,
}
