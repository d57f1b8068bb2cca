//! Pictures beside [`Curve`]: what is to be read of each stands beside it as text or a table.

use super::{Axis, Curve, Matrix, Ranges, Unit};

/// What a page draws and other forms leave out.
#[derive(Clone, Debug, PartialEq)]
pub enum Drawing {
    /// Which class was taken for which, and the photographs behind it.
    Matrix(Matrix),
    /// Shares with intervals.
    Ranges(Ranges),
    /// Points by two values.
    Scatter(Scatter),
    /// Lines over several upright axes.
    Parallel(Parallel),
    /// Small curves side by side.
    Multiples(Multiples),
    /// What is made from what.
    Flow(Flow),
    /// When things were done.
    Timeline(Timeline),
}

/// Points by two values.
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// What runs from left to right.
    pub x: Axis,
    /// What runs from below to above.
    pub y: Axis,
    /// The name, x and y of each.
    pub points: Vec<(String, f64, f64)>,
}

/// Lines over several upright axes, one for each recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Parallel {
    /// From left to right.
    pub axes: Vec<Upright>,
    /// Name and a value on each axis; of words their place.
    pub lines: Vec<(String, Vec<f64>)>,
}

/// One axis of a [`Parallel`].
#[derive(Clone, Debug, PartialEq)]
pub struct Upright {
    /// What stands on it.
    pub name: String,
    /// What its values are.
    pub unit: Unit,
    /// The words that stand on it, from below to above; none where it holds numbers.
    pub words: Vec<String>,
}

/// Small curves side by side, over the same axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Multiples {
    /// Each with its name.
    pub panels: Vec<(String, Curve)>,
}

/// What is made from what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// In an order in which each comes behind what it is made from.
    pub nodes: Vec<Node>,
    /// From and to, by place in `nodes`.
    pub edges: Vec<(usize, usize)>,
}

/// One thing of a [`Flow`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// A word or two below it.
    pub told: String,
    /// Whether it is as it ought to be.
    pub good: bool,
}

/// When things were done.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The name, start and end of each in seconds from the first start on, in the order of starting.
    pub spans: Vec<(String, f64, f64)>,
}
