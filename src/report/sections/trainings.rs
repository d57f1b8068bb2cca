//! The course of each training: how it ended, its best epoch, its curves and a table of its epochs.

use super::Asked;
use crate::{
    error::Result,
    record::{Epoch, History, Measure},
    report::{
        Axis, BegunTraining, Block, Column, Curve, Drawing, Grid, Multiples, Series, Trained, Unit,
        percent,
        undertrained::still_rising,
        units::{fixed, rate},
        words,
    },
    text::count,
};

/// So many epochs are listed one by one.
const ROWS: usize = 20;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let mut stages: Vec<(&str, Vec<&Trained>)> = Vec::new();
    for trained in &asked.results.trainings {
        match stages.iter_mut().find(|(name, _)| *name == trained.stage) {
            Some((_, of)) => of.push(trained),
            None => stages.push((&trained.stage, vec![trained])),
        }
    }
    let of_stage = |(stage, of): &(&str, Vec<&Trained>)| match of.as_slice() {
        [one] => of_training(2, one, true),
        several => of_several(stage, several, asked.page),
    };
    let mut blocks: Vec<Block> = stages.iter().flat_map(of_stage).collect();
    blocks.extend(asked.results.begun.iter().flat_map(of_begun));
    Ok(blocks)
}

/// The epochs so far of a training that has no result yet.
fn of_begun(begun: &BegunTraining) -> Vec<Block> {
    let history = &begun.history;
    let done = match history.epochs.last() {
        Some(last) => format!("{} of {} so far", last.epoch, count(last.of, "epoch")),
        None => "no epoch yet".to_owned(),
    };
    let state = match begun.is_running {
        true => "A run is at it now",
        false => "It was interrupted, and the next run goes on from there",
    };
    let mut blocks = vec![
        Block::heading(2, format!("Training `{}`, unfinished", begun.id)),
        Block::paragraph(format!("{state}: {done}.")),
    ];
    if history.epochs.len() > 1 {
        blocks.push(Block::Curve(curve(history)));
    }
    if !history.epochs.is_empty() {
        blocks.push(epoch_table(history));
    }
    blocks
}

/// The runs of one stage: where curves are drawn, they stand side by side over the same axes, and not once more below.
fn of_several(stage: &str, of: &[&Trained], page: bool) -> Vec<Block> {
    let curves = of.iter().filter(|t| t.history.epochs.len() > 1);
    let named = |t: &&Trained| {
        let name = t.id.strip_prefix(stage).unwrap_or(&t.id);
        let name = name.trim_start_matches('[').trim_end_matches(']');
        (name.to_owned(), curve(&t.history))
    };
    let panels: Vec<_> = curves.map(named).collect();
    let together = page && panels.len() > 1;
    let mut blocks = vec![Block::heading(2, format!("Trainings of `{stage}`"))];
    if together {
        blocks.push(Block::Drawn(Drawing::Multiples(Multiples { panels })));
    }
    let each = |t: &&Trained| of_training(3, t, !(together && t.history.epochs.len() > 1));
    blocks.extend(of.iter().flat_map(each));
    blocks
}

fn of_training(level: u8, trained: &Trained, drawn: bool) -> Vec<Block> {
    let history = &trained.history;
    let mut blocks = vec![
        Block::heading(level, format!("Training `{}`", trained.id)),
        Block::list(summary(history)),
    ];
    if history.epochs.is_empty() {
        return blocks;
    }
    if drawn {
        blocks.push(Block::Curve(curve(history)));
    }
    blocks.push(epoch_table(history));
    blocks
}

/// How it ended, and its best epoch.
fn summary(history: &History) -> Vec<String> {
    let Some(last) = history.epochs.last() else {
        return vec!["No epoch was finished.".to_owned()];
    };
    let mut lines = vec![format!("{} of {}.", last.epoch, count(last.of, "epoch"))];
    lines.extend(history.stopped_early.map(words::stopped_early));
    let best = history
        .epochs
        .iter()
        .find(|e| e.epoch == history.best_epoch);
    if let Some((best, validation)) = best.and_then(|e| Some((e, e.validation?))) {
        lines.push(format!(
            "Best validation top-1: {} after epoch {}.",
            percent(validation.top1),
            best.epoch
        ));
    }
    lines.extend(still_rising(history).map(words::still_rises));
    lines
}

/// Top-1 over the epochs.
fn curve(history: &History) -> Curve {
    let series = |name: &str, of: fn(&Epoch) -> Option<Measure>| {
        let point = |e: &Epoch| Some((f64::from(e.epoch), of(e)?.top1));
        let points: Vec<_> = history.epochs.iter().filter_map(point).collect();
        let ((_, first), (_, last)) = (points.first()?, points.last()?);
        Some(Series {
            name: name.to_owned(),
            in_words: format!("{} to {}", percent(*first), percent(*last)),
            points,
        })
    };
    let train = series("Train top-1", |e| Some(e.train));
    let validation = series("Validation top-1", |e| e.validation);
    Curve {
        x: Axis::linear("epoch", Unit::Number),
        y: Axis::linear("top-1", Unit::Share),
        series: train.into_iter().chain(validation).collect(),
    }
}

