//! Which recipe is better on the same images.

use super::Asked;
use crate::{
    error::Result,
    record::Part,
    report::{
        Block, Column, Comparison, Grid, Results, Verdict, compare, percent,
        units::{p_value, points},
    },
    text::count,
};

/// Recipes are chosen by validation and judged on test, so they stand in this order.
const PARTS: [Part; 2] = [Part::Validation, Part::Test];

/// Asks for every pair of recipes.
fn all(_: &str, _: &str) -> bool {
    true
}

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let blocks = match asked.part {
        Some(part) => comparison_blocks(&compare(asked.results, part, all)?),
        None => compared(asked.results, all)?,
    };
    if blocks.is_empty() {
        return Ok(blocks);
    }
    Ok([vec![Block::heading(2, "Comparisons")], blocks].concat())
}

/// What may be said against each other of recipes that are `asked` for by their names: on validation, then on test; nothing where nothing
/// can be compared.
///
/// # Errors
/// When the predictions of an evaluation do not fit its metrics.
pub fn compared(results: &Results, asked: impl Fn(&str, &str) -> bool) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut all = Vec::new();
    for part in PARTS {
        let of_part = compare(results, part, &asked)?;
        if !of_part.is_empty() {
            blocks.push(table(&of_part));
        }
        all.push(of_part);
    }
    blocks.extend(how_to_read(&all).into_iter().map(Block::paragraph));
    if !blocks.is_empty() {
        blocks.extend(judged_before(results).map(Block::paragraph));
    }
    Ok(blocks)
}

/// How often the test images were asked already.
fn judged_before(results: &Results) -> Option<String> {
    let tests = results.evaluations.iter();
    let tests = tests.filter_map(|run| run.part(Part::Test));
    let judged = tests.filter_map(|part| Some((results.judged.get(&part.members)?, part.images)));
    let (models, images) = judged.max_by_key(|(models, _)| **models)?;
    (*models > 1).then(|| {
        format!(
            "In this cache {} were evaluated on the same {}. The best of many on one test set is partly luck: choose on validation, and ask \
             the test set once.",
            count(*models, "model"),
            count(images, "test image")
        )
    })
}

/// Comparisons on one part as a table, with notes on how to read them; nothing where nothing was compared.
#[must_use]
pub fn comparison_blocks(comparisons: &[Comparison]) -> Vec<Block> {
    if comparisons.is_empty() {
        return Vec::new();
    }
    let notes = how_to_read(&[comparisons.to_vec()]).into_iter();
    let mut blocks = vec![table(comparisons)];
    blocks.extend(notes.map(Block::paragraph));
    blocks
}

fn table(comparisons: &[Comparison]) -> Block {
    let mut grid = Grid::of([
        Column::left("on")
            .heading()
            .meaning("the part, with its images"),
        Column::left("verdict"),
        Column::left("first"),
        Column::left("second"),
        Column::right("top-1").meaning("mean share of right first guesses of either side"),
        Column::right("difference (95% interval)")
            .meaning("in percentage points, over images and runs"),
        Column::right("p").meaning("of the difference, by Holm's adjustment over this table"),
        Column::right("McNemar p")
            .extra()
            .meaning("of McNemar's exact test, one for each pair of runs"),
    ]);
    grid.rows = comparisons.iter().map(cells).collect();
    Block::table(grid)
}

/// What holds for tables of comparisons; nothing where there is none.
fn how_to_read(tables: &[Vec<Comparison>]) -> Vec<String> {
    if tables.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    let judged = |table: &Vec<Comparison>| table.iter().filter(|c| c.adjusted_p.is_some()).count();
    let most = tables.iter().map(judged).max().unwrap_or(0);
    let mut said = vec![
        "Differences are in percentage points on the same images. McNemar's p is exact, one for each pair of runs, and of one run \
         against each run of the other side: it tells two models apart, not two recipes."
            .to_owned(),
    ];
    if most > 0 {
        let adjusted = match most {
            1 => String::new(),
            n => format!(", here after Holm's adjustment for {n} comparisons"),
        };
        said.push(format!(
            "The 95% interval is of the recipes, over other images and other seeds or folds, and knows how few runs there are. \
             \"Beats\" is said only where p is below 0.05{adjusted}."
        ));
    }
    let mut every = tables.iter().flatten();
    if every.any(|c| c.verdict == Verdict::OneRun) {
        said.push(
            "Where a side has one run, no verdict is given: another seed may differ by as much. Three runs a side tell more: `matrix.seed = [1, 2, 3]` in the training."
                .to_owned(),
        );
    }
    said
}

