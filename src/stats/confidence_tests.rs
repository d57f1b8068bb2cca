//! Held against cleanlab, netcal, scikit-learn and scipy by `tests/fixtures/confidence.json`, which `tests/confidence_parity.py` wrote.

use serde::Deserialize;

use super::{
    Answer, brier, cross_entropy, expected_calibration_error, label_issues, reliability, scores,
    temperature, tempered,
};

/// Labels and probabilities, and what the libraries say of them.
#[derive(Deserialize)]
struct Case {
    classes: usize,
    labels: Vec<usize>,
    thousandths: Vec<u32>,
    issues: Vec<usize>,
    margins: Vec<f64>,
    ece: f64,
    brier: f64,
    loss: f64,
    temperature: f64,
    loss_there: f64,
}

impl Case {
    fn probabilities(&self) -> Vec<f64> {
        let share = |p: &u32| f64::from(*p) / 1000.0;
        self.thousandths.iter().map(share).collect()
    }

    fn logs(&self) -> Vec<f64> {
        self.probabilities().into_iter().map(f64::ln).collect()
    }

    fn answers(&self) -> Vec<Answer> {
        let found = scores(&self.logs(), &self.labels, self.classes).unwrap();
        let answer = |s: &super::Score| Answer {
            confidence: s.probability,
            correct: s.correct,
        };
        found.iter().map(answer).collect()
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../tests/fixtures/confidence.json")).unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64, within: f64, what: &str) {
    assert!(
        (found - expected).abs() <= within,
        "{what}: {found}, not {expected}"
    );
}

#[test]
fn the_same_labels_are_wrong_as_for_cleanlab() {
    for (i, case) in cases().iter().enumerate() {
        let found = label_issues(&case.probabilities(), &case.labels, case.classes);
        let margins = found.windows(2).all(|w| w[0].margin <= w[1].margin);
        assert!(margins, "case {i} is not ranked");
        let mut by_image: Vec<_> = found.iter().map(|f| (f.image, f.margin)).collect();
        by_image.sort_by_key(|(image, _)| *image);
        let images: Vec<_> = by_image.iter().map(|(image, _)| *image).collect();
        assert_eq!(images, case.issues, "case {i}");
        for ((_, margin), expected) in by_image.iter().zip(&case.margins) {
            near(*margin, *expected, 1e-12, "margin");
        }
    }
}

#[test]
fn calibration_is_that_of_netcal_and_scikit_learn() {
    for case in cases() {
        let (logs, labels, classes) = (case.logs(), &case.labels, case.classes);
        near(
            expected_calibration_error(&case.answers()),
            case.ece,
            1e-9,
            "ece",
        );
        near(brier(&logs, labels, classes), case.brier, 1e-9, "brier");
        near(
            cross_entropy(&logs, labels, classes),
            case.loss,
            1e-9,
            "loss",
        );
        let (found, inside) = temperature(&logs, labels, classes);
        assert_eq!(inside, case.temperature < 99.0);
        near(found / case.temperature, 1.0, 1e-4, "temperature");
        let there = cross_entropy(&tempered(&logs, classes, found), labels, classes);
        near(there, case.loss_there, 1e-8, "loss under the temperature");
    }
}

#[test]
fn every_image_is_in_one_bin_of_the_reliability() {
    let answers = cases()[1].answers();
    let bins = reliability(&answers);
    assert_eq!(bins.len(), 15);
    assert_eq!(
        bins.iter().map(|b| b.images).sum::<u64>(),
        answers.len() as u64
    );
}