/// All epochs; of many every nth, with the first, the best and the last, and that is said.
fn epoch_table(history: &History) -> Block {
    let epochs = &history.epochs;
    let step = step(epochs.len());
    let ends = [epochs.first(), epochs.last()].map(|e| e.map(|e| e.epoch));
    let shown = epochs.iter().filter(|e| {
        (e.epoch as usize).is_multiple_of(step)
            || e.epoch == history.best_epoch
            || ends.contains(&Some(e.epoch))
    });
    let mut grid = Grid::of([
        Column::right("epoch"),
        Column::right("lr").meaning("learning rate"),
        Column::right("train loss").meaning("as augmented, while the weights moved"),
        Column::right("train top-1").meaning("as augmented, while the weights moved"),
        Column::right("validation loss").meaning("after the epoch"),
        Column::right("validation top-1").meaning("after the epoch"),
    ]);
    let row = |e: &Epoch| {
        let validation = |show: fn(&Measure) -> String| {
            e.validation.as_ref().map_or_else(|| "-".to_owned(), show)
        };
        vec![
            if e.epoch == history.best_epoch {
                format!("{} (best)", e.epoch)
            } else {
                e.epoch.to_string()
            },
            rate(e.lr),
            fixed(e.train.loss, 3),
            percent(e.train.top1),
            validation(|m| fixed(m.loss, 3)),
            validation(|m| percent(m.top1)),
        ]
    };
    grid.rows = shown.map(row).collect();
    let note = match step {
        1 => None,
        n => Some(format!(
            "Of {} every {n}th, with the first, the best and the last.",
            count(epochs.len(), "epoch")
        )),
    };
    Block::Table {
        grid,
        notes: note.into_iter().map(Into::into).collect(),
    }
}

/// A round number of epochs from row to row, so that there are about so many rows as are listed one by one, or fewer.
fn step(epochs: usize) -> usize {
    let round = [1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
    let step = round.into_iter().find(|step| epochs / step <= ROWS);
    step.unwrap_or(10_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Document;

    fn history(n: u32, best: u32) -> History {
        let epoch = |e: u32| Epoch {
            epoch: e,
            of: n,
            lr: 0.001 / f64::from(e),
            train: Measure {
                loss: 3.0 / f64::from(e),
                top1: f64::from(e) / f64::from(n),
            },
            validation: Some(Measure {
                loss: 2.5,
                top1: if e == best { 0.5 } else { 0.25 },
            }),
        };
        History {
            epochs: (1..=n).map(epoch).collect(),
            best_epoch: best,
            stopped_early: None,
        }
    }

    #[test]
    fn a_training_is_told_in_a_few_lines() {
        let history = history(4, 3);
        let blocks = vec![
            Block::list(summary(&history)),
            Block::Curve(curve(&history)),
        ];
        assert_eq!(
            Document::new(blocks).markdown(),
            "\
- 4 of 4 epochs.
- Best validation top-1: 50.0% after epoch 3.
- Train top-1: `▁▃▆█` 25.0% to 100.0%
- Validation top-1: `▁▁█▁` 25.0% to 25.0%
"
        );
        assert_eq!(summary(&History::default()), ["No epoch was finished."]);
    }

    fn listed(history: &History) -> (Vec<String>, String) {
        let table = epoch_table(history);
        let Block::Table { grid, .. } = &table else {
            panic!("{table:?}");
        };
        let epochs = grid.rows.iter().map(|row| row[0].clone()).collect();
        (epochs, Document::from(table).markdown())
    }

    #[test]
    fn a_long_training_says_which_epochs_it_lists() {
        let (epochs, text) = listed(&history(50, 17));
        assert_eq!(
            epochs,
            [
                "1",
                "5",
                "10",
                "15",
                "17 (best)",
                "20",
                "25",
                "30",
                "35",
                "40",
                "45",
                "50"
            ]
        );
        assert!(
            text.contains("Of 50 epochs every 5th, with the first, the best and the last."),
            "{text}"
        );
    }

    #[test]
    fn a_short_training_lists_every_epoch() {
        let (epochs, text) = listed(&history(12, 2));
        assert_eq!(epochs.len(), 12);
        assert!(!text.contains("every"), "{text}");
        assert!(
            text.contains("| 3 | 0.000333 | 1.000 | 25.0% | 2.500 | 25.0% |"),
            "{text}"
        );
    }

    fn runs() -> crate::report::Results {
        let mut results = crate::report::sample::results(Vec::new());
        let trained = |seed: u32| Trained {
            stage: "net".to_owned(),
            varied: Vec::new(),
            id: format!("net[seed={seed}]"),
            timing: None,
            started: 0,
            history: history(4, seed),
            fingerprint: None,
        };
        results.trainings = vec![trained(1), trained(2)];
        results
    }

    #[test]
    fn curves_that_stand_side_by_side_are_not_drawn_once_more() {
        let detail = crate::report::Detail {
            page: true,
            ..Default::default()
        };
        let drawn = |detail| {
            let document = crate::report::report(&runs(), None, detail).unwrap();
            let blocks = document.blocks.iter();
            let multiples = |b: &&Block| matches!(b, Block::Drawn(Drawing::Multiples(_)));
            let curves = |b: &&Block| matches!(b, Block::Curve(_));
            (
                blocks.clone().filter(multiples).count(),
                blocks.filter(curves).count(),
            )
        };
        assert_eq!(drawn(detail), (1, 0));
        // Where nothing is drawn each course is told in words.
        assert_eq!(drawn(Default::default()), (0, 2));
    }
}
