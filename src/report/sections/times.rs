//! What each training took.

use super::Asked;
use crate::{
    error::Result,
    record::EpochTiming,
    report::{Block, Column, Grid, bytes, duration, units::fixed},
};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let mut grid = Grid::of([
        Column::left("training").heading(),
        Column::right("epochs"),
        Column::right("time").meaning("of all epochs, validation included"),
        Column::right("training images/s").meaning("validation not included"),
        Column::right("slowest and fastest epoch").meaning("in training images a second"),
        Column::right("peak memory"),
    ]);
    for trained in &asked.results.trainings {
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
            spread(&fixed(slowest, 0), &fixed(fastest, 0)),
            peak.map_or_else(|| "-".to_owned(), bytes),
        ]);
    }
    if grid.rows.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Block::heading(2, "Time and memory"),
        Block::paragraph("Of the run that made a result; no part of it."),
        Block::table(grid),
    ])
}
/// The least and the most, once where they read alike.
fn spread(least: &str, most: &str) -> String {
    match least == most {
        true => least.to_owned(),
        false => format!("{least}–{most}"),
    }
}
