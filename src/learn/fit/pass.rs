//! One pass over images: a training epoch, or validation.

use tch::Tensor;

use super::{
    divergence::{START, Watch},
    keep::Keep,
    learner::Learner,
    step::Stepper,
};
use crate::{
    error::Result,
    event::Tell,
    learn::{
        feed::Loader,
        judge::{Arithmetic, Progress, Tally, cross_entropy},
        optimize::{Moment, learning_rate, momentum},
    },
    model::{Mode, Network},
    record::Measure,
    stop::Stop,
};

/// What every pass of a training needs.
pub(crate) struct Pass<'a> {
    pub(crate) loader: Loader<'a>,
    pub(crate) arithmetic: Arithmetic,
    pub(crate) tell: Tell<'a>,
    pub(crate) stop: &'a Stop,
}

impl Pass<'_> {
    /// An epoch of training, with the learning rate of its first step; from the step that `keep` knows on. It keeps the state
    /// when that is due and where a stop was requested.
    ///
    /// # Errors
    /// When a stop was requested, the training is lost, or libtorch or the disk refuses.
    pub(crate) fn train(
        &self,
        learner: &mut Learner,
        watch: &Watch<'_>,
        keep: &mut Keep<'_>,
    ) -> Result<(f64, Measure)> {
        let batches = self.loader.order(watch.epoch);
        let training = self.loader.training;
        let schedule = &training.schedule;
        let steps = batches.len() as u32;
        // A schedule counts the steps of the optimizer.
        let accumulation = training.accumulation_steps.get();
        let moment = |batch: u32| Moment {
            epoch: watch.epoch - 1,
            epochs: watch.of,
            step: batch / accumulation,
            steps: steps.div_ceil(accumulation),
        };
        let lr = |batch| {
            let at = moment(batch);
            learning_rate(schedule, training.optimizer.lr(), at, watch.before)
        };
        let done = keep.done();
        let check = |stepper: &Stepper, done: u32, first_steps| -> Result<Measure> {
            let measure = stepper.read()?;
            if !measure.loss.is_finite() {
                let step = stepper.lost()?.unwrap_or(u64::from(done));
                let at = u32::try_from(step - 1).unwrap_or(done);
                return Err(watch.not_finite(step, steps, lr(at)));
            }
            let start = watch.start(first_steps);
            if watch.diverges(measure, done, done == steps, start) {
                return Err(watch.diverged(measure.loss, start, done, lr(done - 1)));
            }
            Ok(measure)
        };
        let mut progress = self.progress(watch, "", batches.iter().map(Vec::len).sum());
        let rest = batches.get(done..).unwrap_or_default();
        if done == 0 {
            learner.stepper.begin()?;
        }
        learner
            .stepper
            .expect(&rest.iter().map(Vec::len).collect::<Vec<_>>());
        let mut done = done as u32;
        self.loader.training(rest, watch.epoch, |batch| {
            // Gradients that are not yet used up are in no saved state.
            if self.stop.requested() && learner.stepper.is_between() {
                check(&learner.stepper, done, keep.first_steps)?;
                keep.keep(learner, done as usize)?;
                self.stop.check()?;
            }
            if let Some(momentum) = momentum(schedule, moment(done)) {
                learner.optimizer.set_momentum(momentum);
            }
            learner.step(&batch, lr(done))?;
            done += 1;
            // The first epoch has no epoch before it that says how it began; one look, for the whole training.
            if done == START && watch.before.is_empty() {
                keep.first_steps = Some(check(&learner.stepper, done, None)?.loss);
            }
            if progress.at(learner.stepper.images()) {
                check(&learner.stepper, done, keep.first_steps)?;
            }
            if keep.due() && learner.stepper.is_between() {
                check(&learner.stepper, done, keep.first_steps)?;
                keep.keep(learner, done as usize)?;
            }
            Ok(())
        })?;
        let measure = check(&learner.stepper, done, keep.first_steps)?;
        // The loss of the last step was that of the weights before it.
        if !finite(&learner.model)? {
            return Err(watch.weights_not_finite(lr(done.saturating_sub(1))));
        }
        Ok((lr(0), measure))
    }

    /// The validation part under the transform of evaluation; `None` where there is none.
    ///
    /// # Errors
    /// As [`Pass::train`].
    pub(crate) fn validate(&self, model: &Network, watch: &Watch<'_>) -> Result<Option<Measure>> {
        let batches = self.loader.validation();
        if batches.is_empty() {
            return Ok(None);
        }
        let _guard = tch::no_grad_guard();
        let images = batches.iter().map(Vec::len).sum();
        let mut progress = self.progress(watch, ", validation", images);
        let mut tally = Tally::new(self.arithmetic.device)?;
        self.loader.evaluation(&batches, |batch| {
            self.stop.check()?;
            let logits = self
                .arithmetic
                .forward(model, &batch.images, Mode::Evaluation)?;
            let classes = &batch.targets.classes;
            tally.add(
                &cross_entropy(&logits, classes, None, 0.0)?,
                &logits,
                classes,
            )?;
            tally.count(batch.len());
            progress.at(tally.images());
            Ok(())
        })?;
        let measure = tally.read()?;
        if !measure.loss.is_finite() {
            return Err(watch.validation_not_finite());
        }
        Ok(Some(measure))
    }

    fn progress(&self, watch: &Watch<'_>, pass: &str, images: usize) -> Progress<'_> {
        let what = format!("epoch {}/{}{pass}", watch.epoch, watch.of);
        Progress::new(self.tell, what, images)
    }
}

/// Whether all trained weights are numbers; waits for the device.
fn finite(model: &Network) -> Result<bool> {
    let _guard = tch::no_grad_guard();
    let mut all = Vec::new();
    for (_, weights) in model.trainable() {
        all.push(weights.f_isfinite()?.f_all()?);
    }
    if all.is_empty() {
        return Ok(true);
    }
    Ok(bool::try_from(Tensor::f_stack(&all, 0)?.f_all()?)?)
}
