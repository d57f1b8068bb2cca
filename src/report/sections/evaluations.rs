//! Each evaluation with its reading, gaps, look-alikes and classes.

use super::{Asked, classes, mistakes};
use crate::{
    error::Result,
    record::{Gap, LeakedPart, Part},
    report::{Block, Column, Figure, Grid, Group, class_order::Orders, pooled::Pooled, words},
    text::number,
};

/// The parts, the best known one first.
const KNOWN: [Part; 3] = [Part::Test, Part::Validation, Part::Train];

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let groups = asked.results.groups();
    let judged = groups
        .iter()
        .filter_map(|group| Some((group, told(group, asked.part)?)));
    let orders = Orders::of(judged);
    let mut room = mistakes::Room::new(asked.most);
    let mut blocks = Vec::new();
    for group in &groups {
        let part = told(group, asked.part);
        blocks.extend(of_group(group, part));
        if let Some(part) = part.filter(|_| asked.page) {
            let order = orders.get(group, part);
            blocks.extend(mistakes::blocks(
                group,
                part,
                order,
                asked.images,
                &mut room,
            ));
        }
    }
    Ok(blocks)
}

/// The part whose classes and mistakes are told: the one that is asked for, else the best known one.
fn told(group: &Group<'_>, asked: Option<Part>) -> Option<Part> {
    let best = || KNOWN.into_iter().find(|p| !group.part(*p).is_empty());
    asked.or_else(best)
}

/// What the chapter of a recipe is called.
pub(super) fn title(group: &Group<'_>) -> String {
    format!("Evaluation `{}`", group.name)
}

fn of_group(group: &Group<'_>, part: Option<Part>) -> Vec<Block> {
    let mut blocks = vec![
        Block::heading(2, title(group)),
        Block::list(words::reading(group, &Pooled::of(group))),
    ];
    blocks.extend(gaps(group));
    blocks.extend(look_alikes(group));
    blocks.extend(
        part.into_iter()
            .flat_map(|part| classes::blocks(group, part)),
    );
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

/// How many images of each part look like training images, and what the rest scores: figures of all runs, as everywhere.
fn look_alikes(group: &Group<'_>) -> Vec<Block> {
    let mut grid = Grid::of([
        Column::left("part"),
        Column::right("images"),
        Column::right("like training images"),
        Column::right("top-1 with them"),
        Column::right("without"),
    ]);
    for part in KNOWN.into_iter().rev() {
        let runs = group.runs.iter();
        let leaks = runs.filter_map(|run| run.evaluation.leaks.as_ref());
        let found = leaks.filter_map(|leaks| leaks.parts.iter().find(|p| p.part == part));
        let found: Vec<&LeakedPart> = found.collect();
        if found.iter().all(|part| part.like_train == 0) {
            continue;
        }
        let top1: Vec<f64> = found.iter().map(|part| part.top1).collect();
        let without: Vec<f64> = found.iter().filter_map(|part| part.top1_without).collect();
        let figure = |values: &[f64]| Figure::of(values, &[]).map(|figure| figure.percent());
        grid.rows.push(vec![
            part.name().to_owned(),
            span(found.iter().map(|part| part.images)),
            span(found.iter().map(|part| part.like_train)),
            figure(&top1).unwrap_or_default(),
            figure(&without).unwrap_or_else(|| "none left".to_owned()),
        ]);
    }
    titled("Look-alikes", grid)
}

/// "48", or "46 to 48" where runs differ.
fn span(of_runs: impl Iterator<Item = u64> + Clone) -> String {
    let (least, most) = (of_runs.clone().min(), of_runs.max());
    let (least, most) = (least.unwrap_or(0), most.unwrap_or(0));
    match least == most {
        true => number(least),
        false => format!("{}–{}", number(least), number(most)),
    }
}

/// Nothing where the table is empty.
fn titled(heading: &str, grid: Grid) -> Vec<Block> {
    if grid.rows.is_empty() {
        return Vec::new();
    }
    vec![Block::heading(3, heading), Block::table(grid)]
}
