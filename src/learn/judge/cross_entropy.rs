//! The mean cross entropy, by which every model is judged, whatever it was trained with.

use tch::{Reduction, Tensor};

use crate::error::Result;

/// PyTorch's `cross_entropy` of logits, f32 [n, classes], against classes, i64 [n], or distributions, f32 [n, classes]; a scalar.
/// `weights`: how much each class counts, f32 [classes].
///
/// # Errors
/// When libtorch refuses.
pub(crate) fn cross_entropy(
    logits: &Tensor,
    targets: &Tensor,
    weights: Option<&Tensor>,
    label_smoothing: f64,
) -> Result<Tensor> {
    // -100 is PyTorch's "ignore this one", which no class is.
    Ok(logits.f_cross_entropy_loss(targets, weights, Reduction::Mean, -100, label_smoothing)?)
}
