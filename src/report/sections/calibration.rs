//! How sure models are, how sure they may be, and from where on they may answer.

use super::Asked;
use crate::{
    error::Result,
    record::{Calibration, Coverage, Interval, Part, ReliabilityBin, Sure, Sureness},
    report::{
        Axis, Block, Calibrated, Column, Curve, Drawing, Figure, Grid, Multiples, Series,
        Uncalibrated, Unit, percent, units::fixed,
    },
    text::number,
};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let calibrations = &asked.results.calibrations;
    let mut blocks: Vec<Block> = calibrations.iter().flat_map(of_calibration).collect();
    blocks.extend(asked.results.sure.iter().flat_map(of_uncalibrated));
    Ok(blocks)
}

/// How sure a model says that it is.
fn of_uncalibrated(model: &Uncalibrated) -> Vec<Block> {
    let mut errors = error_table();
    for part in &model.parts {
        errors.rows.push(error(part.part, 1.0, &part.sureness));
    }
    let advice = format!(
        "As the model says it, at temperature 1. A calibrate stage (`[calibrate.sure]` with `from = \"{}\"`) fits a temperature on validation, and with `precision = 0.95` finds from which probability on the model may answer.",
        model.stage
    );
    let mut blocks = vec![
        Block::heading(2, format!("How sure `{}` is", model.of)),
        Block::paragraph(advice),
        Block::table(errors),
    ];
    if let Some(part) = model.parts.last() {
        blocks.push(Block::Curve(coverage(part.part, &part.coverage)));
        blocks.push(Block::paragraph(format!(
            "Reliability on {}:",
            part.part.name()
        )));
        let bins = &part.sureness.bins;
        blocks.push(Block::table(reliability(bins)));
        blocks.push(Block::Curve(diagram(bins)));
    }
    blocks
}

fn of_calibration(calibrated: &Calibrated) -> Vec<Block> {
    let found = &calibrated.found;
    let fitted = if found.fitted {
        format!(
            "Temperature {}, fitted on validation. Losses elsewhere in this report are at temperature 1.",
            fixed(found.temperature, 3)
        )
    } else {
        "On validation no temperature is the best, as where every image is right: it stays 1."
            .to_owned()
    };
    let mut blocks = vec![
        Block::heading(2, format!("How sure `{}` is", calibrated.of)),
        Block::paragraph(fitted),
        Block::table(errors(found)),
    ];
    blocks.extend(
        found
            .threshold
            .as_ref()
            .map(|_| Block::paragraph(promise(found))),
    );
    if let Some(part) = found.parts.last() {
        blocks.push(Block::Curve(coverage(part.part, &part.coverage)));
        blocks.push(Block::paragraph(format!(
            "Reliability on {}, under the temperature:",
            part.part.name()
        )));
        blocks.push(Block::table(reliability(&part.after.bins)));
        let panels = [
            ("before the temperature", &part.before),
            ("after it", &part.after),
        ];
        let panels = panels.map(|(name, of)| (name.to_owned(), diagram(&of.bins)));
        let panels = panels.to_vec();
        blocks.push(Block::Drawn(Drawing::Multiples(Multiples { panels })));
    }
    blocks
}

/// Errors of each part before and after.
fn errors(found: &Calibration) -> Grid {
    let mut grid = error_table();
    for part in &found.parts {
        for (temperature, sureness) in [(1.0, &part.before), (found.temperature, &part.after)] {
            grid.rows.push(error(part.part, temperature, sureness));
        }
    }
    grid
}

fn error_table() -> Grid {
    Grid::of([
        Column::left("part").heading(),
        Column::right("temperature"),
        Column::right("calibration error")
            .meaning("expected calibration error over 15 bins (Guo et al., 2017), with a 95% interval"),
        Column::right("by chance").meaning(
            "within which it lies for 95% of models that are as sure as they are right, on so many images (Bröcker and Smith, 2007)",
        ),
        Column::right("Brier score").meaning("over all classes, from 0 to 2"),
        Column::right("loss"),
    ])
}

fn error(part: Part, temperature: f64, sureness: &Sureness) -> Vec<String> {
    vec![
        part.name().to_owned(),
        fixed(temperature, 3),
        match sureness.ece_interval {
            Some(interval) => with_interval(sureness.ece, interval),
            None => percent(sureness.ece),
        },
        by_chance(sureness),
        fixed(sureness.brier, 3),
        fixed(sureness.loss, 3),
    ]
}

