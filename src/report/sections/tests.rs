//! Whole reports.

use super::*;
use crate::{
    record::{
        CalibratedPart, Calibration, Epoch, EpochTiming, Fingerprint, History, Interval,
        LabelIssues, Measure, Sure, Sureness, SuspiciousLabel, Threshold, Timing,
    },
    report::{
        Audited, Calibrated, Trained,
        sample::{evaluated, evaluated_on, results, rights},
    },
};

fn markdown(results: &Results) -> String {
    report(results, None, Detail::default()).unwrap().markdown()
}

const EXPECTED: &str = "\
# Results of `pipelines/mission1.toml`

Made by kfood VERSION from this file alone: the same file, data, seed and fingerprint (at the end) give the same numbers.

## At a glance

- `baseline`: 55.6% on test (95% interval 26.7 to 81.1; 9 images) beside 100.0% on train (70.1 to 100.0): overfits by 44.4 points.

## Results

| evaluation | model | checkpoint | train top-1 | test top-1 | test top-5 | test macro F1 | test loss |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
| baseline | resnet18 | best, epoch 12 | 100.0% [70.1, 100.0] | 55.6% [26.7, 81.1] | 100.0% | 0.546 | 1.139 |

[low, high]: Wilson's 95% interval of one run.

## Evaluation `baseline`

- Top-1 is 100.0% on train and 55.6% on test, 44.4 percentage points (95% interval 5.1 to 73.3) apart: overfitting by that much, more than chance allows. The gap makes up most of the 44.4 points of error on test.

### Gaps

| from | to | difference in points |
| --- | --- | ---: |
| train | test | 44.4 [5.1, 73.3] |

### Classes on test (9 images)

| class | images | precision | recall (95% interval) | F1 |
| --- | ---: | ---: | ---: | ---: |
| 김치찌개 | 3 | 50.0% | 66.7% (20.8 to 93.9) | 0.571 |
| 냉면 | 3 | 66.7% | 66.7% (20.8 to 93.9) | 0.667 |
| 된장찌개 | 3 | 50.0% | 33.3% (6.1 to 79.2) | 0.400 |

Behind recall: Wilson's 95% interval over the images of the class.

Most frequent confusions:

- 된장찌개 taken for 김치찌개: 2 of 3
- 김치찌개 taken for 냉면: 1 of 3
- 냉면 taken for 된장찌개: 1 of 3

## Training `resnet18`

- 2 of 2 epochs.
- Best validation top-1: 50.0% after epoch 2.
- Train top-1: `▁▁` 50.0% to 50.0%
- Validation top-1: `▁█` 25.0% to 50.0%

| epoch | lr | train loss | train top-1 | validation loss | validation top-1 |
| ---: | ---: | ---: | ---: | ---: | ---: |
| 1 | 0.001 | 1.500 | 50.0% | 1.250 | 25.0% |
| 2 (best) | 0.001 | 1.500 | 50.0% | 1.250 | 50.0% |

## Fingerprint

| device | precision | CPU capability | threads | libtorch | stages |
| --- | --- | --- | ---: | --- | --- |
| cpu | f32 | AVX2 | 2 | 2.11.0+cpu | `resnet18` |

## Time and memory

Of the run that made a result; no part of it.

| training | epochs | time | training images/s | slowest and fastest epoch | peak memory |
| --- | ---: | ---: | ---: | ---: | ---: |
| `resnet18` | 2 | 20 s | 125 | 100–167 | 2.1 GB |
";

fn trained() -> Trained {
    let epoch = |epoch, top1| Epoch {
        epoch,
        of: 2,
        lr: 0.001,
        train: Measure {
            loss: 1.5,
            top1: 0.5,
        },
        validation: Some(Measure { loss: 1.25, top1 }),
    };
    Trained {
        stage: "net".to_owned(),
        varied: Vec::new(),
        id: "resnet18".to_owned(),
        timing: Some(Timing::of(
            vec![
                EpochTiming {
                    seconds: 12.0,
                    train_seconds: 10.0,
                    images: 1000,
                    peak_memory: Some(2_100_000_000),
                },
                EpochTiming {
                    seconds: 8.0,
                    train_seconds: 6.0,
                    images: 1000,
                    peak_memory: None,
                },
            ],
            0,
        )),
        started: 0,
        history: History {
            epochs: vec![epoch(1, 0.25), epoch(2, 0.5)],
            best_epoch: 2,
            stopped_early: None,
        },
        fingerprint: Some(Fingerprint {
            device: "cpu".to_owned(),
            precision: "f32".to_owned(),
            cpu_capability: "AVX2".to_owned(),
            threads: 2,
            libtorch: "2.11.0+cpu".to_owned(),
        }),
    }
}

