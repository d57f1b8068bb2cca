//! The loop over epochs.

use std::{fs, path::Path, time::Instant};

use tch::Device;

use super::{
    course::{best_epoch, stop_early},
    criterion::Criterion,
    divergence::{Watch, with_batch_size},
    inputs::Inputs,
    loader::Loader,
    memory,
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
    record::{
        CheckpointInfo, Epoch, EpochTiming, Fingerprint, Fit, History, Start, Timing, Transform,
    },
    settings::{Augment, Schedule, Training},
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
    let optimizer = Optimizer::new(&job.training, model.trainable(), false)?;
    let bf16 = uses_bf16(job.training.precision, device);
    let arithmetic = Arithmetic { device, bf16 };
    let mut stepper = Stepper::new(Criterion::of(&job.training, &inputs, device)?, arithmetic)?;
    if moved.is_some() {
        stepper = stepper.unrecorded();
    }
    let mut course = Course {
        work: work(job, &inputs),
        fingerprint: fingerprint(device, bf16)?,
        folder: StateFolder(&job.state),
        history: History::default(),
        timing: Vec::new(),
        resumed: 0,
        saved: None,
        model,
        optimizer,
        stepper,
    };
    course.resume(tell)?;
    let pass = Pass {
        loader: Loader::new(&job.training, &inputs, &transform, device)?,
        arithmetic,
        tell,
        stop,
    };
    while course.next_epoch(&job.training).is_some() {
        let pixels = [inputs.pack.width(), inputs.pack.height()];
        with_batch_size(course.epoch(&pass), job.training.batch_size.get(), pixels)?;
    }
    course.publish(&job.out)
}

/// A training between two epochs.
struct Course<'a> {
    work: Digest,
    fingerprint: Fingerprint,
    folder: StateFolder<'a>,
    history: History,
    timing: Vec<EpochTiming>,
    /// Epochs that an earlier process did.
    resumed: usize,
    saved: Option<Saved>,
    model: ResNet,
    optimizer: Optimizer,
    stepper: Stepper,
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
        self.model.load_state(&weights)?;
        self.optimizer.load(&optimizer)?;
        self.history = saved.history.clone();
        self.timing = saved.timing.clone();
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
        let of = training.epochs.get();
        let watch = Watch {
            epoch,
            of,
            before: &self.history.epochs,
            checkpoint: self.saved.as_ref().map(|saved| {
                let [_, last] = self.folder.checkpoints(saved);
                last
            }),
        };
        memory::reset_peak(pass.arithmetic.device);
        let began = Instant::now();
        let (lr, train) =
            pass.train(&self.model, &mut self.optimizer, &mut self.stepper, &watch)?;
        let train_seconds = began.elapsed().as_secs_f64();
        let validation = pass.validate(&self.model, &watch)?;
        self.timing.push(EpochTiming {
            seconds: began.elapsed().as_secs_f64(),
            train_seconds,
            images: pass.loader.inputs.train.len() as u64,
            peak_memory: memory::peak(pass.arithmetic.device),
        });

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
            &self.model,
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

    fn save(&mut self, info: &CheckpointInfo) -> Result<()> {
        let now = Now {
            work: self.work,
            fingerprint: &self.fingerprint,
            history: &self.history,
            timing: &self.timing,
        };
        let (weights, optimizer) = (self.model.state(), self.optimizer.state());
        let before = self.saved.take();
        self.saved = Some(self.folder.write(before, now, &weights, info, &optimizer)?);
        Ok(())
    }

    /// Writes the outputs.
    fn publish(&self, out: &Path) -> Result<()> {
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
        let timing = Timing::of(self.timing.clone(), self.resumed);
        files::write_json(&out.join("timing.json"), &timing)
    }
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
        Start::Scratch { arch } => serde_json::json!({ "arch": arch }),
        Start::Transfer {
            model,
            train_layers,
            keep_normalize,
        } => serde_json::json!({
            "train_layers": train_layers,
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
