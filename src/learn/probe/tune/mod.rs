//! Trying a training out: the loss over rising learning rates, the speed over rising batch sizes. Its weights are thrown away.

mod batch_size;
mod learning_rate;

use tch::Device;

use crate::{
    error::Result,
    event::{StageEvent, Tell},
    files,
    learn::{
        feed::{Inputs, Loader},
        fit::{Started, source, start},
        judge::{Arithmetic, uses_bf16},
        optimize::Optimizer,
    },
    model::{Drops, Network},
    native::set_training,
    record::{Transform, Tune, Tuned},
    settings::Training,
    stop::Stop,
};

/// What a trial works with.
struct Trial<'a> {
    training: &'a Training,
    inputs: &'a Inputs,
    transform: &'a Transform,
    drops: Drops,
    arithmetic: Arithmetic,
    model: Network,
    optimizer: Optimizer,
    tell: Tell<'a>,
    stop: &'a Stop,
}

impl<'a> Trial<'a> {
    /// The batches of a training.
    fn loader<'b>(&self, training: &'b Training) -> Result<Loader<'b>>
    where
        'a: 'b,
    {
        let device = self.arithmetic.device;
        let loader = Loader::new(training, self.inputs, self.transform, device)?;
        Ok(loader.dropping(self.drops.clone()))
    }

    fn progress(&self, what: &str, done: usize, total: usize, unit: &str) {
        (self.tell)(StageEvent::Progress {
            what: what.to_owned(),
            done: done as u64,
            total: total as u64,
            unit: unit.to_owned(),
        });
    }
}

/// Tries a training out and writes `tune.json` to its `out`: [`crate::record::LearningRates`] or [`crate::record::BatchSizes`].
///
/// # Errors
/// When a stop was requested, an input cannot be used, or libtorch or the disk refuses.
pub fn tune(job: &Tune, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    let fit = &job.fit;
    set_training(device, fit.training.deterministic, fit.training.allow_tf32)?;
    let inputs = Inputs::open(&fit.data, source(fit))?;
    let Started {
        mut model,
        transform,
        drops,
        ..
    } = start(fit, &inputs, device, &|_| {})?;
    // What is found must hold for the largest images too.
    let training = Training {
        progressive_resizing: None,
        ..fit.training.clone()
    };
    let bf16 = uses_bf16(training.precision, device);
    let optimizer = Optimizer::of(&training, &mut model, false, bf16)?;
    let mut trial = Trial {
        training: &training,
        inputs: &inputs,
        transform: &transform,
        drops,
        arithmetic: Arithmetic { device, bf16 },
        model,
        optimizer,
        tell,
        stop,
    };
    files::create_folder(&fit.out)?;
    let out = fit.out.join(Tune::FILE);
    match job.what {
        Tuned::LearningRate => files::write_json(&out, &learning_rate::find(&mut trial)?),
        Tuned::BatchSize => {
            let keep = |so_far: &_| files::publish_json(&out, so_far);
            keep(&batch_size::find(&mut trial, keep)?)
        }
    }
}