fn cells(c: &Comparison) -> Vec<String> {
    let p: Vec<_> = c.tests.iter().map(|t| p_value(t.p)).collect();
    vec![
        format!("{} ({})", c.part.name(), c.images),
        match c.verdict {
            Verdict::Beats => format!("{} beats {}", c.first, c.second),
            Verdict::NoClearDifference => "no clear difference".to_owned(),
            Verdict::OneRun => "none: one run".to_owned(),
            Verdict::SameAnswers => "the same answers".to_owned(),
        },
        named(&c.first, c.first_runs),
        named(&c.second, c.second_runs),
        format!(
            "{} against {}",
            percent(c.first_top1),
            percent(c.second_top1)
        ),
        match c.spread.map(|spread| spread.interval) {
            Some(interval) => format!(
                "{} ({} to {})",
                points(c.difference),
                points(interval.low),
                points(interval.high)
            ),
            None => points(c.difference),
        },
        c.adjusted_p.map_or_else(|| "-".to_owned(), p_value),
        match p.as_slice() {
            [] => "-".to_owned(),
            p => p.join(", "),
        },
    ]
}

/// What recipes are to each other, a line for each pair, on the part on which recipes are chosen, else on test; of more than so many
/// pairs only how many verdicts there are. Pairs of which nothing is judged are told where no other is.
///
/// # Errors
/// When the predictions of an evaluation do not fit its metrics.
pub(super) fn in_short(results: &Results, most: usize) -> Result<Vec<String>> {
    for part in PARTS {
        let mut found = compare(results, part, all)?;
        found.retain(|c| c.verdict != Verdict::SameAnswers);
        if found.iter().any(|c| c.spread.is_some()) {
            found.retain(|c| c.spread.is_some());
        }
        if found.len() > most {
            let beats = found.iter().filter(|c| c.verdict == Verdict::Beats).count();
            return Ok(vec![format!(
                "In {beats} of {} on {} one recipe beats the other: “Comparisons”.",
                count(found.len(), "comparison"),
                part.name()
            )]);
        }
        if !found.is_empty() {
            return Ok(found.iter().map(line).collect());
        }
    }
    Ok(Vec::new())
}

fn line(c: &Comparison) -> String {
    let (first, second) = (&c.first, &c.second);
    let facts = format!(
        "{} against {} on {}",
        percent(c.first_top1),
        percent(c.second_top1),
        c.part.name()
    );
    match c.verdict {
        Verdict::Beats => format!("`{first}` beats `{second}`: {facts}."),
        Verdict::NoClearDifference => {
            format!("Between `{first}` and `{second}` no difference is clear: {facts}.")
        }
        Verdict::SameAnswers => format!("`{first}` and `{second}` give the same answers: {facts}."),
        Verdict::OneRun => format!(
            "`{first}` and `{second}` have {facts}; where a side has one run, no verdict is given."
        ),
    }
}

fn named(group: &str, runs: usize) -> String {
    if runs == 1 {
        group.to_owned()
    } else {
        format!("{group} (n = {runs})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Evaluated, compare::tests::run, sample::results};

    fn table(runs: Vec<Evaluated>) -> (Vec<String>, Vec<Block>) {
        let blocks = compared(&results(runs), all).unwrap();
        let [Block::Table { grid, .. }, notes @ ..] = blocks.as_slice() else {
            panic!("{blocks:?}");
        };
        (grid.rows[0].clone(), notes.to_vec())
    }

    #[test]
    fn of_recipes_with_several_runs_a_verdict_is_given() {
        let (row, notes) = table(vec![
            run("baseline", 1, 50, 0),
            run("baseline", 2, 51, 0),
            run("better", 1, 80, 0),
            run("better", 2, 79, 0),
        ]);
        assert_eq!(
            row,
            [
                "test (100)",
                "better beats baseline",
                "better (n = 2)",
                "baseline (n = 2)",
                "79.5% against 50.5%",
                "29.0 (19.7 to 38.3)",
                "<0.001",
                "<0.001, <0.001"
            ]
        );
        assert_eq!(notes.len(), 2);
    }

    #[test]
    fn of_one_run_no_verdict_is_given_however_large_the_difference() {
        let (row, notes) = table(vec![run("baseline", 1, 20, 0), run("better", 1, 90, 0)]);
        assert_eq!(row[1], "none: one run");
        assert_eq!(row[5..], ["70.0", "-", "<0.001"]);
        let Some(Block::Paragraph(text)) = notes.last() else {
            panic!("{notes:?}");
        };
        let text = format!("{text:?}");
        assert!(text.contains("no verdict is given"), "{text}");
    }

    #[test]
    fn the_first_screen_tells_verdicts_and_of_many_how_many_there_are() {
        let judged = [
            run("baseline", 1, 50, 0),
            run("baseline", 2, 51, 0),
            run("better", 1, 80, 0),
            run("better", 2, 79, 0),
        ];
        let once = run("once", 1, 60, 0);
        let results = results(judged.into_iter().chain([once]).collect());
        let beats = "`better` beats `baseline`: 79.5% against 50.5% on test.";
        assert_eq!(in_short(&results, 3).unwrap(), [beats]);
        assert_eq!(
            in_short(&results, 0).unwrap(),
            ["In 1 of 1 comparison on test one recipe beats the other: “Comparisons”."]
        );
    }
}
