//! What a checkpoint says about itself: JSON under the key `kfood` in the metadata of a safetensors file.

use serde::{Deserialize, Serialize};

use super::Epoch;
use crate::{
    digest::Digest,
    settings::{Arch, MeanStd, Pixels},
};

/// The metadata of a checkpoint: enough to use it without its pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointInfo {
    /// The format of this text; 1.
    pub format: u32,
    /// The architecture.
    pub arch: Arch,
    /// Class names in the order of the head's outputs.
    pub classes: Vec<String>,
    /// What happens to a photograph before the model.
    pub transform: Transform,
    /// The epoch it was saved after, with its figures.
    pub epoch: Epoch,
    /// What data it saw.
    pub provenance: Provenance,
}

/// From photograph to input: decode, resize, centre crop, resize again, normalise.
///
/// The second resize is bilinear without antialias, as `torch.nn.functional.interpolate(x, size, mode="bilinear")`. Where a side
/// shrinks to less than half, to `interpolate` at `n` times the size follows `avg_pool2d(x, n)`, `n` being the ratio rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transform {
    /// The size of a row, and how a photograph comes to it.
    pub pixels: Pixels,
    /// The central square cut out after the resize, side in pixels.
    pub center_crop: Option<u32>,
    /// What the shorter side is resized to then, in pixels; the aspect is kept, the longer side rounded down (torchvision's
    /// `Resize`). As it is if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_resolution: Option<u32>,
    /// Normalisation.
    pub normalize: MeanStd,
}

/// The digests of what a model was trained on, its source's too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Of the pack's pixels.
    pub pack: Digest,
    /// Of `labels.json`.
    pub labels: Digest,
    /// Of `membership.json`.
    pub split: Digest,
    /// The fold that validated.
    pub fold: Option<u32>,
    /// Of the checkpoint that the training started from.
    pub source: Option<Digest>,
}
