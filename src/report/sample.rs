//! Small results for the tests of this folder.

use super::{Evaluated, Results, Source};
use crate::{
    digest::Digest,
    record::{Evaluation, Part, PartMetrics, Prediction},
    settings::{Arch, Checkpoint},
    stats::{self, Score},
};

const CLASSES: [&str; 3] = ["김치찌개", "냉면", "된장찌개"];

/// One part whose image `i` is of class `i % 3` and, where it is wrong, taken for the next class.
pub(super) fn part(part: Part, right: &[bool]) -> (PartMetrics, Vec<Prediction>) {
    let classes = CLASSES.map(str::to_owned);
    let labels: Vec<usize> = (0..right.len()).map(|i| i % 3).collect();
    let score = |i: usize| Score {
        predicted: if right[i] { i % 3 } else { (i + 1) % 3 },
        probability: 0.75,
        loss: if right[i] { 0.25 } else { 2.25 },
        correct: right[i],
        top5: true,
    };
    let scores: Vec<_> = (0..right.len()).map(score).collect();
    let members = Digest::of(part.name().as_bytes());
    let predictions = scores.iter().enumerate().map(|(i, s)| Prediction {
        part,
        path: format!("{}/{i:04}.jpg", part.name()),
        label: classes[i % 3].clone(),
        predicted: classes[s.predicted].clone(),
        correct: s.correct,
        probability: s.probability,
        loss: s.loss,
        top5: s.top5,
    });
    let predictions = predictions.collect();
    (
        stats::part_metrics(part, &classes, &labels, &scores, members),
        predictions,
    )
}

/// An evaluation of several parts.
pub(super) fn evaluated_on(
    stage: &str,
    varied: &[(&str, &str)],
    parts: &[(Part, &[bool])],
) -> Evaluated {
    let (metrics, predictions): (Vec<_>, Vec<_>) =
        parts.iter().map(|(p, right)| part(*p, right)).unzip();
    let gaps = stats::gaps(&metrics);
    let words: Vec<_> = varied.iter().map(|(k, v)| format!("{k}={v}")).collect();
    Evaluated {
        id: if words.is_empty() {
            stage.to_owned()
        } else {
            format!("{stage}[{}]", words.join(","))
        },
        stage: stage.to_owned(),
        varied: varied
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        model: "resnet18".to_owned(),
        checkpoint: Some(Checkpoint::Best),
        arch: Some(Arch::Resnet18),
        epoch: Some(12),
        made_of: None,
        source: Source::default(),
        evaluation: Evaluation {
            tta: Vec::new(),
            leaks: None,
            log_probabilities: None,
            classes: CLASSES.map(str::to_owned).to_vec(),
            parts: metrics,
            gaps,
        },
        features: None,
        predictions: predictions.concat(),
        settings: std::collections::BTreeMap::new(),
        all_settings: true,
        fingerprint: None,
    }
}

/// An evaluation of the test part alone.
pub(super) fn evaluated(stage: &str, varied: &[(&str, &str)], right: &[bool]) -> Evaluated {
    evaluated_on(stage, varied, &[(Part::Test, right)])
}

/// Results without trainings.
pub(super) fn results(evaluations: Vec<Evaluated>) -> Results {
    Results {
        pipeline: "pipelines/mission1.toml".to_owned(),
        evaluations,
        ..Results::default()
    }
}

/// So many right guesses, then wrong ones.
pub(super) fn rights(hits: usize, images: usize) -> Vec<bool> {
    (0..images).map(|i| i < hits).collect()
}
