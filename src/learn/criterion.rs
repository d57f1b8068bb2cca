//! The loss of a batch.

use tch::{Reduction, Tensor};

use super::loader::Targets;
use crate::{error::Result, settings::Training};

/// What a training minimises.
pub(super) struct Criterion {
    label_smoothing: f64,
}

impl Criterion {
    /// The loss of a training.
    pub(super) fn of(training: &Training) -> Self {
        Self {
            label_smoothing: training.label_smoothing.get(),
        }
    }

    /// The mean loss over a batch, a scalar with a gradient; `logits` are f32 [n, classes].
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn loss(&self, logits: &Tensor, targets: &Targets) -> Result<Tensor> {
        cross_entropy(logits, &targets.classes, self.label_smoothing)
    }
}

/// Mean softmax cross entropy, by which every model is judged, whatever it was trained with.
pub(super) fn cross_entropy(
    logits: &Tensor,
    classes: &Tensor,
    label_smoothing: f64,
) -> Result<Tensor> {
    // -100 is PyTorch's "ignore this one", which no class is.
    Ok(logits.f_cross_entropy_loss::<Tensor>(
        classes,
        None,
        Reduction::Mean,
        -100,
        label_smoothing,
    )?)
}
