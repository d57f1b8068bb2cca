//! The loop over epochs.

use std::{fs, path::Path, time::Instant};

use serde::Serialize;
use tch::Device;

use super::{
    course::{best_epoch, stop_early},
    criterion::Criterion,
    ema::Ema,
    inputs::Inputs,
    loader::Loader,
    optimizer::Optimizer,
    pass::Pass,
    precision::{fingerprint, uses_bf16},
    start::start,
    state::{Now, Saved, StateFolder},
    step::{Arithmetic, Stepper},
};
use crate::{
    digest::{Digest, Parts},
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    model::ResNet,
    native::make_deterministic,
    record::{CheckpointInfo, Epoch, Fingerprint, Fit, History, Start, Transform},
    settings::{Augment, GradualUnfreezing, Schedule, TrainLayers, Training},
    stop::Stop,
};

/// Trains a model, from scratch or from another one, and writes `best.safetensors`, `last.safetensors` and `history.json` to
/// `job.out`; `timing.json` and `fingerprint.json` beside them tell of the machine.
///
/// After every epoch the whole state goes to `job.state`. A later call with the same work on the same machine goes on after the
/// last finished epoch and ends with the same bits as an unbroken training. Equal job, seed and fingerprint: equal bits.
///
/// # Errors
/// When a stop was requested (class `Interrupted`), an input cannot be used, the loss is no longer a number, or libtorch or the
/// disk refuses.
pub fn fit(job: &Fit, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    make_deterministic()?;
    let inputs = Inputs::open(&job.data, source(job))?;
    check(job, &inputs)?;
    if inputs.dropped > 0 {
        let text = format!(
            "leaves out {} images that cannot be decoded",
            inputs.dropped
        );
        tell(StageEvent::Note(text));
    }
    let (model, transform) = start(job, &inputs, device)?;
    let moved = job.training.schedule.max_momentum();
    let optimizer = Optimizer::new(&job.training, model.trainable(), unfreezing(job).is_some())?;
    let bf16 = uses_bf16(job.training.precision, device);
    let arithmetic = Arithmetic { device, bf16 };
    let ema = job.training.ema;
    let ema = ema.map(|settings| Ema::new(settings, &model)).transpose()?;
    let accumulation = job.training.accumulation_steps.get();
    let mut stepper = Stepper::new(Criterion::of(&job.training), arithmetic, accumulation, ema)?;
    if moved.is_some() {
        stepper = stepper.unrecorded();
    }
    let mut course = Course {
        work: work(job, &inputs),
        fingerprint: fingerprint(device, bf16)?,
        folder: StateFolder(&job.state),
        history: History::default(),
        seconds: Vec::new(),
        resumed: 0,
        saved: None,
        model,
        optimizer,
        stepper,
        unfreezing: unfreezing(job),
        trains: None,
    };
    course.resume(tell)?;
    let pass = Pass {
        loader: Loader::new(&job.training, &inputs, &transform, device)?,
        arithmetic,
        tell,
        stop,
    };
    while course.next_epoch(&job.training).is_some() {
        course.epoch(&pass)?;
    }
    course.publish(&job.out, inputs.train.len())
}

/// A training between two epochs.
struct Course<'a> {
    work: Digest,
    fingerprint: Fingerprint,
    folder: StateFolder<'a>,
    history: History,
    seconds: Vec<f64>,
    /// Epochs that an earlier process did.
    resumed: usize,
    saved: Option<Saved>,
    model: ResNet,
    optimizer: Optimizer,
    stepper: Stepper,
    /// How the trained layers, the second, are thawed.
    unfreezing: Option<(GradualUnfreezing, TrainLayers)>,
    /// What is trained now, where that changes.
    trains: Option<TrainLayers>,
}

