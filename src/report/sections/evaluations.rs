//! Each evaluation with its reading, gaps, look-alikes and classes.

use super::{Asked, Images, classes, mistakes};
use crate::{
    error::Result,
    record::{Gap, Part},
    report::{Block, Column, Figure, Grid, Group, percent, pooled::Pooled, words},
    text::number,
};

/// The parts, the best known one first.
const KNOWN: [Part; 3] = [Part::Test, Part::Validation, Part::Train];

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let groups = asked.results.groups();
    let mut room = mistakes::Room::new(asked.most);
    let mut blocks = Vec::new();
    for group in &groups {
        blocks.extend(of_group(group, asked.part, asked.images, &mut room));
    }
    Ok(blocks)
}

fn of_group(
    group: &Group<'_>,
    part: Option<Part>,
    images: Images,
    room: &mut mistakes::Room,
) -> Vec<Block> {
    let mut blocks = vec![
        Block::heading(2, format!("Evaluation `{}`", group.name)),
        Block::list(words::reading(group, &Pooled::of(group))),
    ];
    blocks.extend(gaps(group));
    blocks.extend(look_alikes(group));
    let best = || KNOWN.into_iter().find(|p| !group.part(*p).is_empty());
    if let Some(part) = part.or_else(best) {
        blocks.extend(classes::blocks(group, part));
        if let Some(confusion) = mistakes::pooled(&group.part(part)) {
            blocks.extend(mistakes::blocks(group, part, &confusion, images, room));
        }
    }
    blocks
}

/// Differences between parts; their mean and spread over several runs.
fn gaps(group: &Group<'_>) -> Vec<Block> {
    let mut grid = Grid::of([
        Column::left("from"),
        Column::left("to"),
        Column::right("difference in points").meaning("top-1 of the one minus top-1 of the other"),
    ]);
    let first = group.runs.first();
    for gap in first.map_or(&[][..], |run| &run.evaluation.gaps) {
        let same = |other: &&Gap| (other.from, other.to) == (gap.from, gap.to);
        let of_runs = group
            .runs
            .iter()
            .filter_map(|run| run.evaluation.gaps.iter().find(same));
        let values: Vec<f64> = of_runs.map(|g| g.difference).collect();
        let Some(figure) = Figure::of(&values, &[gap.interval]) else {
            continue;
        };
        // Points rather than percent: a difference of shares is no share.
        let cell = figure.percent().replace('%', "");
        grid.rows.push(vec![
            gap.from.name().to_owned(),
            gap.to.name().to_owned(),
            cell,
        ]);
    }
    titled("Gaps", grid)
}

/// How many images of each part look like training images, and what the rest scores; of the first run of a group that has any.
fn look_alikes(group: &Group<'_>) -> Vec<Block> {
    let mut runs = group
        .runs
        .iter()
        .filter_map(|run| run.evaluation.leaks.as_ref());
    let Some(leaks) = runs.find(|leaks| leaks.parts.iter().any(|p| p.like_train > 0)) else {
        return Vec::new();
    };
    let mut grid = Grid::of([
        Column::left("part"),
        Column::right("images"),
        Column::right("like training images"),
        Column::right("top-1 with them"),
        Column::right("without"),
    ]);
    for part in &leaks.parts {
        grid.rows.push(vec![
            part.part.name().to_owned(),
            number(part.images),
            number(part.like_train),
            percent(part.top1),
            part.top1_without.map_or("none left".to_owned(), percent),
        ]);
    }
    titled("Look-alikes", grid)
}

/// Nothing where the table is empty.
fn titled(heading: &str, grid: Grid) -> Vec<Block> {
    if grid.rows.is_empty() {
        return Vec::new();
    }
    vec![Block::heading(3, heading), Block::table(grid)]
}
