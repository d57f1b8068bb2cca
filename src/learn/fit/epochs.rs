//! The loop over epochs.

use std::{fs, path::Path, time::Duration};

use tch::Device;

use super::{
    divergence::{Watch, few_in_last_batch, with_batch_size},
    early_stopping::{best_epoch, stop_early},
    keep::Keep,
    learner::Learner,
    memory,
    pass::Pass,
    start::{Started, start},
    state::{Now, Saved, StateFolder},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    learn::{
        feed::{Inputs, Loader},
        judge::{Arithmetic, fingerprint, in_words, uses_bf16},
        picture::{Size, shown_size},
    },
    model::{self, Network},
    native::set_training,
    record::{
        CheckpointInfo, Epoch, EpochTiming, Fingerprint, Fit, History, SourceMatch, Start, Timing,
        Transform, model_files,
    },
    settings::{Checkpoint, Count, GradualUnfreezing, Schedule, TrainLayers, Training},
    stop::Stop,
    text::count,
};

/// Trains a model, from scratch or from another one, and writes `best.safetensors`, `last.safetensors` and `history.json` to
/// `job.out`; `timing.json` and `fingerprint.json` beside them tell of the machine. With `keep_last`, `kept.safetensors` holds the
/// models of the last epochs, oldest first; fewer where it stopped early. With `keep = "best"` there is neither a last state nor one to
/// go on from.
///
/// After every epoch, every `job.save.every` within one and where a stop was requested, the whole state goes to `job.state`. A later
/// call with the same work on the same machine goes on there and ends with the same bits as an unbroken training; so does one that
/// goes on where a shorter training of `job.earlier` ended. Equal job, seed and fingerprint: equal bits.
///
/// # Errors
/// When a stop was requested (class `Interrupted`), an input cannot be used, the loss is no longer a number, or libtorch or the
/// disk refuses.
pub fn fit(job: &Fit, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    set_training(device, job.training.deterministic, job.training.allow_tf32)?;
    let inputs = Inputs::open(&job.data, source(job))?;
    check(job, &inputs)?;
    if inputs.dropped > 0 {
        let images = count(inputs.dropped, "image");
        let text = format!("leaves out {images} that cannot be decoded");
        tell(StageEvent::Note(text));
    }
    tell(StageEvent::Note(in_words(job.training.precision, device)));
    let Started {
        model,
        transform,
        drops,
        source,
    } = start(job, &inputs, device, tell)?;
    if let Some(source) = &source {
        files::create_folder(&job.out)?;
        files::write_json(&job.out.join(SourceMatch::FILE), source)?;
    }
    let bf16 = uses_bf16(job.training.precision, device);
    let arithmetic = Arithmetic { device, bf16 };
    let gradual = unfreezing(job)
        .map(|(gradual, down_to)| Ok::<_, Error>((gradual, model.first_layer(down_to)?)))
        .transpose()?;
    let by_layer = gradual.is_some();
    let learner = Learner::new(&job.training, by_layer, &inputs, model, arithmetic)?;
    let now = Now {
        key: job.key,
        kin: job.kin,
        fingerprint: fingerprint(device, bf16)?,
        history: History::default(),
        timing: Vec::new(),
        within: None,
    };
    let mut course = Course {
        folder: StateFolder(&job.state),
        every: job.save.every.duration(),
        now,
        resumed: 0,
        saved: None,
        learner,
        unfreezing: gradual,
        trains: None,
        shown: shown_size(&job.training, inputs.size(), 1),
    };
    if !course.resume(tell)? {
        course.extend(job, tell)?;
    }
    let pass = Pass {
        loader: Loader::new(&job.training, &inputs, &transform, device)?.dropping(drops),
        arithmetic,
        tell,
        stop,
    };
    while course.next_epoch(&job.training).is_some() {
        let done = course.epoch(&pass);
        with_batch_size(done, job.training.batch_size.get(), course.shown)?;
    }
    course.publish(job)
}

/// A training between two epochs, or where an interrupted one goes on.
struct Course<'a> {
    folder: StateFolder<'a>,
    /// The time between two saves within an epoch.
    every: Duration,
    now: Now,
    /// Epochs that an earlier process did.
    resumed: usize,
    saved: Option<Saved>,
    learner: Learner,
    /// How layers are thawed, down to that of this number.
    unfreezing: Option<(GradualUnfreezing, usize)>,
    /// From which layer on is trained now, where that changes.
    trains: Option<usize>,
    /// The size of what the last epoch showed; at first that of the first.
    shown: Size,
}

