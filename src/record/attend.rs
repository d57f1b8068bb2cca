//! A look at where a model finds its evidence.

use serde::{Deserialize, Serialize};

use super::Evaluate;

/// Writes `0.jpg`, `1.jpg` and so on to the `out` of the evaluation: each image as the model sees it, with what speaks for the class lit up;
/// and `attention.json` ([`Attention`]).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attend {
    /// The evaluation. Only its model and its data are used; the model is one, and no ensemble.
    pub evaluate: Evaluate,
    /// The images by their place in the data set, each with the class that is asked for.
    pub images: Vec<(usize, usize)>,
}

/// What speaks for the classes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attention {
    /// Of each map.
    pub height: usize,
    /// Of each map.
    pub width: usize,
    /// For each image a value for each place, row by row, at least 0.
    pub maps: Vec<Vec<f32>>,
}