#[test]
fn a_report_tells_the_whole_story() {
    let (train, test) = (rights(9, 9), rights(5, 9));
    let parts = [
        (Part::Train, train.as_slice()),
        (Part::Test, test.as_slice()),
    ];
    let mut results = results(vec![evaluated_on("baseline", &[], &parts)]);
    results.trainings.push(trained());
    let expected = EXPECTED.replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(markdown(&results), expected);
}

#[test]
fn repeated_runs_are_told_together() {
    let runs = [("1", 30), ("2", 33)]
        .map(|(seed, hits)| evaluated("a", &[("seed", seed)], &rights(hits, 60)));
    let other = evaluated("b", &[], &rights(10, 60));
    let results = results(runs.into_iter().chain([other]).collect());
    let text = markdown(&results);
    assert!(
        text.contains("### Classes on test (60 images, 2 runs)"),
        "{text}"
    );
    assert!(
        text.contains("- The mean top-1 of 2 runs is 52.5% on test (95% interval 18.4% to 86.5%)."),
        "{text}"
    );
    // b has one run.
    assert!(text.contains("| none: one run |"), "{text}");
    assert_eq!(text, markdown(&results));
}

#[test]
fn an_empty_pipeline_has_a_report_too() {
    let text = markdown(&results(Vec::new()));
    assert!(text.ends_with("\nNothing was evaluated.\n"), "{text}");
}

#[test]
fn labels_that_look_wrong_and_calibrations_are_told_where_there_are_some() {
    let mut results = results(vec![evaluated("baseline", &[], &rights(5, 9))]);
    results.audits.push(audited());
    results.calibrations.push(calibrated());
    let text = markdown(&results);
    for told in [
        "1 of 40 labels on validation looks wrong, by 5 models that did not train on them",
        "| 1 | `train/김밥/001.jpg` | 김밥 | 냉면 | 0.060 | 90.0% |",
        "## How sure `baseline` is",
        "Temperature 1.500, fitted on validation.",
        "| validation | 1.500 | 5.0% [0.0, 9.0] | 1.0% to 12.0% | 0.250 | 0.500 |",
        "of validation: 96.0% [90.2, 98.4] on 50.0% of the photographs",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
}

/// One label of 40 that looks wrong.
fn audited() -> Audited {
    Audited {
        source: Default::default(),
        id: "labels".to_owned(),
        found: LabelIssues {
            judged: 40,
            models: 5,
            issues: vec![SuspiciousLabel {
                rank: 1,
                part: Part::Validation,
                path: "train/김밥/001.jpg".to_owned(),
                given: "김밥".to_owned(),
                suggested: "냉면".to_owned(),
                given_probability: 0.02,
                suggested_probability: 0.9,
                margin: 0.06,
            }],
        },
    }
}

/// A temperature, and a threshold that half of validation reaches.
fn calibrated() -> Calibrated {
    let interval = |low, high| Interval { low, high };
    let sureness = |ece| Sureness {
        loss: 0.5,
        ece,
        ece_interval: Some(interval(0.0, ece + 0.04)),
        ece_by_chance: Some(interval(0.01, 0.12)),
        brier: 0.25,
        bins: Vec::new(),
    };
    Calibrated {
        id: "sure".to_owned(),
        of: "baseline".to_owned(),
        found: Calibration {
            temperature: 1.5,
            fitted: true,
            parts: vec![CalibratedPart {
                part: Part::Validation,
                images: 200,
                before: sureness(0.1),
                after: sureness(0.05),
                coverage: Vec::new(),
            }],
            threshold: Some(Threshold {
                precision: 0.95,
                probability: Some(0.8),
                kept: vec![Sure {
                    images: 200,
                    answered: 100,
                    right: 96,
                    interval: interval(0.902, 0.984),
                }],
            }),
        },
    }
}
