//! One pass over images: a training epoch, or validation.

use super::{
    criterion::cross_entropy, keep::Keep, learner::Learner, loader::Loader, progress::Progress,
    step::Arithmetic, tally::Tally,
};
use crate::{
    error::{Error, Result},
    event::Tell,
    model::ResNet,
    record::Measure,
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
    /// Epoch `epoch` (from 1) of training, at this learning rate, from the step that `keep` knows on; it keeps the state
    /// when it is due and where a stop was requested.
    ///
    /// # Errors
    /// When a stop was requested, the loss is no longer a number, or libtorch or the disk refuses.
    pub(super) fn train(
        &self,
        learner: &mut Learner,
        epoch: u32,
        lr: f64,
        keep: &mut Keep<'_>,
    ) -> Result<Measure> {
        let batches = self.loader.order(epoch);
        let mut done = keep.done();
        let mut progress = self.progress(epoch, "", batches.iter().map(Vec::len).sum());
        if done == 0 {
            learner.stepper.begin()?;
        }
        let rest = batches.get(done..).unwrap_or_default();
        self.loader.training(rest, epoch, |batch| {
            if self.stop.requested() {
                self.check(learner.stepper.read()?, epoch)?;
                keep.keep(learner, done)?;
            }
            self.stop.check()?;
            learner.step(&batch, lr)?;
            done += 1;
            if progress.at(learner.stepper.images()) {
                self.check(learner.stepper.read()?, epoch)?;
            }
            if keep.due() {
                self.check(learner.stepper.read()?, epoch)?;
                keep.keep(learner, done)?;
            }
            Ok(())
        })?;
        self.check(learner.stepper.read()?, epoch)
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
