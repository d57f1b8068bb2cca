//! Evaluation: a model on parts of a data set, all under one transform.

mod attend;
mod features;
mod inputs;
mod leaks;
mod log_probabilities;
#[cfg(test)]
mod tests;
mod write;

use std::time::Instant;

use tch::Device;

pub use self::attend::{attend, attention};
use self::{
    inputs::{EvaluationInputs, Members},
    write::{Judged, write},
};
use super::{
    precision::fingerprint,
    progress::Progress,
    views::{log_mean_probabilities, log_softmax, logits_of_views},
};
use crate::{
    data::gather,
    error::{Error, Result},
    event::Tell,
    model::Network,
    native::make_deterministic,
    record::{self, Transform, WorkTiming},
    stats::{self, Score},
    stop::Stop,
};

/// Runs a model in evaluation mode and f32 over parts of a data set and writes `metrics.json`
/// ([`record::Evaluation`]), `predictions.csv` ([`record::Prediction`]) and `log_probabilities.f32` ([`record::LogProbabilities`]) to
/// `job.out`; `timing.json` and `fingerprint.json` beside them tell of the machine.
///
/// Every part is seen under the same transform: the checkpoint's own; for a file that does not say, the pack's resize
/// and the normalisation given with it. With `job.tta` every part is seen in the same views, too. What several views and the
/// members of an ensemble say is averaged as softmax probabilities (Lakshminarayanan et al., 2017).
///
/// # Errors
/// When a stop was requested (class `Interrupted`), an input cannot be used, the model is of other classes or of another transform
/// than the data, a part is empty, its logits are not finite, or libtorch or the disk refuses.
pub fn evaluate(job: &record::Evaluate, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    make_deterministic()?;
    let began = Instant::now();
    let inputs = EvaluationInputs::open(job, tell)?;
    let mut models = Vec::new();
    for member in &inputs.members {
        let mut model = Network::from_state(&member.model.state, member.model.arch, device)?;
        model.to_channels_last();
        models.push((model, &member.transform));
    }
    let mut judged = Vec::new();
    let judge = Judge {
        job,
        inputs: &inputs,
        models: &models,
        device,
        tell,
        stop,
    };
    for members in &inputs.parts {
        judged.push(judge.part(members)?);
    }
    let by_features = match job.cosine {
        Some(least) => Some(judge.feature_leaks(&judged, least)?),
        None => None,
    };
    let images = judged.iter().map(|part| part.scores.len()).sum();
    let timing = WorkTiming::of(began.elapsed(), Some(images));
    write(
        job,
        &inputs,
        &judged,
        by_features.as_ref(),
        &timing,
        &fingerprint(device, false)?,
    )
}

/// Models that judge images, and the images.
struct Judge<'a> {
    job: &'a record::Evaluate,
    inputs: &'a EvaluationInputs,
    /// Each with its transform.
    models: &'a [(Network, &'a Transform)],
    device: Device,
    tell: Tell<'a>,
    stop: &'a Stop,
}

/// A score for each image, and the log-probabilities of all classes, image by image.
type Scored = (Vec<Score>, Vec<f64>);

impl<'a> Judge<'a> {
    /// What is said of each image of a part, in its order.
    fn part(&self, members: &'a Members) -> Result<Judged<'a>> {
        let _guard = tch::no_grad_guard();
        let name = members.part.name();
        let mut progress =
            Progress::new(self.tell, format!("evaluating {name}"), members.rows.len());
        let mut judged = Judged {
            members,
            scores: Vec::with_capacity(members.rows.len()),
            log_probabilities: Vec::new(),
        };
        for rows in members.rows.chunks(self.job.batch_size.max(1) as usize) {
            self.stop.check()?;
            let labels: Vec<usize> = rows.iter().map(|row| self.inputs.labels[*row]).collect();
            let (scores, logs) = self
                .judged(rows, &labels)?
                .map_err(|bad| not_finite(bad, rows.len(), name))?;
            judged.scores.extend(scores);
            judged
                .log_probabilities
                .extend(logs.iter().map(|log| *log as f32));
            progress.at(judged.scores.len() as u64);
        }
        Ok(judged)
    }

    /// Some images judged, each with the log-probabilities of all classes: by the logits of one model in one view, else by the mean of
    /// probabilities over models and views. `Err` with the number of images whose logits are not finite.
    fn judged(
        &self,
        rows: &[usize],
        labels: &[usize],
    ) -> Result<std::result::Result<Scored, usize>> {
        let classes = self.inputs.classes.len();
        let logits = self.logits(rows)?;
        Ok(match logits.as_slice() {
            [one] => stats::scores(one, labels, classes).map(|scores| {
                let rows = one.chunks_exact(classes.max(1));
                (scores, rows.flat_map(log_softmax).collect())
            }),
            several => {
                let logs = log_mean_probabilities(several, classes);
                stats::scores(&logs, labels, classes).map(|scores| (scores, logs))
            }
        })
    }

    /// The logits of some images, row-major [rows, classes], for each model and view.
    fn logits(&self, rows: &[usize]) -> Result<Vec<Vec<f32>>> {
        let pack = &self.inputs.pack;
        let mut pixels = vec![0; rows.len() * pack.row_bytes()];
        gather(pack, rows, &mut pixels)?;
        let source = (pack.width(), pack.height());
        let mut all = Vec::new();
        for (model, transform) in self.models {
            let (n, tta) = (rows.len(), &self.job.tta);
            let of_model = logits_of_views(model, &pixels, n, source, transform, tta, self.device)?;
            all.extend(of_model);
        }
        Ok(all)
    }
}

fn not_finite(bad: usize, of: usize, part: &str) -> Error {
    Error::failed(format!(
        "the model's outputs are not finite for {bad} of {of} images of `{part}`: there is nothing to rank"
    ))
    .help("its training diverged: lower `lr`, or add warm-up")
}
