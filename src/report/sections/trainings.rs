//! The course of each training: how it ended, its best epoch, its curves and a table of some epochs.

use super::Asked;
use crate::{
    error::Result,
    record::{Epoch, History, Measure},
    report::{
        Axis, Block, Column, Curve, Grid, Series, Unit, percent,
        spaced::spaced,
        units::{fixed, rate},
        words,
    },
    text::count,
};

/// A table has about so many rows.
const ROWS: usize = 10;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    for trained in &asked.results.trainings {
        blocks.push(Block::heading(2, format!("Training `{}`", trained.id)));
        blocks.push(Block::list(summary(&trained.history)));
        if !trained.history.epochs.is_empty() {
            blocks.push(Block::Curve(curve(&trained.history)));
            blocks.push(Block::table(epoch_grid(&trained.history)));
        }
    }
    Ok(blocks)
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
    lines
}

/// Top-1 over the epochs.
pub(super) fn curve(history: &History) -> Curve {
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

/// Some epochs: the first, the best, the last, and evenly spaced ones between.
fn epoch_grid(history: &History) -> Grid {
    let best = history
        .epochs
        .iter()
        .position(|e| e.epoch == history.best_epoch);
    let mut shown: Vec<usize> = spaced(history.epochs.len(), ROWS).chain(best).collect();
    shown.sort_unstable();
    shown.dedup();
    let epoch = Column::right("epoch");
    let mut grid = Grid::of([
        match shown.len() < history.epochs.len() {
            true => epoch.meaning("the first, the best, the last, and some between"),
            false => epoch,
        },
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
    grid.rows = shown.into_iter().map(|i| row(&history.epochs[i])).collect();
    grid
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

    #[test]
    fn a_long_training_shows_its_ends_its_best_and_some_between() {
        let epochs: Vec<_> = epoch_grid(&history(50, 17))
            .rows
            .iter()
            .map(|row| row[0].clone())
            .collect();
        assert_eq!(
            epochs,
            [
                "1",
                "6",
                "11",
                "17 (best)",
                "22",
                "28",
                "33",
                "39",
                "44",
                "50"
            ]
        );
        let rows = epoch_grid(&history(3, 2)).rows;
        assert_eq!(
            rows[2],
            ["3", "0.000333", "1.000", "100.0%", "2.500", "25.0%"]
        );
    }
}
