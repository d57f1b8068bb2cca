//! Values over another value.

/// Lines in one picture, over one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What runs from left to right.
    pub x: Axis,
    /// What runs from below to above.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
}

/// One direction of a curve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What is measured.
    pub name: String,
    /// In what.
    pub unit: Unit,
    /// How its values are spread.
    pub scale: Scale,
}

/// What the values of an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Plain numbers.
    Number,
    /// Shares from 0 to 1, to be shown as percentages.
    Share,
}

/// How the values of an axis are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences take equal room.
    Linear,
    /// Equal ratios take equal room.
    Logarithmic,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is of.
    pub name: String,
    /// Each an x and a y, in the order of x.
    pub points: Vec<(f64, f64)>,
    /// What is to be seen, in a few words.
    pub in_words: String,
}

impl Axis {
    /// With linear spacing.
    #[must_use]
    pub fn linear(name: &str, unit: Unit) -> Self {
        Self {
            name: name.to_owned(),
            unit,
            scale: Scale::Linear,
        }
    }

    /// With logarithmic spacing.
    #[must_use]
    pub fn logarithmic(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            unit: Unit::Number,
            scale: Scale::Logarithmic,
        }
    }
}
