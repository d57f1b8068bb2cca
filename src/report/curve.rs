//! The course of a training as compact text: a curve of block characters and a table of some epochs.

use super::{Align, Grid, percent, units::fixed, words};
use crate::{
    record::{Epoch, History, Measure},
    text::count,
};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A curve is at most so many characters wide.
const WIDTH: usize = 60;
/// A table has about so many rows.
const ROWS: usize = 10;

/// A character for each epoch (of many, evenly spaced ones), from the lowest value to the highest. Values that are not
/// finite are `?`.
pub(super) fn curve(values: &[f64]) -> String {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let block = |value: f64| {
        if !value.is_finite() {
            return '?';
        }
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.0
        };
        BLOCKS[((share * 7.0).round() as usize).min(7)]
    };
    spaced(values.len(), WIDTH)
        .map(|i| block(values[i]))
        .collect()
}

/// Lines under a training's heading: how it ended, its best epoch, and its curves.
pub(super) fn summary(history: &History) -> Vec<String> {
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
    let course = |name: &str, of: fn(&Epoch) -> Option<Measure>| {
        let values: Vec<f64> = history
            .epochs
            .iter()
            .filter_map(of)
            .map(|m| m.top1)
            .collect();
        let (first, last) = (values.first()?, values.last()?);
        Some(format!(
            "{name} `{}` {} to {}",
            curve(&values),
            percent(*first),
            percent(*last)
        ))
    };
    lines.extend(course("Train top-1:", |e| Some(e.train)));
    lines.extend(course("Validation top-1:", |e| e.validation));
    lines
}

/// Some epochs: the first, the best, the last, and evenly spaced ones between.
pub(super) fn epoch_grid(history: &History) -> Grid {
    let mut grid = Grid::new(&[
        ("epoch", Align::Right),
        ("lr", Align::Right),
        ("train loss", Align::Right),
        ("train top-1", Align::Right),
        ("validation loss", Align::Right),
        ("validation top-1", Align::Right),
    ]);
    let best = history
        .epochs
        .iter()
        .position(|e| e.epoch == history.best_epoch);
    let mut shown: Vec<usize> = spaced(history.epochs.len(), ROWS).chain(best).collect();
    shown.sort_unstable();
    shown.dedup();
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

/// A learning rate with three digits that matter: `0.001`, `0.000309`, `2.5e-6`.
pub(super) fn rate(lr: f64) -> String {
    let short: f64 = format!("{lr:.2e}").parse().unwrap_or(lr);
    if short != 0.0 && short.abs() < 1e-4 {
        format!("{short:e}")
    } else {
        format!("{short}")
    }
}

/// Places 0 to `n`, or `most` of them evenly spaced with both ends.
pub(super) fn spaced(n: usize, most: usize) -> impl Iterator<Item = usize> {
    let shown = n.min(most);
    (0..shown).map(move |i| {
        if shown < 2 {
            0
        } else {
            i * (n - 1) / (shown - 1)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_curve_runs_from_its_lowest_to_its_highest_value() {
        assert_eq!(curve(&[0.0, 0.5, 1.0, f64::NAN]), "▁▅█?");
        assert_eq!(curve(&[0.3, 0.3]), "▁▁");
        assert_eq!(curve(&[]), "");
        let long: Vec<f64> = (0..200).map(f64::from).collect();
        let drawn = curve(&long);
        assert_eq!(drawn.chars().count(), 60);
        assert!(drawn.starts_with('▁') && drawn.ends_with('█'));
    }

    #[test]
    fn a_training_is_told_in_a_few_lines() {
        assert_eq!(
            summary(&history(4, 3)),
            [
                "4 of 4 epochs.",
                "Best validation top-1: 50.0% after epoch 3.",
                "Train top-1: `▁▃▆█` 25.0% to 100.0%",
                "Validation top-1: `▁▁█▁` 25.0% to 25.0%",
            ]
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

    #[test]
    fn learning_rates_are_short() {
        assert_eq!(
            [0.001, 0.005, 0.0, 2.5e-6, 0.1].map(rate),
            ["0.001", "0.005", "0", "2.5e-6", "0.1"]
        );
    }
}
