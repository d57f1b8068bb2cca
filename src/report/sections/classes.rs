//! A part class by class, pooled over the runs of a group: the classes' figures and the most frequent confusions.

use super::mistakes::pooled;
use crate::{
    record::{ClassMetrics, Part},
    report::{Axis, Block, Column, Drawing, Grid, Group, Scatter, Unit, percent, units::fixed},
    stats,
    text::count,
};

/// Confusions that are listed.
const CONFUSIONS: usize = 10;

/// The classes of one part; nothing unless all runs have it.
pub(super) fn blocks(group: &Group<'_>, part: Part) -> Vec<Block> {
    let runs = group.part(part);
    let (Some(first), Some(confusion)) = (group.runs.first(), pooled(&runs)) else {
        return Vec::new();
    };
    let names = &first.evaluation.classes;
    let images: u64 = confusion.iter().flatten().sum();
    let pool = match runs.len() {
        0 | 1 => String::new(),
        n => format!(", {n} runs together"),
    };
    let heading = format!(
        "Classes on {} ({}{pool})",
        part.name(),
        count(images, "image")
    );
    let mut blocks = vec![
        Block::heading(3, heading),
        Block::table(class_grid(names, &confusion)),
    ];
    blocks.push(Block::Drawn(Drawing::Scatter(by_frequency(
        group, names, &confusion,
    ))));
    let wrong = confusions(names, &confusion, CONFUSIONS);
    if !wrong.is_empty() {
        blocks.push(Block::paragraph("Most frequent confusions:"));
        blocks.push(Block::list(wrong));
    }
    blocks
}

/// F1 of each class over its images: those of train where they were judged too, else those of this part.
fn by_frequency(group: &Group<'_>, classes: &[String], confusion: &[Vec<u64>]) -> Scatter {
    let train = group.part(Part::Train);
    let of_train = train.first().map(|part| part.per_class.as_slice());
    let of_train = of_train.filter(|of| of.len() == classes.len());
    let judged = stats::per_class(classes, confusion);
    let points = judged.iter().enumerate().filter(|(_, c)| c.images > 0);
    let points = points.map(|(i, c)| {
        let images = of_train.map_or(c.images, |of| of[i].images);
        (c.class.clone(), images as f64, c.f1)
    });
    let of = if of_train.is_some() {
        "training images"
    } else {
        "images"
    };
    Scatter {
        x: Axis::linear(of, Unit::Number),
        y: Axis::linear("F1", Unit::Share),
        points: points.collect(),
    }
}

/// Precision, recall and F1 of each class, in the order of the classes; a dash where there is nothing to say: recall of a class
/// without an image, precision of one that is never predicted, F1 of one that is neither.
fn class_grid(classes: &[String], confusion: &[Vec<u64>]) -> Grid {
    let mut grid = Grid::of([
        Column::left("class"),
        Column::right("images"),
        Column::right("precision").meaning("right among those predicted as it"),
        Column::right("recall").meaning("right among those that are it"),
        Column::right("F1").meaning("harmonic mean of precision and recall"),
    ]);
    let row = |(class, c): (usize, &ClassMetrics)| {
        let predicted: u64 = confusion.iter().map(|row| row[class]).sum();
        let or_dash = |there: bool, text: String| if there { text } else { "–".to_owned() };
        vec![
            c.class.clone(),
            c.images.to_string(),
            or_dash(predicted > 0, percent(c.precision)),
            or_dash(c.images > 0, percent(c.recall)),
            or_dash(c.images + predicted > 0, fixed(c.f1, 3)),
        ]
    };
    let classes = stats::per_class(classes, confusion);
    grid.rows = classes.iter().enumerate().map(row).collect();
    grid
}

/// The most frequent confusions: `김치찌개 taken for 된장찌개: 7 of 40`; ties in the order of the classes.
fn confusions(classes: &[String], confusion: &[Vec<u64>], most: usize) -> Vec<String> {
    let mut wrong: Vec<(u64, usize, usize)> = Vec::new();
    for (label, row) in confusion.iter().enumerate() {
        for (predicted, count) in row.iter().enumerate() {
            if label != predicted && *count > 0 {
                wrong.push((*count, label, predicted));
            }
        }
    }
    wrong.sort_by_key(|(count, label, predicted)| (u64::MAX - count, *label, *predicted));
    let name = |class: usize| classes.get(class).map_or("?", String::as_str);
    wrong
        .into_iter()
        .take(most)
        .map(|(count, label, predicted)| {
            let of: u64 = confusion[label].iter().sum();
            format!(
                "{} taken for {}: {count} of {of}",
                name(label),
                name(predicted)
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_confusions_come_first() {
        let classes = ["김치찌개", "된장찌개", "냉면"].map(str::to_owned);
        let counts = vec![vec![30, 7, 3], vec![3, 40, 0], vec![0, 0, 9]];
        assert_eq!(
            confusions(&classes, &counts, 2),
            [
                "김치찌개 taken for 된장찌개: 7 of 40",
                "김치찌개 taken for 냉면: 3 of 40"
            ]
        );
        assert_eq!(
            class_grid(&classes, &counts).rows[1],
            ["된장찌개", "43", "85.1%", "93.0%", "0.889"]
        );
        let rare = vec![vec![3, 0, 0], vec![1, 0, 0], vec![0, 0, 0]];
        let rows = class_grid(&classes, &rare).rows;
        assert_eq!(rows[1], ["된장찌개", "1", "–", "0.0%", "0.000"]);
        assert_eq!(rows[2], ["냉면", "0", "–", "–", "–"]);
    }
}
