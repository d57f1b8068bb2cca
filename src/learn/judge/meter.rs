//! A pass over images that sums up how good a model is.

use tch::{Device, Tensor};

use super::{cross_entropy::cross_entropy, progress::Progress, tally::Tally};
use crate::{error::Result, record::Measure, stop::Stop};

/// Loss and accuracy over the batches of a pass in evaluation mode.
pub(crate) struct Meter<'a> {
    tally: Tally,
    progress: Progress<'a>,
    stop: &'a Stop,
}

impl<'a> Meter<'a> {
    /// Of nothing yet.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn new(device: Device, progress: Progress<'a>, stop: &'a Stop) -> Result<Self> {
        let tally = Tally::new(device)?;
        Ok(Self {
            tally,
            progress,
            stop,
        })
    }

    /// Adds a batch by its logits, f32 [n, classes], and its classes, i64 [n], both on the device; tells how far the pass is.
    ///
    /// # Errors
    /// When a stop was requested, or libtorch refuses.
    pub(crate) fn add(&mut self, logits: &Tensor, classes: &Tensor) -> Result<()> {
        self.stop.check()?;
        let loss = cross_entropy(logits, classes, None, 0.0)?;
        self.tally.add(&loss, logits, classes)?;
        self.tally
            .count(usize::try_from(classes.size1()?).unwrap_or_default());
        self.progress.at(self.tally.images());
        Ok(())
    }

    /// The means over the pass; waits for the device. The loss may be no number.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn read(&self) -> Result<Measure> {
        self.tally.read()
    }
}
