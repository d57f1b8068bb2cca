//! The mean of the weights of several finished models: a "soup" (Wortsman et al., 2022).

use std::time::Instant;

use tch::{Device, Tensor};

use super::{meter::Meter, precision::fingerprint, progress::Progress};
use crate::{
    data::{epoch_order, gather},
    error::{Error, Result},
    event::Tell,
    files,
    learn::feed::{Inputs, evaluation_batch},
    model::{self, Mode, ModelState, Network, StateDict},
    native::make_deterministic,
    record::{
        self, Averaging, CheckpointInfo, Epoch, Fingerprint, History, Measure, Timing, Transform,
        Tried, WorkTiming, model_files,
    },
    settings::{AverageNorm, AverageRule},
    stop::Stop,
};

/// Averages models of one architecture, of the same classes and under one transform, and writes what a training writes:
/// `best.safetensors`, equal to it `last.safetensors`, and `history.json` with one epoch, whose figures are those of the mean in
/// evaluation mode; beside them `averaging.json` ([`Averaging`]), `timing.json` and `fingerprint.json`.
///
/// # Errors
/// When a stop was requested (class `Interrupted`), an input cannot be used, the models are no one kind, the greedy rule has no
/// validation part, or libtorch or the disk refuses.
pub fn average(job: &record::Average, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    make_deterministic()?;
    let began = Instant::now();
    let inputs = Inputs::open(&job.data, None)?;
    let (members, info) = members(job, &inputs)?;
    let mut soup = Soup {
        job,
        inputs: &inputs,
        transform: info.transform,
        model: Network::from_state(&members[0].state, info.arch, device)?,
        device,
        tell,
        stop,
    };
    soup.model.to_channels_last();
    let states: Vec<&StateDict> = members.iter().map(|member| &member.state).collect();
    let averaging = match job.rule {
        AverageRule::Uniform => Averaging {
            used: (0..states.len()).collect(),
            tried: Vec::new(),
        },
        AverageRule::Greedy => soup.greedy(&states)?,
    };
    soup.mix(&states, &averaging.used)?;
    let figures = Epoch {
        epoch: 1,
        of: 1,
        lr: 0.0,
        train: soup.measure(&inputs.train, "train")?,
        validation: soup.validation()?,
    };
    let info = CheckpointInfo {
        epoch: figures,
        provenance: inputs.provenance.clone(),
        ..info
    };
    files::create_folder(&job.out)?;
    let state = soup.model.state();
    for output in [model_files::BEST, model_files::LAST] {
        model::safetensors::write(&job.out.join(output), &state, Some(&info))?;
    }
    let history = History {
        epochs: vec![figures],
        best_epoch: 1,
        stopped_early: None,
    };
    files::write_json(&job.out.join(History::FILE), &history)?;
    files::write_json(&job.out.join(Averaging::FILE), &averaging)?;
    let took = WorkTiming::of(began.elapsed(), None);
    files::write_json(&job.out.join(Timing::FILE), &took)?;
    let fingerprint = fingerprint(device, false)?;
    files::write_json(&job.out.join(Fingerprint::FILE), &fingerprint)
}

/// The models, with what they say about themselves, which must be the same.
fn members(job: &record::Average, inputs: &Inputs) -> Result<(Vec<ModelState>, CheckpointInfo)> {
    let mut members = Vec::new();
    let mut first: Option<CheckpointInfo> = None;
    let mut all = Vec::new();
    for (path, name) in job.members.iter().zip(&job.names) {
        all.extend(model::load_all(path)?.into_iter().map(|one| (one, name)));
    }
    for (member, name) in all {
        let info = member.info.clone().ok_or_else(|| {
            Error::failed(format!(
                "`{name}` does not say its classes and its transform"
            ))
        })?;
        let of = first.get_or_insert_with(|| info.clone());
        let other = if info.arch != of.arch {
            let (arch, first) = (info.arch.told(), of.arch.told());
            format!("is {arch}, and `{}` {first}", job.names[0])
        } else if info.classes != of.classes || info.classes != inputs.classes {
            "was trained for other classes".to_owned()
        } else if info.transform != of.transform {
            format!(
                "sees its images under another transform than `{}`",
                job.names[0]
            )
        } else {
            members.push(member);
            continue;
        };
        return Err(Error::usage(format!("`{name}` {other}: weights of different networks have no mean"))
            .help("average models of one `arch`, with one `normalize`, one `center_crop` and one `test_resolution`; an `ensemble` stage takes any mix"));
    }
    let first = first.ok_or_else(|| Error::failed("there is nothing to average"))?;
    Ok((members, first))
}

/// What every step of averaging needs.
struct Soup<'a> {
    job: &'a record::Average,
    inputs: &'a Inputs,
    transform: Transform,
    /// Takes one state after the other.
    model: Network,
    device: Device,
    tell: Tell<'a>,
    stop: &'a Stop,
}

