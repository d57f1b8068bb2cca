//! A look at what a training sees.

use serde::{Deserialize, Serialize};

use super::{Fit, ModelFile};

/// Writes `sheet.png` and `browsed.json` ([`Browsed`]) to the `out` of the training.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Browse {
    /// The training. Its state is neither read nor written.
    pub fit: Fit,
    /// The model whose normalisation a transfer keeps, where there is one already.
    #[serde(default)]
    pub source: Option<ModelFile>,
    /// The first epoch shown, from 1.
    pub epoch: u32,
    /// Epochs shown.
    pub epochs: u32,
    /// Photographs shown, spread over the training part.
    pub images: u32,
}

/// What a sheet shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Browsed {
    /// The place of each line's photograph in the data set; lines are numbered from 1.
    pub rows: Vec<usize>,
    /// The epochs behind the photograph itself.
    pub epochs: Vec<u32>,
}
