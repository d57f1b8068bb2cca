//! The files of an evaluation.

use std::path::Path;

use super::{
    inputs::{EvaluationInputs, Members},
    log_probabilities,
};
use crate::{
    error::{Error, Result},
    files,
    record::{
        self, Evaluation, FeatureLeaks, Fingerprint, LogProbabilities, PartMetrics, Prediction,
        Timing, WorkTiming,
    },
    settings::Tta,
    stats::{self, Score},
};

/// One part with what is said of each of its images.
pub(super) struct Judged<'a> {
    pub(super) members: &'a Members,
    pub(super) scores: Vec<Score>,
    /// Row-major [images, classes].
    pub(super) log_probabilities: Vec<f32>,
}

/// Writes the five files, and `leaks.json` where features were compared.
pub(super) fn write(
    job: &record::Evaluate,
    inputs: &EvaluationInputs,
    judged: &[Judged<'_>],
    by_features: Option<&FeatureLeaks>,
    timing: &WorkTiming,
    fingerprint: &Fingerprint,
) -> Result<()> {
    let out = &job.out;
    files::create_folder(out)?;
    let mut evaluation = evaluation(inputs, judged, &job.tta);
    let rows = judged.iter().map(|part| part.log_probabilities.as_slice());
    evaluation.log_probabilities = Some(log_probabilities::write(
        &out.join(LogProbabilities::FILE),
        rows,
        inputs.classes.len(),
    )?);
    if let Some(found) = by_features {
        files::write_json(&out.join(FeatureLeaks::FILE), found)?;
    }
    files::write_json(&out.join(Evaluation::FILE), &evaluation)?;
    write_predictions(&out.join(Prediction::FILE), inputs, judged)?;
    files::write_json(&out.join(Timing::FILE), timing)?;
    files::write_json(&out.join(Fingerprint::FILE), fingerprint)
}

fn evaluation(inputs: &EvaluationInputs, judged: &[Judged<'_>], tta: &[Tta]) -> Evaluation {
    let part = |judged: &Judged<'_>| {
        let members = judged.members;
        let labels: Vec<usize> = members.rows.iter().map(|row| inputs.labels[*row]).collect();
        PartMetrics {
            dropped: members.dropped,
            ..stats::part_metrics(
                members.part,
                &inputs.classes,
                &labels,
                &judged.scores,
                members.digest,
            )
        }
    };
    let parts: Vec<PartMetrics> = judged.iter().map(part).collect();
    Evaluation {
        classes: inputs.classes.clone(),
        tta: tta.to_vec(),
        leaks: inputs.leaking.as_ref().map(|l| l.leaks(inputs, judged)),
        gaps: stats::gaps(&parts),
        parts,
        log_probabilities: None,
    }
}

fn write_predictions(path: &Path, inputs: &EvaluationInputs, judged: &[Judged<'_>]) -> Result<()> {
    let fail =
        |e: csv::Error| Error::failed(format!("cannot write `{}`", path.display())).because(e);
    let mut writer = csv::Writer::from_path(path).map_err(fail)?;
    for part in judged {
        for (row, score) in part.members.rows.iter().zip(&part.scores) {
            let prediction = Prediction {
                part: part.members.part,
                path: inputs.paths[*row].clone(),
                label: inputs.classes[inputs.labels[*row]].clone(),
                predicted: inputs.classes[score.predicted].clone(),
                correct: score.correct,
                probability: score.probability,
                loss: score.loss,
                top5: score.top5,
            };
            writer.serialize(prediction).map_err(fail)?;
        }
    }
    writer.flush().map_err(|e| fail(e.into()))
}
