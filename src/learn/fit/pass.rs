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
        judge::{Arithmetic, Meter, Progress},
        optimize::{Moment, learning_rate, momentum},
    },
    model::{Mode, Network},
    record::Measure,
    settings::Training,
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
        let steps = Steps::new(self.loader.training, watch, batches.len() as u32);
        let mut progress = self.progress(watch, "", batches.iter().map(Vec::len).sum());
        let mut done = keep.done() as u32;
        let rest = batches.get(keep.done()..).unwrap_or_default();
        if done == 0 {
            learner.stepper.begin()?;
        }
        learner
            .stepper
            .expect(&rest.iter().map(Vec::len).collect::<Vec<_>>());
        self.loader.training(rest, watch.epoch, |batch| {
            // Gradients that are not yet used up are in no saved state.
            if self.stop.requested() && learner.stepper.is_between() {
                steps.check(&learner.stepper, done, keep.first_steps)?;
                keep.keep(learner, done as usize)?;
                self.stop.check()?;
            }
            if let Some(momentum) = steps.momentum(done) {
                learner.optimizer.set_momentum(momentum);
            }
            learner.step(&batch, steps.lr(done))?;
            done += 1;
            // The first epoch has no epoch before it that says how it began; one look, for the whole training.
            if done == START && watch.before.is_empty() {
                keep.first_steps = Some(steps.check(&learner.stepper, done, None)?.loss);
            }
            if progress.at(learner.stepper.images()) {
                steps.check(&learner.stepper, done, keep.first_steps)?;
            }
            if keep.due() && learner.stepper.is_between() {
                steps.check(&learner.stepper, done, keep.first_steps)?;
                keep.keep(learner, done as usize)?;
            }
            Ok(())
        })?;
        let measure = steps.check(&learner.stepper, done, keep.first_steps)?;
        // The loss of the last step was that of the weights before it.
        if !finite(&learner.model)? {
            return Err(watch.weights_not_finite(steps.lr(done.saturating_sub(1))));
        }
        Ok((steps.lr(0), measure))
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
        let progress = self.progress(watch, ", validation", images);
        let mut meter = Meter::new(self.arithmetic.device, progress, self.stop)?;
        self.loader.evaluation(&batches, |batch| {
            let logits = self
                .arithmetic
                .forward(model, &batch.images, Mode::Evaluation)?;
            meter.add(&logits, &batch.targets.classes)
        })?;
        let measure = meter.read()?;
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

/// The steps of an epoch: what the schedule gives each, and whether the training is lost at one.
struct Steps<'a> {
    training: &'a Training,
    watch: &'a Watch<'a>,
    /// Batches in the epoch.
    batches: u32,
}

impl<'a> Steps<'a> {
    fn new(training: &'a Training, watch: &'a Watch<'a>, batches: u32) -> Self {
        Self {
            training,
            watch,
            batches,
        }
    }

    /// A schedule counts the steps of the optimizer.
    fn moment(&self, batch: u32) -> Moment {
        let accumulation = self.training.accumulation_steps.get();
        Moment {
            epoch: self.watch.epoch - 1,
            epochs: self.watch.of,
            step: batch / accumulation,
            steps: self.batches.div_ceil(accumulation),
        }
    }

    fn lr(&self, batch: u32) -> f64 {
        let (schedule, lr) = (&self.training.schedule, self.training.optimizer.lr());
        learning_rate(schedule, lr, self.moment(batch), self.watch.before)
    }

    fn momentum(&self, batch: u32) -> Option<f64> {
        momentum(&self.training.schedule, self.moment(batch))
    }

    /// The means so far, behind `done` batches; an error where they are no numbers or far worse than the first steps'.
    fn check(&self, stepper: &Stepper, done: u32, first_steps: Option<f64>) -> Result<Measure> {
        let measure = stepper.read()?;
        if !measure.loss.is_finite() {
            let step = stepper.lost()?.unwrap_or(u64::from(done));
            let at = u32::try_from(step - 1).unwrap_or(done);
            return Err(self.watch.not_finite(step, self.batches, self.lr(at)));
        }
        let start = self.watch.start(first_steps);
        let last = done == self.batches;
        if self.watch.diverges(measure, done, last, start) {
            let lr = self.lr(done - 1);
            return Err(self.watch.diverged(measure.loss, start, done, lr));
        }
        Ok(measure)
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
