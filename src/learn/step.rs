//! One step of a training: forward, loss, backward, optimizer.

use tch::{Device, Kind, Tensor};

use super::{criterion::Criterion, loader::Batch, optimizer::Optimizer};
use crate::{error::Result, model::ResNet, native::Autocast};

/// The arithmetic of a model's passes.
#[derive(Clone, Copy)]
pub(super) struct Arithmetic {
    pub(super) device: Device,
    /// Convolutions and matrix products in bf16.
    pub(super) bf16: bool,
}

impl Arithmetic {
    /// Logits in f32, whatever the arithmetic.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn forward(self, model: &ResNet, images: &Tensor, train: bool) -> Result<Tensor> {
        let autocast = if self.bf16 {
            Some(Autocast::bf16(self.device)?)
        } else {
            None
        };
        let logits = model.forward(images, train);
        drop(autocast);
        Ok(logits.f_to_kind(Kind::Float)?)
    }
}

/// What a step gives back, still on the device.
pub(super) struct Outcome {
    /// The mean loss, a scalar.
    pub(super) loss: Tensor,
    /// f32 [n, classes].
    pub(super) logits: Tensor,
}

/// Moves the model by one batch at this learning rate.
///
/// # Errors
/// When libtorch refuses.
pub(super) fn step(
    model: &ResNet,
    optimizer: &mut Optimizer,
    criterion: &Criterion,
    arithmetic: Arithmetic,
    batch: &Batch,
    lr: f64,
) -> Result<Outcome> {
    optimizer.clear_gradients()?;
    let logits = arithmetic.forward(model, &batch.images, true)?;
    let loss = criterion.loss(&logits, &batch.targets)?;
    loss.f_backward()?;
    optimizer.step(lr)?;
    Ok(Outcome {
        loss: loss.detach(),
        logits: logits.detach(),
    })
}
