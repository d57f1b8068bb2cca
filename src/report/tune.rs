//! What trying a training out found.

use super::{
    Axis, Block, Column, Curve, Document, Grid, Series, Unit, bytes,
    spaced::spaced,
    units::{fixed, rate},
    words,
};
use crate::{
    record::{BatchSizes, LearningRates},
    text::count,
};

/// Rows of the table of learning rates.
const ROWS: usize = 15;

/// A table of some rates, the curve of all of them, and what to take.
#[must_use]
pub fn learning_rates(found: &LearningRates) -> Document {
    let mut grid = Grid::of([
        Column::right("lr").meaning("learning rate"),
        Column::right("loss").meaning("of the batch of this step"),
        Column::right("smoothed").meaning("exponential mean of the losses so far"),
    ]);
    for i in spaced(found.steps.len(), ROWS) {
        let step = &found.steps[i];
        grid.rows.push(vec![
            rate(step.lr),
            fixed(step.loss, 3),
            fixed(step.smoothed, 3),
        ]);
    }
    let left_out = grid.rows.len() < found.steps.len();
    let note = left_out.then(|| {
        format!(
            "{} of {}; the curve has all.",
            grid.rows.len(),
            count(found.steps.len(), "step")
        )
    });
    let notes = note.into_iter().map(Into::into).collect();
    let mut blocks = vec![Block::Table { grid, notes }];
    blocks.extend(smoothed(found).map(Block::Curve));
    blocks.push(Block::paragraph(match (found.valley, found.steepest) {
        (Some(valley), Some(steepest)) => format!(
            "suggestion: lr = {} (valley); the loss falls fastest at {}",
            rate(valley),
            rate(steepest)
        ),
        _ => "no suggestion: the loss does not fall anywhere".to_owned(),
    }));
    Document::new(blocks)
}

/// The smoothed loss over the rates.
fn smoothed(found: &LearningRates) -> Option<Curve> {
    let (first, last) = (found.steps.first()?, found.steps.last()?);
    let ends = if found.diverged {
        ", where the loss diverges"
    } else {
        ""
    };
    Some(Curve {
        x: Axis::logarithmic("learning rate"),
        y: Axis::linear("loss", Unit::Number),
        series: vec![Series {
            name: "smoothed loss".to_owned(),
            points: found.steps.iter().map(|s| (s.lr, s.smoothed)).collect(),
            in_words: format!("from {} to {}{ends}", rate(first.lr), rate(last.lr)),
        }],
    })
}

/// A table of all sizes, and what to take.
#[must_use]
pub fn batch_sizes(found: &BatchSizes) -> Document {
    let mut grid = Grid::of([
        Column::right("batch_size"),
        Column::right("images/s").meaning("training images a second, loading included"),
        Column::right("peak memory"),
    ]);
    for tried in &found.tries {
        grid.rows.push(vec![
            tried.batch_size.to_string(),
            fixed(tried.images_per_second, 1),
            tried.peak_memory.map_or_else(|| "-".to_owned(), bytes),
        ]);
    }
    let mut blocks = vec![
        Block::table(grid),
        Block::paragraph(format!(
            "no larger one was tried: {}",
            words::ended(found.ended)
        )),
    ];
    if let (Some(fastest), Some(largest)) = (found.fastest, found.largest) {
        blocks.push(Block::paragraph(format!(
            "fastest: batch_size = {fastest}; largest that fits: {largest}"
        )));
    }
    Document::new(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{BatchTry, Ended, RateStep};

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
        let text = learning_rates(&found).terminal(None);
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
            ended: Ended::MemoryRanOut { batch_size: 16 },
            largest: Some(8),
            fastest: Some(8),
        };
        let text = batch_sizes(&found).terminal(None);
        assert!(text.contains("120.0") && text.contains("1.2 GB"), "{text}");
        assert!(text.ends_with(
            "no larger one was tried: memory ran out at 16\nfastest: batch_size = 8; largest that fits: 8\n"
        ));
    }
}
