//! Trainings and evaluations as runs of MLflow: parameters, metrics over epochs, tags.

use crate::{
    record::{EpochTiming, PartMetrics},
    report::{Evaluated, Trained},
};

/// The longest value of a parameter, in characters.
const LONGEST: usize = 6_000;

/// A run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MlflowRun {
    /// What it is known by: the key of the result. It stands in the tag `kfood.key`.
    pub key: String,
    /// As a person calls it.
    pub name: String,
    /// When it began, in milliseconds since 1970.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
    /// Beside `kfood.key`.
    pub tags: Vec<(String, String)>,
    /// The settings of everything that it is made from.
    pub params: Vec<(String, String)>,
    /// In the order of steps.
    pub metrics: Vec<MlflowMetric>,
}

/// A value of a metric; it is finite.
#[derive(Clone, Debug, PartialEq)]
pub struct MlflowMetric {
    /// `validation/top1`.
    pub name: String,
    /// The value.
    pub value: f64,
    /// In milliseconds since 1970.
    pub time: u64,
    /// The epoch; 0 of what has none.
    pub step: u32,
}

impl MlflowRun {
    /// The course of a training. Settings are named `train.optimizer.sgd.lr` and written as JSON.
    #[must_use]
    pub fn of_training<'a>(
        trained: &Trained,
        key: String,
        settings: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let timing = trained.timing.as_ref().map_or(&[][..], |t| &t.epochs);
        let mut run = Self::begun(key, &trained.id, trained.started, settings);
        for (place, epoch) in trained.history.epochs.iter().enumerate() {
            let timing = timing.get(place);
            run.ended += timing.map_or(0, milliseconds);
            let mut values = vec![
                ("train/loss", epoch.train.loss),
                ("train/top1", epoch.train.top1),
                ("learning_rate", epoch.lr),
            ];
            if let Some(measure) = epoch.validation {
                values.extend([
                    ("validation/loss", measure.loss),
                    ("validation/top1", measure.top1),
                ]);
            }
            if let Some(timing) = timing {
                values.push(("images_per_second", timing.images_per_second()));
            }
            for (name, value) in values {
                run.metric(name.to_owned(), value, epoch.epoch);
            }
        }
        run.tag("best_epoch", trained.history.best_epoch.to_string());
        run
    }

    /// The figures of an evaluation, at the epoch that its model was saved after.
    #[must_use]
    pub fn of_evaluation<'a>(
        evaluated: &Evaluated,
        key: String,
        started: u64,
        settings: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut run = Self::begun(key, &evaluated.id, started, settings);
        let step = evaluated.epoch.unwrap_or(0);
        for part in &evaluated.evaluation.parts {
            for (name, value) in figures(part) {
                run.metric(format!("{}/{name}", part.part.name()), value, step);
            }
        }
        run.tag("model", evaluated.model.clone());
        run
    }

    fn begun<'a>(
        key: String,
        id: &str,
        started: u64,
        settings: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let settings = settings.filter(|(_, value)| *value != "null");
        let mut run = Self {
            key,
            name: id.to_owned(),
            began: started * 1_000,
            ended: started * 1_000,
            params: settings
                .map(|(name, value)| (named(name), plain(value)))
                .collect(),
            ..Self::default()
        };
        run.tag("stage", id.to_owned());
        run
    }

    fn tag(&mut self, name: &str, value: String) {
        self.tags.push((format!("kfood.{name}"), value));
    }

    fn metric(&mut self, name: String, value: f64, step: u32) {
        if value.is_finite() {
            let time = self.ended;
            self.metrics.push(MlflowMetric {
                name,
                value,
                time,
                step,
            });
        }
    }
}

fn milliseconds(timing: &EpochTiming) -> u64 {
    (timing.seconds.max(0.0) * 1_000.0) as u64
}

fn figures(part: &PartMetrics) -> [(&'static str, f64); 7] {
    [
        ("images", part.images as f64),
        ("loss", part.loss),
        ("top1", part.top1),
        ("top1_low", part.top1_interval.low),
        ("top1_high", part.top1_interval.high),
        ("top5", part.top5),
        ("macro_f1", part.macro_f1),
    ]
}

/// A name with the signs that MLflow has: letters, digits, `_`, `-`, `.` and blanks; its `/` makes folders.
fn named(name: &str) -> String {
    let known = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    name.chars()
        .map(|c| if known(c) { c } else { '_' })
        .collect()
}

/// A text without its quotes, and anything else as JSON writes it.
fn plain(value: &str) -> String {
    let text = serde_json::from_str(value).unwrap_or_else(|_| value.to_owned());
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Epoch, History, Measure, Timing};

    #[test]
    fn a_training_is_settings_and_metrics_that_mlflow_takes() {
        let measure = |loss| Measure { loss, top1: 0.25 };
        let epoch = |epoch, loss| Epoch {
            epoch,
            of: 2,
            lr: 0.1,
            train: measure(loss),
            validation: Some(measure(f64::NAN)),
        };
        let seconds = |seconds| EpochTiming {
            seconds,
            train_seconds: 1.0,
            images: 10,
            peak_memory: None,
        };
        let trained = Trained {
            id: "net[seed=1]".to_owned(),
            stage: "net".to_owned(),
            varied: Vec::new(),
            history: History {
                epochs: vec![epoch(1, 1.5), epoch(2, 0.5)],
                best_epoch: 2,
                stopped_early: None,
            },
            timing: Some(Timing::of(vec![seconds(2.0), seconds(3.0)], 0)),
            started: 1_000,
            fingerprint: None,
        };
        let settings = [
            ("train.arch", "\"resnet18\""),
            ("train.mix", "null"),
            ("train.class_weights.김밥 [소]", "2.0"),
        ];
        let run = MlflowRun::of_training(&trained, "k".to_owned(), settings.into_iter());
        assert_eq!(
            run.params,
            [
                ("train.arch".to_owned(), "resnet18".to_owned()),
                ("train.class_weights.김밥 _소_".to_owned(), "2.0".to_owned())
            ]
        );
        let losses = run.metrics.iter().filter(|m| m.name == "train/loss");
        let losses: Vec<_> = losses.map(|m| (m.value, m.time, m.step)).collect();
        assert_eq!(losses, [(1.5, 1_002_000, 1), (0.5, 1_005_000, 2)]);
        assert_eq!((run.ended, run.metrics.len()), (1_005_000, 10));
        assert!(run.metrics.iter().all(|m| m.name != "validation/loss"));
    }
}