/// "4.0% to 14.2%".
fn by_chance(sureness: &Sureness) -> String {
    let told = |range: Interval| format!("{} to {}", percent(range.low), percent(range.high));
    sureness.ece_by_chance.map_or_else(|| "-".to_owned(), told)
}

/// "94.1% [91.2, 96.4]".
fn with_interval(share: f64, interval: Interval) -> String {
    let figure = Figure::of(&[share], &[interval]);
    figure.map_or_else(String::new, |figure| figure.percent())
}

/// "95.0% precision on 83.0% of the photographs of validation; test: 94.1% [91.2, 96.4] on 81.0%".
fn promise(found: &Calibration) -> String {
    let Some(threshold) = &found.threshold else {
        return String::new();
    };
    let wanted = percent(threshold.precision);
    let Some(probability) = threshold.probability else {
        return format!(
            "No probability has {wanted} precision on validation: there is no threshold."
        );
    };
    let share = |sure: &Sure| {
        let right = sure.right as f64 / (sure.answered as f64).max(1.0);
        let answered = sure.answered as f64 / (sure.images as f64).max(1.0);
        format!(
            "{} on {} of the photographs",
            with_interval(right, sure.interval),
            percent(answered)
        )
    };
    let parts = found.parts.iter().zip(&threshold.kept);
    let kept: Vec<_> = parts
        .map(|(part, sure)| format!("{}: {}", part.part.name(), share(sure)))
        .collect();
    format!(
        "{wanted} precision is asked for. Chosen on validation: from a probability of {} on the model answers, and below it says “unknown”. Right are, of {}.",
        fixed(probability, 3),
        kept.join("; of ")
    )
}

fn coverage(part: Part, coverage: &[Coverage]) -> Curve {
    let points = coverage.iter().map(|c| (c.coverage, c.accuracy));
    let points: Vec<_> = points.collect();
    let words = |(coverage, accuracy): &(f64, f64)| {
        format!("{} right on {}", percent(*accuracy), percent(*coverage))
    };
    let ends = [points.first(), points.last()];
    let ends: Vec<_> = ends.into_iter().flatten().map(words).collect();
    Curve {
        x: Axis::linear("photographs answered, the surest first", Unit::Share),
        y: Axis::linear("right", Unit::Share),
        series: vec![Series {
            name: format!("{}: right among the surest", part.name()),
            in_words: ends.join(", "),
            points,
        }],
    }
}

/// How often guesses of each confidence are right, with the interval of that, beside how often they would be where they are as sure as
/// they are right.
fn diagram(bins: &[ReliabilityBin]) -> Curve {
    let filled = || bins.iter().filter(|bin| bin.images > 0);
    let series = |name: &str, points| Series {
        name: name.to_owned(),
        points,
        in_words: String::new(),
    };
    Curve {
        x: Axis::linear("probability of the first guess", Unit::Share),
        y: Axis::linear("right", Unit::Share),
        series: vec![
            series(
                "right",
                filled().map(|b| (b.confidence, b.accuracy)).collect(),
            ),
            series(
                "from (95%)",
                filled().map(|b| (b.confidence, b.interval.low)).collect(),
            ),
            series(
                "to (95%)",
                filled().map(|b| (b.confidence, b.interval.high)).collect(),
            ),
            series("as sure as right", vec![(0.0, 0.0), (1.0, 1.0)]),
        ],
    }
}

/// Bins with an image.
fn reliability(bins: &[ReliabilityBin]) -> Grid {
    let mut grid = Grid::of([
        Column::left("probability of the first guess"),
        Column::right("images"),
        Column::right("mean"),
        Column::right("right").meaning("with Wilson's 95% interval"),
    ]);
    let filled = bins.iter().filter(|bin| bin.images > 0);
    let row = |bin: &ReliabilityBin| {
        vec![
            format!("{} to {}", percent(bin.from), percent(bin.to)),
            number(bin.images),
            percent(bin.confidence),
            with_interval(bin.accuracy, bin.interval),
        ]
    };
    grid.rows = filled.map(row).collect();
    grid
}
