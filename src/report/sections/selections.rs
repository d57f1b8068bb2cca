//! What each selection chose from.

use super::Asked;
use crate::{
    error::Result,
    record::{Candidate, Selection},
    report::{Block, Column, Figure, Grid, Selected, percent, units::fixed},
    text::count,
};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let selections = &asked.results.selections;
    if !asked.page || selections.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = vec![Block::heading(2, "Selections")];
    blocks.extend(selections.iter().flat_map(of_selection));
    Ok(blocks)
}

fn of_selection(selected: &Selected) -> Vec<Block> {
    let found = &selected.found;
    let name = |place: usize| selected.candidates.get(place).map_or("?", String::as_str);
    let several = |group: usize| found.candidates.iter().filter(|c| c.group == group).count() > 1;
    let grouped = found.candidates.iter().any(|c| several(c.group));
    // A loss is a number, everything else a share; the least loss is the best.
    let is_loss = found.by.ends_with("loss");
    let value = |v: f64| if is_loss { fixed(v, 4) } else { percent(v) };
    let order = ranked(found, is_loss);
    let mut grid = Grid::of([
        Column::left("candidate").heading(),
        Column::right(found.by.as_str()),
        Column::right("epoch").meaning("whose state counts"),
    ]);
    if grouped {
        let mean = Column::right("mean over folds and seeds")
            .meaning("by which groups are ranked, ± the standard deviation of their members");
        grid.columns.insert(2, mean);
        let n = Column::right("n").meaning("members of the group");
        grid.columns.insert(3, n);
    }
    grid.rows.extend(order.iter().map(|place| {
        let candidate = &found.candidates[*place];
        let chosen = if *place == found.chosen {
            " (chosen)"
        } else {
            ""
        };
        let mut row = vec![
            format!("`{}`{chosen}", name(*place)),
            value(candidate.value),
            candidate.epoch.to_string(),
        ];
        if grouped {
            let (mean, n) = of_group(found, candidate, is_loss);
            row.insert(2, mean);
            row.insert(3, n.to_string());
        }
        row
    }));
    let mut blocks = vec![
        Block::heading(3, format!("`{}`", selected.id)),
        Block::paragraph(format!(
            "`{}` was chosen by `{}` among {}.",
            name(found.chosen),
            found.by,
            count(found.candidates.len(), "candidate")
        )),
    ];
    blocks.extend(tie(selected).map(Block::paragraph));
    blocks.push(Block::table(grid));
    blocks
}

/// The places of the candidates, the best group first.
fn ranked(found: &Selection, is_loss: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.candidates.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&found.candidates[*a], &found.candidates[*b]);
        let better = match is_loss {
            true => a.group_mean.total_cmp(&b.group_mean),
            false => b.group_mean.total_cmp(&a.group_mean),
        };
        better.then(a.group.cmp(&b.group))
    });
    order
}

/// The mean of a candidate's group with its spread, and how many it is of.
fn of_group(found: &Selection, candidate: &Candidate, is_loss: bool) -> (String, usize) {
    let members = found.candidates.iter();
    let members = members.filter(|c| c.group == candidate.group);
    let values: Vec<f64> = members.map(|c| c.value).collect();
    let figure = Figure::of(&values, &[]);
    let told = figure.map(|mean| match is_loss {
        true => mean.plain(),
        false => mean.percent(),
    });
    (told.unwrap_or_default(), values.len())
}

/// Where the chosen one was as good as others.
fn tie(selected: &Selected) -> Option<String> {
    let found = &selected.found;
    let chosen = found.candidates.get(found.chosen)?;
    let others = found.candidates.iter().filter(|c| c.group != chosen.group);
    let mut equal: Vec<usize> = others
        .filter(|c| (c.group_mean - chosen.group_mean).abs() < f64::EPSILON)
        .map(|c| c.group)
        .collect();
    equal.dedup();
    (!equal.is_empty()).then(|| {
        format!(
            "{} as good by this: of equals the first in the file is taken.",
            match equal.len() {
                1 => "One other is".to_owned(),
                n => format!("{n} others are"),
            }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Document;

    #[test]
    fn candidates_are_ranked_and_a_tie_is_said() {
        let candidate = |group: usize, value: f64| Candidate {
            group,
            value,
            group_mean: value,
            epoch: 7,
        };
        let selected = Selected {
            id: "best".to_owned(),
            candidates: ["a", "b", "c"].map(str::to_owned).to_vec(),
            found: Selection {
                by: "validation.top1".to_owned(),
                candidates: vec![candidate(0, 0.5), candidate(1, 0.75), candidate(2, 0.75)],
                chosen: 1,
            },
        };
        let text = Document::new(of_selection(&selected)).markdown();
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}\n{text}"));
        assert!(
            place("`b` was chosen by `validation.top1` among 3 candidates.")
                < place("| `b` (chosen)")
        );
        assert!(place("One other is as good") < place("75.0%"));
        assert!(place("| `b` (chosen)") < place("| `c`") && place("| `c`") < place("| `a`"));
        let mut seeds = selected;
        seeds.found.candidates[1].group_mean = 0.7;
        seeds.found.candidates[2] = Candidate {
            group: 1,
            group_mean: 0.7,
            ..candidate(1, 0.65)
        };
        let text = Document::new(of_selection(&seeds)).markdown();
        assert!(
            text.contains("| `b` (chosen) | 75.0% | 70.0% ± 7.1 | 2 | 7 |"),
            "{text}"
        );
    }
}
