//! Loss and right guesses of a pass, summed on the device: reading them is the only synchronisation.

use tch::{Device, Kind, Tensor};

use crate::{error::Result, record::Measure};

/// Sums over the images of a pass.
pub(super) struct Tally {
    /// f64 scalar.
    loss: Tensor,
    /// i64 scalar.
    right: Tensor,
    images: u64,
}

impl Tally {
    pub(super) fn new(device: Device) -> Result<Self> {
        Ok(Self {
            loss: Tensor::f_zeros([], (Kind::Double, device))?,
            right: Tensor::f_zeros([], (Kind::Int64, device))?,
            images: 0,
        })
    }

    /// Adds a batch by its mean loss, its logits [n, classes] and its classes [n].
    pub(super) fn add(&mut self, loss: &Tensor, logits: &Tensor, targets: &Tensor) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let n = targets.size1()?;
        let sum = loss.detach().f_to_kind(Kind::Double)?.f_mul_scalar(n)?;
        self.loss = self.loss.f_add(&sum)?;
        let right = logits.f_argmax(1, false)?.f_eq_tensor(targets)?;
        self.right = self.right.f_add(&right.f_sum(Kind::Int64)?)?;
        self.images += n.unsigned_abs();
        Ok(())
    }

    /// Images so far.
    pub(super) fn images(&self) -> u64 {
        self.images
    }

    /// The means over the pass so far; waits for the device.
    pub(super) fn read(&self) -> Result<Measure> {
        let n = self.images.max(1) as f64;
        Ok(Measure {
            loss: f64::try_from(&self.loss)? / n,
            top1: i64::try_from(&self.right)? as f64 / n,
        })
    }
}
