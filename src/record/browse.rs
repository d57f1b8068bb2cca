//! A look at what a training sees.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Data, ModelFile};
use crate::settings::{Pixels, Training};

/// Writes `sheet.png` and `browsed.json` ([`Browsed`]) to `out`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Browse {
    /// What is trained on.
    pub data: Data,
    /// How the pack was made.
    pub pixels: Pixels,
    /// The training.
    pub training: Training,
    /// The model whose normalisation a transfer keeps, where there is one already.
    #[serde(default)]
    pub source: Option<ModelFile>,
    /// The first epoch shown, from 1.
    pub epoch: u32,
    /// Epochs shown.
    pub epochs: u32,
    /// Photographs shown, spread over the training part.
    pub images: u32,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// Threads of one tensor operation.
    pub threads: u32,
    /// Folder for the outputs.
    #[serde(with = "super::path")]
    pub out: PathBuf,
}

/// What a sheet shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Browsed {
    /// The place of each line's photograph in the data set; lines are numbered from 1.
    pub rows: Vec<usize>,
    /// The epochs behind the photograph itself.
    pub epochs: Vec<u32>,
}