impl Course<'_> {
    /// Takes over the state of an interrupted training where it is whole, of this work and of this machine.
    fn resume(&mut self, tell: Tell<'_>) -> Result<()> {
        let saved = match self.folder.read() {
            Ok(saved) => saved,
            Err(error) => {
                let text =
                    format!("the saved state cannot be used, the training starts anew: {error}");
                tell(StageEvent::Warning(text));
                None
            }
        };
        let saved = saved.filter(|saved| saved.work == self.work);
        let saved = saved.filter(|saved| {
            let same = saved.fingerprint == self.fingerprint;
            if !same {
                let text = "the saved state is from another device, thread count or libtorch, where sums round differently: \
                            the training starts anew";
                tell(StageEvent::Warning(text.to_owned()));
            }
            same
        });
        self.folder.clean(saved.as_ref())?;
        let Some(saved) = saved else {
            return Ok(());
        };
        let (weights, optimizer) = self.folder.load(&saved)?;
        match self.stepper.ema_mut() {
            Some(ema) => ema.load(&weights, &mut self.model, &optimizer)?,
            None => self.model.load_state(&weights)?,
        }
        self.optimizer.load(&optimizer)?;
        self.history = saved.history.clone();
        self.seconds = saved.seconds.clone();
        self.resumed = self.history.epochs.len();
        self.saved = Some(saved);
        tell(StageEvent::Note(format!(
            "goes on after epoch {}",
            self.resumed
        )));
        Ok(())
    }

    /// The number of the next epoch, from 1; `None` after the last one or an early stop.
    fn next_epoch(&self, training: &Training) -> Option<u32> {
        let next = self.history.epochs.last().map_or(1, |e| e.epoch + 1);
        (self.history.stopped_early.is_none() && next <= training.epochs.get()).then_some(next)
    }

    /// Trains and validates one epoch, and saves the state after it.
    fn epoch(&mut self, pass: &Pass<'_>) -> Result<()> {
        let training = pass.loader.training;
        let Some(epoch) = self.next_epoch(training) else {
            return Ok(());
        };
        self.unfreeze(epoch, pass.tell)?;
        let of = training.epochs.get();
        let began = Instant::now();
        let (lr, train) = pass.train(
            &self.model,
            &mut self.optimizer,
            &mut self.stepper,
            epoch,
            &self.history.epochs,
        )?;
        let validation = pass.validate(self.judged(), epoch)?;
        self.seconds.push(began.elapsed().as_secs_f64());

        let figures = Epoch {
            epoch,
            of,
            lr,
            train,
            validation,
        };
        self.history.epochs.push(figures);
        self.history.best_epoch = best_epoch(&self.history.epochs);
        self.history.stopped_early =
            stop_early(&self.history.epochs, training.early_stopping.as_ref());
        self.save(&checkpoint(
            self.judged(),
            pass.loader.inputs,
            pass.loader.transform,
            figures,
        ))?;
        (pass.tell)(StageEvent::Epoch(figures));
        if let Some(why) = &self.history.stopped_early {
            (pass.tell)(StageEvent::Note(format!("stopped early: {why}")));
        }
        Ok(())
    }

    /// Trains what is due in this epoch.
    fn unfreeze(&mut self, epoch: u32, tell: Tell<'_>) -> Result<()> {
        let Some((gradual, down_to)) = self.unfreezing else {
            return Ok(());
        };
        let due = gradual.layers(down_to, epoch);
        if self.trains != Some(due) {
            self.model.freeze(due);
            self.optimizer.clear_gradients()?;
            self.stepper.forget();
            self.trains = Some(due);
            tell(StageEvent::Note(format!(
                "trains from `{}` on, beginning with epoch {epoch}",
                due.first().name()
            )));
        }
        Ok(())
    }

    /// The model that validates and is kept: the mean of weights where there is one.
    fn judged(&self) -> &ResNet {
        self.stepper.ema().map_or(&self.model, Ema::mean)
    }

    fn save(&mut self, info: &CheckpointInfo) -> Result<()> {
        let now = Now {
            work: self.work,
            fingerprint: &self.fingerprint,
            history: &self.history,
            seconds: &self.seconds,
        };
        let (weights, mut optimizer) = (self.judged().state(), self.optimizer.state());
        if let Some(ema) = self.stepper.ema() {
            ema.save(&self.model, &mut optimizer);
        }
        let before = self.saved.take();
        self.saved = Some(self.folder.write(before, now, &weights, info, &optimizer)?);
        Ok(())
    }

    /// Writes the outputs.
    fn publish(&self, out: &Path, train_images: usize) -> Result<()> {
        // At least one epoch is finished: `epochs` is a `Count`.
        let saved = self
            .saved
            .as_ref()
            .ok_or_else(|| Error::failed("the training ended without a finished epoch"))?;
        files::create_folder(out)?;
        let [best, last] = self.folder.checkpoints(saved);
        for (from, to) in [(best, "best.safetensors"), (last, "last.safetensors")] {
            let to = out.join(to);
            fs::copy(&from, &to).map_err(|e| Error::io("write", &to, e))?;
        }
        files::write_json(&out.join("history.json"), &self.history)?;
        files::write_json(&out.join("fingerprint.json"), &self.fingerprint)?;
        let seconds: f64 = self.seconds.iter().sum();
        let timing = Timing {
            seconds,
            seconds_per_epoch: &self.seconds,
            images_per_second: (train_images * self.seconds.len()) as f64 / seconds.max(1e-9),
            resumed_after_epoch: self.resumed,
        };
        files::write_json(&out.join("timing.json"), &timing)
    }
}

