//! Evaluation: a model on parts of a data set, all under one transform.

mod inputs;
#[cfg(test)]
mod tests;
mod write;

use std::time::Instant;

use tch::{Device, Kind, Tensor};

use self::{
    inputs::{Inputs, Members},
    write::{Judged, Timing, write},
};
use super::{evaluation_batch, fingerprint, metrics, progress::Progress};
use crate::{
    data::gather,
    error::{Error, Result},
    event::Tell,
    model::ResNet,
    native::make_deterministic,
    record,
    stop::Stop,
};

/// Runs a model in evaluation mode and f32 over parts of a data set and writes `metrics.json`
/// ([`record::Evaluation`]) and `predictions.csv` ([`record::Prediction`]) to `job.out`; `timing.json` and `fingerprint.json` beside
/// them tell of the machine.
///
/// Every part is seen under the same transform: the checkpoint's own; for a file that does not say, the pack's resize
/// and the normalisation given with it.
///
/// # Errors
/// When a stop was requested (class `Interrupted`), an input cannot be used, the model is of other classes or of another transform
/// than the data, a part is empty, its logits are not finite, or libtorch or the disk refuses.
pub fn evaluate(job: &record::Evaluate, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    make_deterministic()?;
    let began = Instant::now();
    let inputs = Inputs::open(job, tell)?;
    let mut model = ResNet::from_state(&inputs.model.state, inputs.model.arch, device)?;
    model.to_channels_last();
    let mut judged = Vec::new();
    for members in &inputs.parts {
        let scores = Pass {
            job,
            inputs: &inputs,
            model: &model,
            device,
            tell,
            stop,
        }
        .scores(members)?;
        judged.push(Judged { members, scores });
    }
    let images = judged.iter().map(|part| part.scores.len()).sum();
    let timing = Timing::new(began.elapsed().as_secs_f64(), images);
    write(
        &job.out,
        &inputs,
        &judged,
        &timing,
        &fingerprint(device, false)?,
    )
}

/// What a pass over one part needs.
struct Pass<'a> {
    job: &'a record::Evaluate,
    inputs: &'a Inputs,
    model: &'a ResNet,
    device: Device,
    tell: Tell<'a>,
    stop: &'a Stop,
}

impl Pass<'_> {
    /// A score for each image of a part, in its order.
    fn scores(&self, members: &Members) -> Result<Vec<metrics::Score>> {
        let _guard = tch::no_grad_guard();
        let name = members.part.name();
        let mut progress =
            Progress::new(self.tell, format!("evaluating {name}"), members.rows.len());
        let mut scores = Vec::with_capacity(members.rows.len());
        for rows in members.rows.chunks(self.job.batch_size.max(1) as usize) {
            self.stop.check()?;
            let labels: Vec<usize> = rows.iter().map(|row| self.inputs.labels[*row]).collect();
            let logits = self.logits(rows)?;
            let judged = metrics::scores(&logits, &labels, self.inputs.classes.len());
            scores.extend(judged.map_err(|bad| not_finite(bad, rows.len(), name))?);
            progress.at(scores.len() as u64);
        }
        Ok(scores)
    }

    /// The logits of some images, row-major [rows, classes].
    fn logits(&self, rows: &[usize]) -> Result<Vec<f32>> {
        let pack = &self.inputs.pack;
        let mut pixels = vec![0; rows.len() * pack.row_bytes()];
        gather(pack, rows, &mut pixels)?;
        let images = evaluation_batch(
            &pixels,
            rows.len(),
            pack.height(),
            pack.width(),
            &self.inputs.transform,
            self.device,
        )?;
        let logits = self.model.forward(&images, false);
        flat(&logits)
    }
}

fn flat(logits: &Tensor) -> Result<Vec<f32>> {
    let flat = logits
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Float)?
        .f_contiguous()?
        .f_view([-1])?;
    Ok(Vec::<f32>::try_from(&flat)?)
}

fn not_finite(bad: usize, of: usize, part: &str) -> Error {
    Error::failed(format!(
        "the model's outputs are not finite for {bad} of {of} images of `{part}`: there is nothing to rank"
    ))
    .help("its training diverged: lower `lr`, or add warm-up")
}
