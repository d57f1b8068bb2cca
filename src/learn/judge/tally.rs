//! Loss and right guesses of a pass, summed on the device: reading them is the only synchronisation.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::{error::Result, record::Measure};

/// The sums of a pass that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// Of the loss of each image.
    pub(crate) loss: f64,
    /// Right first guesses.
    pub(crate) right: i64,
    pub(crate) images: u64,
    pub(crate) steps: i64,
}

/// Sums over the images of a pass.
pub(crate) struct Tally {
    /// f64 scalar.
    loss: Tensor,
    /// i64 scalar.
    right: Tensor,
    /// i64 scalar: steps so far.
    steps: Tensor,
    /// i64 scalar: the first step, from 1, whose loss was no finite number; 0 for none.
    lost: Tensor,
    images: u64,
}

impl Tally {
    pub(crate) fn new(device: Device) -> Result<Self> {
        Ok(Self {
            loss: Tensor::f_zeros([], (Kind::Double, device))?,
            right: Tensor::f_zeros([], (Kind::Int64, device))?,
            steps: Tensor::f_zeros([], (Kind::Int64, device))?,
            lost: Tensor::f_zeros([], (Kind::Int64, device))?,
            images: 0,
        })
    }

    /// Adds the values of a batch by its mean loss, its logits [n, classes] and its classes [n]; in place, so that it can be
    /// recorded. [`Tally::count`] its images beside it.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn add(&mut self, loss: &Tensor, logits: &Tensor, targets: &Tensor) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let n = targets.size1()?;
        let sum = loss.detach().f_to_kind(Kind::Double)?.f_mul_scalar(n)?;
        let _ = self.loss.f_add_(&sum)?;
        let right = logits.f_argmax(1, false)?.f_eq_tensor(targets)?;
        let _ = self.right.f_add_(&right.f_sum(Kind::Int64)?)?;
        let _ = self.steps.f_add_scalar_(1)?;
        let lost = loss.detach().f_isfinite()?.f_logical_not()?;
        let first = lost.f_logical_and(&self.lost.f_eq(0)?)?;
        let _ = self.lost.f_add_(&self.steps.f_mul(&first)?)?;
        Ok(())
    }

    /// Counts the images of a batch.
    pub(crate) fn count(&mut self, images: usize) {
        self.images += images as u64;
    }

    /// Starts anew, in the same places.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn clear(&mut self) -> Result<()> {
        let _ = self.loss.f_zero_()?;
        let _ = self.right.f_zero_()?;
        let _ = self.steps.f_zero_()?;
        let _ = self.lost.f_zero_()?;
        self.images = 0;
        Ok(())
    }

    /// The sums so far; waits for the device.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn sums(&self) -> Result<Sums> {
        Ok(Sums {
            loss: f64::try_from(&self.loss)?,
            right: i64::try_from(&self.right)?,
            images: self.images,
            steps: i64::try_from(&self.steps)?,
        })
    }

    /// Goes on with these sums, in the same places; no step of them was lost.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn load(&mut self, sums: &Sums) -> Result<()> {
        let _ = self.loss.f_fill_(sums.loss)?;
        let _ = self.right.f_fill_(sums.right)?;
        let _ = self.steps.f_fill_(sums.steps)?;
        let _ = self.lost.f_zero_()?;
        self.images = sums.images;
        Ok(())
    }

    /// Images so far.
    pub(crate) fn images(&self) -> u64 {
        self.images
    }

    /// The first step, from 1, whose loss was no finite number; waits for the device.
    pub(crate) fn lost(&self) -> Result<Option<u64>> {
        Ok(u64::try_from(i64::try_from(&self.lost)?)
            .ok()
            .filter(|step| *step > 0))
    }

    /// The means over the pass so far; waits for the device.
    pub(crate) fn read(&self) -> Result<Measure> {
        let n = self.images.max(1) as f64;
        Ok(Measure {
            loss: f64::try_from(&self.loss)? / n,
            top1: i64::try_from(&self.right)? as f64 / n,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_without_a_number_is_remembered() {
        let device = Device::Cpu;
        let logits = Tensor::zeros([2, 3], (Kind::Float, device));
        let classes = Tensor::zeros([2], (Kind::Int64, device));
        let mut tally = Tally::new(device).unwrap();
        for loss in [1.0, 2.0, f32::NAN, 1.0, f32::INFINITY] {
            tally.add(&Tensor::from(loss), &logits, &classes).unwrap();
        }
        assert_eq!(tally.lost().unwrap(), Some(3));
        tally.clear().unwrap();
        tally.add(&Tensor::from(1.0), &logits, &classes).unwrap();
        assert_eq!(tally.lost().unwrap(), None);
    }

    #[test]
    fn sums_that_were_written_down_and_read_are_the_same_bits() {
        let mut tally = Tally::new(Device::Cpu).unwrap();
        let _ = tally.loss.fill_(0.1 + 0.2);
        let _ = tally.right.fill_(7);
        tally.count(9);
        let text = serde_json::to_string(&tally.sums().unwrap()).unwrap();
        let mut other = Tally::new(Device::Cpu).unwrap();
        other.load(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(other.sums().unwrap(), tally.sums().unwrap());
        assert_eq!(other.read().unwrap(), tally.read().unwrap());
    }
}