/// `timing.json`: not part of the result.
#[derive(Serialize)]
struct Timing<'a> {
    /// Of all epochs, validation included.
    seconds: f64,
    seconds_per_epoch: &'a [f64],
    /// Training images a second, validation included in the time.
    images_per_second: f64,
    /// Epochs that an interrupted run had finished.
    resumed_after_epoch: usize,
}

fn checkpoint(
    model: &ResNet,
    inputs: &Inputs,
    transform: &Transform,
    epoch: Epoch,
) -> CheckpointInfo {
    CheckpointInfo {
        format: 1,
        arch: model.arch(),
        classes: inputs.classes.clone(),
        transform: *transform,
        epoch,
        provenance: inputs.provenance.clone(),
    }
}

pub(super) fn source(job: &Fit) -> Option<&Path> {
    match &job.start {
        Start::Scratch { .. } => None,
        Start::Transfer { model, .. } => Some(&model.path),
    }
}

/// How the layers of a transfer are thawed, where that is gradual.
fn unfreezing(job: &Fit) -> Option<(GradualUnfreezing, TrainLayers)> {
    match &job.start {
        Start::Transfer {
            gradual_unfreezing: Some(gradual),
            train_layers,
            ..
        } => Some((*gradual, *train_layers)),
        _ => None,
    }
}

/// Settings that only together with the data make no sense.
pub(super) fn check(job: &Fit, inputs: &Inputs) -> Result<()> {
    if job.training.early_stopping.is_some() && inputs.validation.is_empty() {
        return Err(Error::usage(
            "`early_stopping` needs a validation part, and the split has none",
        )
        .help("set `validation` in the split above 0, or leave `early_stopping` out"));
    }
    if matches!(job.training.schedule, Schedule::Plateau(_)) && inputs.validation.is_empty() {
        return Err(Error::usage(
            "`schedule.plateau` needs a validation part, and the split has none",
        )
        .help("set `validation` in the split above 0, or choose another schedule"));
    }
    let (mut width, mut height) = (inputs.pack.width(), inputs.pack.height());
    for item in &job.training.augment {
        let side = match item {
            Augment::CenterCrop(side) => side.get() as usize,
            Augment::RandomResizedCrop(crop) => crop.size.get() as usize,
            _ => continue,
        };
        (width, height) = (side, side);
    }
    if job.training.batch_size.get() == 1 && width <= 32 && height <= 32 {
        return Err(Error::usage(format!(
            "`batch_size` = 1 at {width} x {height} pixels leaves BatchNorm a single value to take statistics of"
        ))
        .help("use a `batch_size` of at least 2"));
    }
    Ok(())
}

/// A digest of everything that the result depends on beside the machine. Paths are not in it.
fn work(job: &Fit, inputs: &Inputs) -> Digest {
    let start = match &job.start {
        Start::Scratch {
            arch,
            zero_init_residual,
        } => serde_json::json!({ "arch": arch, "zero_init_residual": zero_init_residual }),
        Start::Transfer {
            model,
            train_layers,
            gradual_unfreezing,
            keep_normalize,
        } => serde_json::json!({
            "train_layers": train_layers,
            "gradual_unfreezing": gradual_unfreezing,
            "keep_normalize": keep_normalize,
            "normalize": model.normalize,
        }),
    };
    let text = serde_json::json!({
        "pixels": job.pixels,
        "training": job.training,
        "start": start,
        "provenance": inputs.provenance,
    });
    let mut parts = Parts::new("kfood 2026 training state");
    parts.part(text.to_string());
    parts.finish()
}
