//! One pass over images: a training epoch, or validation.

use super::{
    criterion::cross_entropy,
    loader::Loader,
    optimizer::Optimizer,
    progress::Progress,
    schedule::{Moment, learning_rate, momentum},
    step::{Arithmetic, Stepper},
    tally::Tally,
};
use crate::{
    error::{Error, Result},
    event::Tell,
    model::ResNet,
    record::{Epoch, Measure},
    stop::Stop,
};

/// What every pass of a training needs.
pub(super) struct Pass<'a> {
    pub(super) loader: Loader<'a>,
    pub(super) arithmetic: Arithmetic,
    pub(super) tell: Tell<'a>,
    pub(super) stop: &'a Stop,
}

impl Pass<'_> {
    /// Epoch `epoch` (from 1) of training after the epochs `before`, with the learning rate of its first step.
    ///
    /// # Errors
    /// When a stop was requested, the loss is no longer a number, or libtorch refuses.
    pub(super) fn train(
        &self,
        model: &ResNet,
        optimizer: &mut Optimizer,
        stepper: &mut Stepper,
        epoch: u32,
        before: &[Epoch],
    ) -> Result<(f64, Measure)> {
        let batches = self.loader.order(epoch);
        let training = self.loader.training;
        let (schedule, base) = (&training.schedule, training.optimizer.lr());
        let first = Moment {
            epoch: epoch - 1,
            epochs: training.epochs.get(),
            step: 0,
            steps: batches.len() as u32,
        };
        let mut at = first;
        let mut progress = self.progress(epoch, "", batches.iter().map(Vec::len).sum());
        stepper.begin(&batches.iter().map(Vec::len).collect::<Vec<_>>())?;
        self.loader.training(&batches, epoch, |batch| {
            self.stop.check()?;
            let lr = learning_rate(schedule, base, at, before);
            if let Some(momentum) = momentum(schedule, at) {
                optimizer.set_momentum(momentum);
            }
            stepper.step(model, optimizer, &batch, lr)?;
            at.step += 1;
            if progress.at(stepper.images()) {
                self.check(stepper.read()?, epoch)?;
            }
            Ok(())
        })?;
        let measure = self.check(stepper.read()?, epoch)?;
        Ok((learning_rate(schedule, base, first, before), measure))
    }

    /// The validation part under the transform of evaluation; `None` where there is none.
    ///
    /// # Errors
    /// As [`Pass::train`].
    pub(super) fn validate(&self, model: &ResNet, epoch: u32) -> Result<Option<Measure>> {
        let batches = self.loader.validation();
        if batches.is_empty() {
            return Ok(None);
        }
        let _guard = tch::no_grad_guard();
        let images = batches.iter().map(Vec::len).sum();
        let mut progress = self.progress(epoch, ", validation", images);
        let mut tally = Tally::new(self.arithmetic.device)?;
        self.loader.evaluation(&batches, |batch| {
            self.stop.check()?;
            let logits = self.arithmetic.forward(model, &batch.images, false)?;
            let classes = &batch.targets.classes;
            tally.add(&cross_entropy(&logits, classes, 0.0)?, &logits, classes)?;
            tally.count(batch.len());
            progress.at(tally.images());
            Ok(())
        })?;
        self.check(tally.read()?, epoch).map(Some)
    }

    fn progress(&self, epoch: u32, pass: &str, images: usize) -> Progress<'_> {
        let what = format!("epoch {epoch}/{}{pass}", self.loader.training.epochs.get());
        Progress::new(self.tell, what, images)
    }

    fn check(&self, measure: Measure, epoch: u32) -> Result<Measure> {
        if measure.loss.is_finite() {
            return Ok(measure);
        }
        Err(Error::failed(format!(
            "the loss is no longer a number ({}) in epoch {epoch} of {}",
            measure.loss,
            self.loader.training.epochs.get()
        ))
        .help("lower `lr`, add warm-up (`schedule.constant = { warmup_epochs = 3 }`), or set `normalize`"))
    }
}
