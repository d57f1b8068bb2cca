//! The whole report as Markdown.

use super::{
    Align, Grid, Group, Results,
    classes::{class_grid, confusions, pooled},
    compare::{compare, comparison_grid},
    curve::{epoch_grid, summary},
    figure::Figure,
    table::table,
    units::{bytes, duration, fixed},
    words,
};
use crate::{
    error::Result,
    record::{EpochTiming, EvaluatePart, Fingerprint, Gap},
    text::{number, shown},
};

/// Images that are listed of those that are not used.
const UNUSED: usize = 100;
/// Confusions that are listed.
const CONFUSIONS: usize = 10;

/// The report of a pipeline: table, comparisons on `part`, each evaluation with its reading, gaps, classes and confusions on
/// `part`, the course of each training, and the machines. `part` is the best known one (test, else validation, else train)
/// unless given.
///
/// # Errors
/// When the predictions of an evaluation do not fit its metrics.
pub fn markdown(results: &Results, part: Option<EvaluatePart>) -> Result<String> {
    let mut text = format!(
        "# Results of `{}`\n\nMade by kfood {} from this file alone: the same file, data, seed and fingerprint (at the end) give the \
         same numbers.\n",
        results.pipeline,
        env!("CARGO_PKG_VERSION"),
    );
    if results.evaluations.is_empty() {
        text += "\nNothing was evaluated.\n";
    } else {
        text += &format!("\n## Results\n\n{}", table(results).markdown());
        text += &comparisons(results, part.unwrap_or(EvaluatePart::Test))?;
    }
    for group in results.groups() {
        text += &evaluation(&group, part);
    }
    text += &unused(results);
    text += &trainings(results);
    text += &machines(results);
    text += &times(results);
    Ok(text)
}

/// Who is in no part, and why.
fn unused(results: &Results) -> String {
    let mut text = String::new();
    for unused in &results.unused {
        if text.is_empty() {
            text += "\n## Images that are not used\n";
        }
        let (n, of) = (unused.images.len() as u64, unused.of as u64);
        text += &format!(
            "\n`{}` {} {} of {} images:\n\n",
            unused.id,
            words::leaves_out(unused.why),
            number(n),
            number(of)
        );
        for (path, told) in unused.images.iter().take(UNUSED) {
            let why = words::why_unused(unused.why, told);
            text += &format!("- `{}`: {why}\n", shown(path));
        }
        if unused.images.len() > UNUSED {
            text += &format!("- … and {} more\n", unused.images.len() - UNUSED);
        }
    }
    text
}

fn comparisons(results: &Results, part: EvaluatePart) -> Result<String> {
    let found = compare(results, part)?;
    if found.is_empty() {
        return Ok(String::new());
    }
    let (grid, notes) = comparison_grid(&found);
    Ok(format!(
        "\n## Comparisons\n\n{}\n{}\n",
        grid.markdown(),
        notes.join("\n\n")
    ))
}

fn evaluation(group: &Group<'_>, part: Option<EvaluatePart>) -> String {
    let mut text = format!("\n## Evaluation `{}`\n", group.name);
    for run in &group.runs {
        let label = if group.runs.len() > 1 {
            format!("`{}`: ", run.id)
        } else {
            String::new()
        };
        for sentence in words::reading(run) {
            text += &format!("\n- {label}{sentence}");
        }
    }
    text.push('\n');
    let gaps = gap_grid(group);
    if !gaps.rows.is_empty() {
        text += &format!("\n### Gaps\n\n{}", gaps.markdown());
    }
    text += &leaks(group);
    let known = [
        EvaluatePart::Test,
        EvaluatePart::Validation,
        EvaluatePart::Train,
    ];
    let wanted = part.or_else(|| known.into_iter().find(|p| !group.part(*p).is_empty()));
    wanted.map_or(text.clone(), |part| text + &classes(group, part))
}

