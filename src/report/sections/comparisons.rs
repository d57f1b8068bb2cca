//! Which recipe is better on the same images.

use super::Asked;
use crate::{
    error::Result,
    record::EvaluatePart,
    report::{
        Block, Column, Comparison, Grid, Verdict, compare, percent,
        units::{fixed, points},
    },
};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let found = compare(asked.results, asked.part.unwrap_or(EvaluatePart::Test))?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = vec![Block::heading(2, "Comparisons")];
    blocks.extend(comparison_blocks(&found));
    Ok(blocks)
}

/// Comparisons as a table, with notes on how to read them; nothing where nothing was compared.
#[must_use]
pub fn comparison_blocks(comparisons: &[Comparison]) -> Vec<Block> {
    if comparisons.is_empty() {
        return Vec::new();
    }
    let mut grid = Grid::of([
        Column::left("on").meaning("the part, with its images"),
        Column::left("first"),
        Column::left("second"),
        Column::right("top-1").meaning("mean share of right first guesses of either side"),
        Column::right("difference (95% interval)")
            .meaning("in percentage points, by a bootstrap over images and seeds"),
        Column::right("McNemar p").meaning("of McNemar's exact test, one for each pair of runs"),
        Column::left("verdict"),
    ]);
    grid.rows = comparisons.iter().map(cells).collect();
    let mut blocks = vec![Block::table(grid)];
    blocks.push(Block::paragraph(
        "Differences are in percentage points on the same images; the interval is a bootstrap over images and seeds; p is exact, \
         one for each pair of runs. \"Beats\" is said only where the interval excludes zero.",
    ));
    if comparisons
        .iter()
        .any(|c| c.first_runs == 1 || c.second_runs == 1)
    {
        blocks.push(Block::paragraph(
            "Where a side has one run, the interval covers the choice of images but not of its seed: another seed may differ.",
        ));
    }
    if comparisons.len() > 1 {
        blocks.push(Block::paragraph(format!(
            "{} comparisons: of twenty without any true difference, about one is expected to exclude zero by chance.",
            comparisons.len()
        )));
    }
    blocks
}

fn cells(c: &Comparison) -> Vec<String> {
    let p: Vec<_> = c.tests.iter().map(|t| p_value(t.p)).collect();
    vec![
        format!("{} ({})", c.part.name(), c.images),
        named(&c.first, c.first_runs),
        named(&c.second, c.second_runs),
        format!("{} to {}", percent(c.first_top1), percent(c.second_top1)),
        format!(
            "{} ({} to {})",
            points(c.difference),
            points(c.interval.low),
            points(c.interval.high)
        ),
        match p.as_slice() {
            [] => "-".to_owned(),
            p => p.join(", "),
        },
        match c.verdict {
            Verdict::Beats => format!("{} beats {}", c.first, c.second),
            Verdict::NoClearDifference => "no clear difference".to_owned(),
        },
    ]
}

fn named(group: &str, runs: usize) -> String {
    if runs == 1 {
        group.to_owned()
    } else {
        format!("{group} (n = {runs})")
    }
}

fn p_value(p: f64) -> String {
    if p < 0.001 {
        "<0.001".to_owned()
    } else {
        fixed(p, 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{compare::tests::run, sample::results};

    #[test]
    fn the_table_of_comparisons_reads_as_sentences() {
        let results = results(vec![run("baseline", 1, 50, 0), run("better", 1, 80, 0)]);
        let found = compare(&results, EvaluatePart::Test).unwrap();
        let blocks = comparison_blocks(&found);
        let [Block::Table { grid, .. }, notes @ ..] = blocks.as_slice() else {
            panic!("{blocks:?}");
        };
        let row = &grid.rows[0];
        assert_eq!(
            row[..4],
            ["test (100)", "better", "baseline", "80.0% to 50.0%"]
        );
        assert!(
            row[4].starts_with("30.0 (2") && row[4].ends_with(')'),
            "{row:?}"
        );
        assert_eq!(row[5..], ["<0.001", "better beats baseline"]);
        assert_eq!(notes.len(), 2);
    }
}
