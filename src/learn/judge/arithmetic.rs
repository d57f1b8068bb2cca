//! The arithmetic of a model's passes: f32, or bf16 where that was asked for.

use tch::{Device, Kind, Tensor};

use crate::{
    error::Result,
    model::{Mode, Network},
    native::Autocast,
};

/// The arithmetic of a model's passes.
#[derive(Clone, Copy)]
pub(crate) struct Arithmetic {
    pub(crate) device: Device,
    /// Convolutions and matrix products in bf16.
    pub(crate) bf16: bool,
}

impl Arithmetic {
    /// Logits in f32, whatever the arithmetic.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn forward(
        self,
        model: &Network,
        images: &Tensor,
        mode: Mode<'_>,
    ) -> Result<Tensor> {
        let autocast = if self.bf16 {
            Some(Autocast::bf16(self.device)?)
        } else {
            None
        };
        let logits = model.forward(images, mode);
        drop(autocast);
        Ok(logits.f_to_kind(Kind::Float)?)
    }
}
