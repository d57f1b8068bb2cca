//! Labels that are probably wrong, the worst first.

use super::{Asked, Images};
use crate::{
    error::Result,
    record::SuspiciousLabel,
    report::{Audited, Block, Column, Grid, Shot, percent, units::fixed},
    text::{count, either, number, shown},
};

/// Rows that are shown; `corrections.csv` has them all.
const LISTED: usize = 50;
/// Of which the photographs are shown.
const PICTURED: usize = 24;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let audits = &asked.results.audits;
    let blocks = |audit| of_audit(audit, asked.images);
    Ok(audits.iter().flat_map(blocks).collect())
}

fn of_audit(audit: &Audited, images: Images) -> Vec<Block> {
    let found = &audit.found;
    let n = found.issues.len();
    let mut blocks = vec![
        Block::heading(2, format!("Labels that look wrong, by `{}`", audit.id)),
        Block::paragraph(format!(
            "{} of {} {} wrong, by {} that did not train on them (confident learning; Northcutt et al., 2021).",
            number(n as u64),
            count(found.judged, "label"),
            either(n, "looks", "look"),
            count(found.models, "model"),
        )),
    ];
    if n == 0 {
        return blocks;
    }
    let mut grid = Grid::of([
        Column::right("rank"),
        Column::left("image"),
        Column::left("given"),
        Column::left("suggested"),
        Column::right("margin").meaning(
            "probability of the given class minus that of the suggested one, from 0 (surely wrong) to 0.5 (as likely)",
        ),
        Column::right("probability").meaning("of the suggested class"),
    ]);
    let issues = worst(audit, LISTED).iter();
    grid.rows = issues.map(row).collect();
    blocks.push(Block::table(grid));
    if images != Images::None && n > 0 {
        let shots = worst(audit, PICTURED).iter();
        blocks.push(Block::Gallery(shots.map(|i| shot(audit, i)).collect()));
    }
    let more = n.saturating_sub(LISTED);
    let rest = match more {
        0 => String::new(),
        more => format!("{} more stand in `corrections.csv`. ", number(more as u64)),
    };
    blocks.push(Block::paragraph(format!(
        "{rest}Copy `corrections.csv` of this stage, take out what is right, and name it in the dataset: `corrections = \"corrections.csv\"`."
    )));
    blocks
}

/// The first issues of an audit.
fn worst(audit: &Audited, most: usize) -> &[SuspiciousLabel] {
    let issues = &audit.found.issues;
    &issues[..issues.len().min(most)]
}

fn shot(audit: &Audited, issue: &SuspiciousLabel) -> Shot {
    let looks = format!(
        "looks like {} ({})",
        issue.suggested,
        percent(issue.suggested_probability)
    );
    Shot {
        photograph: audit.source.photograph(&issue.path),
        caption: vec![
            format!("{}. {}", issue.rank, issue.given).into(),
            looks.into(),
        ],
        guess: None,
    }
}

fn row(issue: &SuspiciousLabel) -> Vec<String> {
    vec![
        issue.rank.to_string(),
        format!("`{}`", shown(&issue.path)),
        shown(&issue.given),
        shown(&issue.suggested),
        fixed(issue.margin, 3),
        percent(issue.suggested_probability),
    ]
}