/// Differences between parts; their mean and spread over several runs.
fn gap_grid(group: &Group<'_>) -> Grid {
    let mut grid = Grid::new(&[
        ("from", Align::Left),
        ("to", Align::Left),
        ("difference in points", Align::Right),
    ]);
    let Some(first) = group.runs.first() else {
        return grid;
    };
    for gap in &first.evaluation.gaps {
        let same = |other: &&Gap| (other.from, other.to) == (gap.from, gap.to);
        let of_runs = group
            .runs
            .iter()
            .filter_map(|run| run.evaluation.gaps.iter().find(same));
        let values: Vec<f64> = of_runs.map(|g| g.difference).collect();
        let Some(figure) = Figure::of(&values, &[gap.interval]) else {
            continue;
        };
        // Points rather than percent: a difference of shares is no share.
        let cell = figure.percent().replace('%', "");
        grid.rows.push(vec![
            gap.from.name().to_owned(),
            gap.to.name().to_owned(),
            cell,
        ]);
    }
    grid
}

/// How many images of each part look like training images, and what the rest scores; of the first run of a group that has any.
fn leaks(group: &Group<'_>) -> String {
    let mut runs = group
        .runs
        .iter()
        .filter_map(|run| run.evaluation.leaks.as_ref());
    let Some(leaks) = runs.find(|leaks| leaks.parts.iter().any(|p| p.like_train > 0)) else {
        return String::new();
    };
    let mut grid = Grid::new(&[
        ("part", Align::Left),
        ("images", Align::Right),
        ("like training images", Align::Right),
        ("top-1 with them", Align::Right),
        ("without", Align::Right),
    ]);
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    for part in &leaks.parts {
        grid.rows.push(vec![
            part.part.name().to_owned(),
            number(part.images),
            number(part.like_train),
            percent(part.top1),
            part.top1_without.map_or("none left".to_owned(), percent),
        ]);
    }
    format!("\n### Look-alikes\n\n{}", grid.markdown())
}

fn classes(group: &Group<'_>, part: EvaluatePart) -> String {
    let runs = group.part(part);
    let (Some(first), Some(confusion)) = (group.runs.first(), pooled(&runs)) else {
        return String::new();
    };
    let names = &first.evaluation.classes;
    let images: u64 = confusion.iter().flatten().sum();
    let pool = if runs.len() > 1 {
        format!(", {} runs together", runs.len())
    } else {
        String::new()
    };
    let mut text = format!(
        "\n### Classes on {} ({} images{pool})\n\n{}",
        part.name(),
        number(images),
        class_grid(names, &confusion).markdown()
    );
    let wrong = confusions(names, &confusion, CONFUSIONS);
    if !wrong.is_empty() {
        text += "\nMost frequent confusions:\n\n";
        for line in wrong {
            text += &format!("- {line}\n");
        }
    }
    text
}

fn trainings(results: &Results) -> String {
    let mut text = String::new();
    for trained in &results.trainings {
        text += &format!("\n## Training `{}`\n", trained.id);
        for line in summary(&trained.history) {
            text += &format!("\n- {line}");
        }
        text.push('\n');
        if !trained.history.epochs.is_empty() {
            text += &format!("\n{}", epoch_grid(&trained.history).markdown());
        }
    }
    text
}

/// What each training took.
fn times(results: &Results) -> String {
    let mut grid = Grid::new(&[
        ("training", Align::Left),
        ("epochs", Align::Right),
        ("time", Align::Right),
        ("training images/s", Align::Right),
        ("slowest and fastest epoch", Align::Right),
        ("peak memory", Align::Right),
    ]);
    for trained in &results.trainings {
        let Some(timing) = &trained.timing else {
            continue;
        };
        let rates = || timing.epochs.iter().map(EpochTiming::images_per_second);
        let slowest = rates().fold(f64::INFINITY, f64::min);
        let fastest = rates().fold(0.0, f64::max);
        let peak = timing.epochs.iter().filter_map(|e| e.peak_memory).max();
        grid.rows.push(vec![
            format!("`{}`", trained.id),
            timing.epochs.len().to_string(),
            duration(timing.seconds),
            fixed(timing.images_per_second, 0),
            format!("{} to {}", fixed(slowest, 0), fixed(fastest, 0)),
            peak.map_or_else(|| "-".to_owned(), bytes),
        ]);
    }
    if grid.rows.is_empty() {
        return String::new();
    }
    format!(
        "\n## Time and memory\n\nOf the run that made a result; no part of it.\n\n{}",
        grid.markdown()
    )
}

