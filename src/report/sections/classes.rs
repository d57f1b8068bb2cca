//! A part class by class, over the runs of a group: the classes' figures and the most frequent confusions.

use crate::{
    record::{Part, PartMetrics},
    report::{
        Axis, Block, Column, Drawing, Grid, Group, Scatter, Unit,
        by_class::{OfClass, by_class},
        percent, pooled,
        units::{fixed, share_between},
    },
    text::{count, number},
};

/// Confusions that are listed.
const CONFUSIONS: usize = 10;

/// The classes of one part; nothing unless all runs have it.
pub(super) fn blocks(group: &Group<'_>, part: Part) -> Vec<Block> {
    let runs = group.part(part);
    let Some(confusion) = pooled::confusion(&runs) else {
        return Vec::new();
    };
    let classes = by_class(group, part);
    let images: u64 = classes.iter().map(|class| class.images).sum();
    let several = match runs.len() {
        0 | 1 => String::new(),
        n => format!(", {}", count(n, "run")),
    };
    let heading = format!(
        "Classes on {} ({}{several})",
        part.name(),
        count(images, "image")
    );
    let mut blocks = vec![
        Block::heading(3, heading),
        Block::Table {
            grid: class_grid(&classes),
            notes: notes(&runs).into_iter().map(Into::into).collect(),
        },
        Block::Drawn(Drawing::Scatter(by_frequency(group, &classes))),
    ];
    blocks.extend(confusions(&classes, &confusion, runs.len()));
    blocks
}

/// What the intervals hold.
fn notes(runs: &[&PartMetrics]) -> Vec<&'static str> {
    match runs.len() {
        1 => vec!["Behind recall: Wilson's 95% interval over the images of the class."],
        _ if pooled::on_images_of_their_own(runs).len() == 1 => vec![
            "Recall is the mean of the runs; behind it its 95% interval over other images of the class and other runs. All runs judge the \
             same images, which count once. Precision and F1 are of the guesses of all runs together.",
        ],
        _ => vec![
            "Recall is the mean of the runs; behind it its 95% interval over other images of the class and other runs. Precision and F1 are of \
             the guesses of all runs together.",
        ],
    }
}

/// F1 of each class over its images: those of train where they were judged too, else those of this part.
fn by_frequency(group: &Group<'_>, classes: &[OfClass<'_>]) -> Scatter {
    let train = by_class(group, Part::Train);
    let of_train = train.len() == classes.len();
    let points = classes.iter().enumerate().filter(|(_, c)| c.images > 0);
    let points = points.map(|(i, c)| {
        let images = if of_train { train[i].images } else { c.images };
        (c.class.to_owned(), images as f64, c.f1)
    });
    let of = if of_train {
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
fn class_grid(classes: &[OfClass<'_>]) -> Grid {
    let mut grid = Grid::of([
        Column::left("class"),
        Column::right("images"),
        Column::right("precision").meaning("right among those predicted as it"),
        Column::right("recall (95% interval)").meaning("right among those that are it"),
        Column::right("F1").meaning("harmonic mean of precision and recall"),
    ]);
    let or_dash = |there: bool, text: String| if there { text } else { "–".to_owned() };
    let row = |c: &OfClass<'_>| {
        vec![
            c.class.to_owned(),
            number(c.images),
            or_dash(c.predicted > 0, percent(c.precision)),
            or_dash(c.images > 0, share_between(c.recall, c.recall_interval)),
            or_dash(c.images + c.predicted > 0, fixed(c.f1, 3)),
        ]
    };
    grid.rows = classes.iter().map(row).collect();
    grid
}

/// The most frequent confusions: `김치찌개 taken for 된장찌개: 7 of 40`; ties in the order of the classes.
fn confusions(classes: &[OfClass<'_>], confusion: &[Vec<u64>], runs: usize) -> Vec<Block> {
    let mut wrong: Vec<(u64, usize, usize)> = Vec::new();
    for (label, row) in confusion.iter().enumerate() {
        for (predicted, count) in row.iter().enumerate() {
            if label != predicted && *count > 0 {
                wrong.push((*count, label, predicted));
            }
        }
    }
    if wrong.is_empty() {
        return Vec::new();
    }
    wrong.sort_by_key(|(count, label, predicted)| (u64::MAX - count, *label, *predicted));
    let line = |(count, label, predicted): &(u64, usize, usize)| {
        let of: u64 = confusion[*label].iter().sum();
        format!(
            "{} taken for {}: {count} of {of}",
            classes[*label].class, classes[*predicted].class
        )
    };
    let told = match runs {
        1 => "Most frequent confusions:".to_owned(),
        n => format!("Most frequent confusions, among the guesses of {n} runs:"),
    };
    vec![
        Block::paragraph(told),
        Block::first_of(wrong.iter().map(line), CONFUSIONS, ""),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Document;

    fn class(class: &'static str, images: u64, predicted: u64) -> OfClass<'static> {
        OfClass {
            class,
            images,
            predicted,
            precision: 0.5,
            recall: 0.5,
            recall_interval: crate::stats::wilson(images / 2, images),
            f1: 0.5,
        }
    }

    #[test]
    fn the_most_frequent_confusions_come_first() {
        let classes = ["김치찌개", "된장찌개", "냉면"].map(|name| class(name, 40, 40));
        let counts = vec![vec![30, 7, 3], vec![3, 40, 0], vec![0, 0, 9]];
        assert_eq!(
            Document::new(confusions(&classes, &counts, 2)).markdown(),
            "\
Most frequent confusions, among the guesses of 2 runs:

- 김치찌개 taken for 된장찌개: 7 of 40
- 김치찌개 taken for 냉면: 3 of 40
- 된장찌개 taken for 김치찌개: 3 of 43
"
        );
    }

    #[test]
    fn a_class_of_which_nothing_is_known_has_dashes() {
        let rows = class_grid(&[class("된장찌개", 2, 0), class("냉면", 0, 0)]).rows;
        assert_eq!(
            rows[0],
            ["된장찌개", "2", "–", "50.0% (9.5 to 90.5)", "0.500"]
        );
        assert_eq!(rows[1], ["냉면", "0", "–", "–", "–"]);
    }
}
