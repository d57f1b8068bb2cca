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

    /// Adds the values of a batch by its mean loss, its logits [n, classes] and its classes [n]; in place, so that it can be
    /// recorded. [`Tally::count`] its images beside it.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn add(&mut self, loss: &Tensor, logits: &Tensor, targets: &Tensor) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let n = targets.size1()?;
        let sum = loss.detach().f_to_kind(Kind::Double)?.f_mul_scalar(n)?;
        let _ = self.loss.f_add_(&sum)?;
        let right = logits.f_argmax(1, false)?.f_eq_tensor(targets)?;
        let _ = self.right.f_add_(&right.f_sum(Kind::Int64)?)?;
        Ok(())
    }

    /// Counts the images of a batch.
    pub(super) fn count(&mut self, images: usize) {
        self.images += images as u64;
    }

    /// Starts anew, in the same places.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn clear(&mut self) -> Result<()> {
        let _ = self.loss.f_zero_()?;
        let _ = self.right.f_zero_()?;
        self.images = 0;
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