/// The machine of each result; one row for neighbours with equal fingerprints.
fn machines(results: &Results) -> String {
    let trained = results.trainings.iter().map(|t| (&t.id, &t.fingerprint));
    let evaluated = results.evaluations.iter().map(|e| (&e.id, &e.fingerprint));
    let mut found: Vec<(&Fingerprint, Vec<String>)> = Vec::new();
    for (id, fingerprint) in trained.chain(evaluated) {
        let Some(fingerprint) = fingerprint else {
            continue;
        };
        match found.iter_mut().find(|(known, _)| *known == fingerprint) {
            Some((_, ids)) => ids.push(format!("`{id}`")),
            None => found.push((fingerprint, vec![format!("`{id}`")])),
        }
    }
    if found.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[
        ("device", Align::Left),
        ("precision", Align::Left),
        ("CPU capability", Align::Left),
        ("threads", Align::Right),
        ("libtorch", Align::Left),
        ("stages", Align::Left),
    ]);
    for (f, ids) in found {
        grid.rows.push(vec![
            f.device.clone(),
            f.precision.clone(),
            f.cpu_capability.clone(),
            f.threads.to_string(),
            f.libtorch.clone(),
            ids.join(", "),
        ]);
    }
    format!("\n## Fingerprint\n\n{}", grid.markdown())
}

#[cfg(test)]
mod tests {
    use super::super::{
        Trained,
        sample::{evaluated, evaluated_on, results, rights},
    };
    use super::*;
    use crate::record::{Epoch, History, Measure, Timing};

    const EXPECTED: &str = "\
# Results of `pipelines/mission1.toml`

Made by kfood VERSION from this file alone: the same file, data, seed and fingerprint (at the end) give the same numbers.

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

| class | images | precision | recall | F1 |
| --- | ---: | ---: | ---: | ---: |
| 김치찌개 | 3 | 50.0% | 66.7% | 0.571 |
| 냉면 | 3 | 66.7% | 66.7% | 0.667 |
| 된장찌개 | 3 | 50.0% | 33.3% | 0.400 |

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
| `resnet18` | 2 | 20 s | 125 | 100 to 167 | 2.1 GB |
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
            (EvaluatePart::Train, train.as_slice()),
            (EvaluatePart::Test, test.as_slice()),
        ];
        let mut results = results(vec![evaluated_on("baseline", &[], &parts)]);
        results.trainings.push(trained());
        let expected = EXPECTED.replace("VERSION", env!("CARGO_PKG_VERSION"));
        assert_eq!(markdown(&results, None).unwrap(), expected);
    }

    #[test]
    fn repeated_runs_are_told_together() {
        let runs = [("1", 30), ("2", 33)]
            .map(|(seed, hits)| evaluated("a", &[("seed", seed)], &rights(hits, 60)));
        let other = evaluated("b", &[], &rights(10, 60));
        let results = results(runs.into_iter().chain([other]).collect());
        let text = markdown(&results, None).unwrap();
        assert!(
            text.contains("### Classes on test (120 images, 2 runs together)"),
            "{text}"
        );
        assert!(
            text.contains("- `a[seed=2]`: Top-1 is 55.0% on test"),
            "{text}"
        );
        assert!(text.contains("| a beats b |"), "{text}");
        assert_eq!(text, markdown(&results, None).unwrap());
    }

    #[test]
    fn an_empty_pipeline_has_a_report_too() {
        let text = markdown(&results(Vec::new()), None).unwrap();
        assert!(text.ends_with("\nNothing was evaluated.\n"), "{text}");
    }
}