impl Soup<'_> {
    /// The greedy rule: the best model alone first, then the others in the order of their own validation.
    fn greedy(&mut self, states: &[&StateDict]) -> Result<Averaging> {
        let mut order = Vec::new();
        for (i, state) in states.iter().enumerate() {
            self.model.load_state(state)?;
            order.push((i, self.value()?));
        }
        let better = |a: f64, b: f64| match self.job.by.higher_is_better() {
            true => a > b,
            false => a < b,
        };
        // Stable: the first of equals stays first.
        order.sort_by(|(_, a), (_, b)| match self.job.by.higher_is_better() {
            true => b.total_cmp(a),
            false => a.total_cmp(b),
        });
        let mut used: Vec<usize> = Vec::new();
        let mut tried = Vec::new();
        let mut least = f64::NAN;
        for (candidate, alone) in order {
            let mut with = alone;
            if !used.is_empty() {
                let mut trial = used.clone();
                trial.push(candidate);
                trial.sort_unstable();
                self.mix(states, &trial)?;
                with = self.value()?;
            }
            let kept = used.is_empty() || !better(least, with);
            if kept {
                used.push(candidate);
                used.sort_unstable();
                least = with;
            }
            tried.push(Tried {
                candidate,
                alone,
                with,
                kept,
            });
        }
        Ok(Averaging { used, tried })
    }

    /// Loads the mean of some of the models; one alone stays as it is.
    fn mix(&mut self, states: &[&StateDict], used: &[usize]) -> Result<()> {
        let chosen: Vec<&StateDict> = used.iter().map(|i| states[*i]).collect();
        self.model.load_state(&StateDict::mean(&chosen)?)?;
        let recompute = self.job.batch_norm == AverageNorm::Recompute;
        if chosen.len() > 1 && recompute && self.model.has_batch_norm() {
            self.recompute()?;
        }
        Ok(())
    }

    /// Takes BatchNorm's statistics anew: each the mean over the batches of the training part, in a drawn order, under the
    /// transform of evaluation. Nothing is dropped: they are to be those that an evaluation meets.
    fn recompute(&self) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let rows: Vec<usize> = epoch_order(self.job.seed, 1, self.inputs.train.len())
            .into_iter()
            .map(|place| self.inputs.train[place])
            .collect();
        let mut progress =
            Progress::new(self.tell, "BatchNorm's statistics".to_owned(), rows.len());
        let mut done = 0;
        let mut batches = 0;
        for rows in rows.chunks(self.job.batch_size.max(2) as usize) {
            // A single image may leave BatchNorm one value to take statistics of, as in training.
            if rows.len() == 1 {
                break;
            }
            self.stop.check()?;
            batches += 1;
            // After k batches each has the weight 1 / k.
            self.model.follow(Some(1.0 / f64::from(batches)));
            let _ = self
                .model
                .forward(&self.images(rows)?, Mode::Training(None));
            done += rows.len() as u64;
            progress.at(done);
        }
        self.model.follow(None);
        Ok(())
    }

    fn value(&self) -> Result<f64> {
        let measure = self.validation()?.ok_or_else(|| {
            Error::usage("`rule = \"greedy\"` needs a validation part, and the split has none")
                .help("give the split a larger `validation` share or more images, or use `rule = \"uniform\"`")
        })?;
        Ok(measure.of(self.job.by))
    }

    fn validation(&self) -> Result<Option<Measure>> {
        let rows = &self.inputs.validation;
        let some = !rows.is_empty();
        some.then(|| self.measure(rows, "validation")).transpose()
    }

    /// Loss and accuracy in evaluation mode.
    fn measure(&self, rows: &[usize], part: &str) -> Result<Measure> {
        let _guard = tch::no_grad_guard();
        let targets = self.inputs.targets(Device::Cpu)?;
        let progress = Progress::new(self.tell, format!("evaluating {part}"), rows.len());
        let mut meter = Meter::new(self.device, progress, self.stop)?;
        for rows in rows.chunks(self.job.batch_size.max(1) as usize) {
            let logits = self.model.forward(&self.images(rows)?, Mode::Evaluation);
            let places: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
            let classes = targets.f_index_select(0, &Tensor::f_from_slice(&places)?)?;
            meter.add(&logits, &classes.f_to_device(self.device)?)?;
        }
        let measure = meter.read()?;
        if measure.loss.is_finite() {
            return Ok(measure);
        }
        Err(
            Error::failed(format!("the mean's loss on `{part}` is no number ({})", measure.loss))
                .help("the models lie too far apart to be averaged: use `rule = \"greedy\"`, or an `ensemble` stage"),
        )
    }

    fn images(&self, rows: &[usize]) -> Result<Tensor> {
        let pack = &self.inputs.pack;
        let mut pixels = vec![0; rows.len() * pack.row_bytes()];
        gather(pack, rows, &mut pixels)?;
        let (height, width) = (pack.height(), pack.width());
        evaluation_batch(
            &pixels,
            rows.len(),
            height,
            width,
            &self.transform,
            self.device,
        )
    }
}