impl Course<'_> {
    /// Takes over the state of an interrupted training where it is whole, of this work and of this machine; says whether.
    fn resume(&mut self, tell: Tell<'_>) -> Result<bool> {
        let saved = match self.folder.read() {
            Ok(saved) => saved,
            Err(error) => {
                let text =
                    format!("the saved state cannot be used, the training starts anew: {error}");
                tell(StageEvent::Warning(text));
                None
            }
        };
        let saved = saved.filter(|saved| agree(saved.now.key, self.now.key));
        let saved = saved.filter(|saved| {
            let same = saved.now.fingerprint == self.now.fingerprint;
            if !same {
                let text = format!("the saved state is {ELSEWHERE}: the training starts anew");
                tell(StageEvent::Warning(text));
            }
            same
        });
        self.folder.clean(saved.as_ref())?;
        let Some(saved) = saved else {
            return Ok(false);
        };
        self.learner.load(|name| self.folder.group(&saved, name))?;
        // States of earlier versions do not say whose they are.
        let (key, kin) = (self.now.key, self.now.kin);
        self.now = Now {
            key,
            kin,
            ..saved.now.clone()
        };
        self.saved = Some(saved);
        self.resumed = self.now.history.epochs.len();
        let after = match &self.now.within {
            Some(within) => {
                self.learner.stepper.go_on(&within.sums)?;
                format!("step {} of epoch {}", within.steps, self.resumed + 1)
            }
            None => format!("epoch {}", self.resumed),
        };
        tell(StageEvent::Note(format!("goes on after {after}")));
        Ok(true)
    }

    /// Goes on where a finished, shorter training of the same kind ended, if there is one.
    fn extend(&mut self, job: &Fit, tell: Tell<'_>) -> Result<()> {
        let folders: Vec<_> = job.earlier.iter().map(|e| e.join(Fit::LEFT)).collect();
        let mut found: Vec<_> = folders
            .iter()
            .filter_map(|path| {
                let folder = StateFolder(path);
                let saved = folder.read().ok()??;
                let done = saved.now.history.epochs.len() as u32;
                let fits = agree(saved.now.kin, self.now.kin)
                    && saved.now.within.is_none()
                    && done <= job.training.epochs.get()
                    && job
                        .training
                        .goes_on_from(saved.now.history.asked()?)
                        .is_ok();
                fits.then_some((folder, saved))
            })
            .collect();
        let usable = found.len();
        found.retain(|(_, saved)| saved.now.fingerprint == self.now.fingerprint);
        let longest = |(_, saved): &(_, Saved)| saved.now.history.epochs.len();
        let Some((folder, saved)) = found.into_iter().max_by_key(longest) else {
            if usable > 0 {
                let text = format!("the earlier result is {ELSEWHERE}: the training starts anew");
                tell(StageEvent::Note(text));
            }
            return Ok(());
        };
        let of = job.training.epochs.get();
        let mut history = saved.now.history.clone();
        history.epochs.iter_mut().for_each(|epoch| epoch.of = of);
        // At its own end a training does not stop early, where a longer one may.
        history.stopped_early = stop_early(&history.epochs, job.training.early_stopping.as_ref());
        let now = Now {
            key: self.now.key,
            kin: self.now.kin,
            history,
            ..saved.now.clone()
        };
        self.learner.load(|name| folder.group(&saved, name))?;
        let adopted = self
            .folder
            .adopt(&folder, &saved, now.clone(), |info| info.epoch.of = of)?;
        self.resumed = now.history.epochs.len();
        self.now = now;
        self.saved = Some(adopted);
        let text = format!("goes on from epoch {} of an earlier result", self.resumed);
        tell(StageEvent::Note(text));
        Ok(())
    }

    /// The number of the next epoch, from 1; `None` after the last one or an early stop.
    fn next_epoch(&self, training: &Training) -> Option<u32> {
        let history = &self.now.history;
        let next = history.epochs.last().map_or(1, |e| e.epoch + 1);
        (history.stopped_early.is_none() && next <= training.epochs.get()).then_some(next)
    }

    /// Trains and validates one epoch, and saves the state after it.
    fn epoch(&mut self, pass: &Pass<'_>) -> Result<()> {
        let training = pass.loader.training;
        let Some(epoch) = self.next_epoch(training) else {
            return Ok(());
        };
        self.unfreeze(epoch, pass.tell)?;
        self.resize(epoch, pass);
        let of = training.epochs.get();
        let checkpoints = self
            .saved
            .as_ref()
            .map(|saved| self.folder.checkpoints(saved));
        let images = pass.loader.inputs.train.len();
        let few = few_in_last_batch(images, training.batch_size.get() as usize);
        let watch = Watch {
            epoch,
            of,
            before: &self.now.history.epochs,
            checkpoint: checkpoints.and_then(Result::ok).map(|[_, last]| last),
            classes: self.learner.model.classes(),
            few: few.filter(|_| self.learner.model.has_batch_norm()),
        };
        memory::reset_peak(pass.arithmetic.device);
        let mut keep = Keep::new(&self.folder, self.now.clone(), self.every, &mut self.saved);
        let (lr, train) = pass.train(&mut self.learner, &watch, &mut keep)?;
        let train_seconds = keep.seconds();
        let validation = pass.validate(self.learner.judged(), &watch);
        if pass.stop.requested() {
            keep.keep(&self.learner, pass.loader.order(epoch).len())?;
        }
        let validation = validation?;
        let timing = EpochTiming {
            seconds: keep.seconds(),
            train_seconds,
            images: images as u64,
            peak_memory: memory::peak(pass.arithmetic.device),
        };

        let figures = Epoch {
            epoch,
            of,
            lr,
            train,
            validation,
        };
        let history = &mut self.now.history;
        history.epochs.push(figures);
        history.best_epoch = best_epoch(&history.epochs);
        history.stopped_early = stop_early(&history.epochs, training.early_stopping.as_ref());
        self.now.timing.push(timing);
        self.now.within = None;
        let (inputs, transform) = (pass.loader.inputs, pass.loader.transform);
        let info = checkpoint(self.learner.judged(), inputs, transform, figures);
        self.save(&info, training.keep_last)?;
        (pass.tell)(StageEvent::Epoch(figures));
        if let Some(why) = &self.now.history.stopped_early {
            (pass.tell)(StageEvent::Note(format!("stopped early: {why}")));
        }
        Ok(())
    }

    /// Trains what is due in this epoch.
    fn unfreeze(&mut self, epoch: u32, tell: Tell<'_>) -> Result<()> {
        let Some((gradual, down_to)) = self.unfreezing else {
            return Ok(());
        };
        let family = self.learner.model.arch().family();
        let due = gradual.first(family, down_to, epoch);
        if self.trains != Some(due) {
            self.learner.model.train_from(due);
            self.learner.stepper.forget();
            self.trains = Some(due);
            tell(StageEvent::Note(format!(
                "trains from `{}` on, beginning with epoch {epoch}",
                family.layers[due].name
            )));
        }
        Ok(())
    }

    /// Shows images of the size that is due in this epoch.
    fn resize(&mut self, epoch: u32, pass: &Pass<'_>) {
        let due = shown_size(pass.loader.training, pass.loader.inputs.size(), epoch);
        if due != self.shown {
            // A recorded step is one of its shape.
            self.learner.stepper.forget();
            self.shown = due;
            (pass.tell)(StageEvent::Note(format!(
                "shows images of {} x {} pixels, beginning with epoch {epoch}",
                due.width, due.height
            )));
        }
    }

    fn save(&mut self, info: &CheckpointInfo, keep_last: Option<Count>) -> Result<()> {
        let (now, groups) = (self.now.clone(), self.learner.groups());
        let before = self.saved.take();
        let keep = keep_last.map_or(1, Count::get);
        let saved = self.folder.end_epoch(before, now, &groups, info, keep)?;
        self.saved = Some(saved);
        Ok(())
    }

    /// Writes the outputs, and what a longer training goes on from.
    fn publish(&self, job: &Fit) -> Result<()> {
        let out = job.out.as_path();
        // At least one epoch is finished: `epochs` is a `Count`.
        let saved = self
            .saved
            .as_ref()
            .ok_or_else(|| Error::failed("the training ended without a finished epoch"))?;
        files::create_folder(out)?;
        let [best, last] = self.folder.checkpoints(saved)?;
        let only = job.training.only();
        for (from, state) in [(best, Checkpoint::Best), (last, Checkpoint::Last)] {
            if only.is_some_and(|only| only != state) {
                continue;
            }
            let to = out.join(model_files::of(state));
            fs::copy(&from, &to).map_err(|e| Error::io("write", &to, e))?;
        }
        if let Some(keep) = job.training.keep_last {
            let kept = self.folder.kept(saved, keep.get());
            let members: Result<Vec<_>> = kept.iter().map(|path| model::load(path)).collect();
            model::write_ensemble(&out.join(model_files::KEPT), &members?)?;
        }
        if only.is_none() {
            self.folder.leave(saved, &out.join(Fit::LEFT))?;
        }
        files::write_json(&out.join(History::FILE), &self.now.history)?;
        files::write_json(&out.join(Fingerprint::FILE), &self.now.fingerprint)?;
        let timing = Timing::of(self.now.timing.clone(), self.resumed);
        files::write_json(&out.join(Timing::FILE), &timing)
    }
}

/// Whether two states are of one work, as far as both say it: the cache hands out none of another.
fn agree(saved: Option<Digest>, now: Option<Digest>) -> bool {
    match (saved, now) {
        (Some(saved), Some(now)) => saved == now,
        _ => true,
    }
}

/// Why a state is of no use.
const ELSEWHERE: &str =
    "from another device, thread count or libtorch, where sums round differently";

fn checkpoint(
    model: &Network,
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

pub(crate) fn source(job: &Fit) -> Option<&Path> {
    match &job.start {
        Start::Scratch(_) => None,
        Start::Transfer { model, .. } => Some(&model.path),
    }
}

/// How the layers of a transfer are thawed, where that is gradual.
pub(crate) fn unfreezing(job: &Fit) -> Option<(GradualUnfreezing, TrainLayers)> {
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
pub(crate) fn check(job: &Fit, inputs: &Inputs) -> Result<()> {
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
    Ok(())
}
