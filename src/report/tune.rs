//! What trying a training out found, for a terminal.

use super::{
    Align, Grid, bytes,
    curve::{curve, rate, spaced},
    units::fixed,
};
use crate::record::{BatchSizes, LearningRates};

/// Rows of the table of learning rates.
const ROWS: usize = 15;

/// A table of some rates, the curve of all of them, and what to take.
#[must_use]
pub fn learning_rates(found: &LearningRates) -> String {
    let mut grid = Grid::new(&[
        ("lr", Align::Right),
        ("loss", Align::Right),
        ("smoothed", Align::Right),
    ]);
    for i in spaced(found.steps.len(), ROWS) {
        let step = &found.steps[i];
        grid.rows.push(vec![
            rate(step.lr),
            fixed(step.loss, 3),
            fixed(step.smoothed, 3),
        ]);
    }
    let mut text = grid.text(None);
    let smoothed: Vec<f64> = found.steps.iter().map(|s| s.smoothed).collect();
    if let (Some(first), Some(last)) = (found.steps.first(), found.steps.last()) {
        let ends = if found.diverged {
            ", where the loss diverges"
        } else {
            ""
        };
        text += &format!(
            "smoothed loss: {} from {} to {}{ends}\n",
            curve(&smoothed),
            rate(first.lr),
            rate(last.lr)
        );
    }
    text += &match (found.valley, found.steepest) {
        (Some(valley), Some(steepest)) => format!(
            "suggestion: lr = {} (valley); the loss falls fastest at {}\n",
            rate(valley),
            rate(steepest)
        ),
        _ => "no suggestion: the loss does not fall anywhere\n".to_owned(),
    };
    text
}

/// A table of all sizes, and what to take.
#[must_use]
pub fn batch_sizes(found: &BatchSizes) -> String {
    let mut grid = Grid::new(&[
        ("batch_size", Align::Right),
        ("images/s", Align::Right),
        ("peak memory", Align::Right),
    ]);
    for tried in &found.tries {
        grid.rows.push(vec![
            tried.batch_size.to_string(),
            fixed(tried.images_per_second, 1),
            tried.peak_memory.map_or_else(|| "-".to_owned(), bytes),
        ]);
    }
    let mut text = grid.text(None);
    text += &format!("no larger one was tried: {}\n", found.ended);
    if let (Some(fastest), Some(largest)) = (found.fastest, found.largest) {
        text += &format!("fastest: batch_size = {fastest}; largest that fits: {largest}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{BatchTry, RateStep};

    #[test]
    fn rates_are_a_table_a_curve_and_a_suggestion() {
        let step = |lr, loss, smoothed| RateStep { lr, loss, smoothed };
        let found = LearningRates {
            steps: vec![
                step(1e-4, 3.0, 3.0),
                step(1e-3, 2.0, 2.5),
                step(0.01, 9.0, 8.0),
            ],
            diverged: true,
            valley: Some(5.2e-4),
            steepest: Some(0.001),
        };
        let text = learning_rates(&found);
        assert!(text.contains("0.001  2.000     2.500"), "{text}");
        assert!(
            text.ends_with(
                "smoothed loss: ▂▁█ from 0.0001 to 0.01, where the loss diverges\n\
             suggestion: lr = 0.00052 (valley); the loss falls fastest at 0.001\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn sizes_are_a_table_and_the_reason_for_its_end() {
        let found = BatchSizes {
            tries: vec![BatchTry {
                batch_size: 8,
                images_per_second: 120.0,
                peak_memory: Some(1_200_000_000),
            }],
            ended: "memory ran out at 16".to_owned(),
            largest: Some(8),
            fastest: Some(8),
        };
        let text = batch_sizes(&found);
        assert!(text.contains("120.0") && text.contains("1.2 GB"), "{text}");
        assert!(text.ends_with(
            "no larger one was tried: memory ran out at 16\nfastest: batch_size = 8; largest that fits: 8\n"
        ));
    }
}
