//! Labels that are probably wrong, the worst first; of several runs of one audit in one list.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{Asked, Images};
use crate::{
    error::Result,
    record::{Part, SuspiciousLabel},
    report::{Audited, Block, Column, Grid, Shot, Text, percent, units::fixed},
    text::{count, either, number, shown},
};

/// Rows that are shown; `corrections.csv` has them all.
const LISTED: usize = 50;
/// Of which the photographs are shown.
const PICTURED: usize = 24;
/// Where more than one label in so many looks wrong, it is mostly the model that is.
const RARELY: u64 = 4;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let stages = by_stage(&asked.results.audits);
    let pipeline = &asked.results.pipeline;
    let blocks =
        |(stage, audits): &(&str, Vec<&Audited>)| of_stage(pipeline, stage, audits, asked.images);
    Ok(stages.iter().flat_map(blocks).collect())
}

/// The runs of each audit.
fn by_stage(audits: &[Audited]) -> Vec<(&str, Vec<&Audited>)> {
    let mut stages: Vec<(&str, Vec<&Audited>)> = Vec::new();
    for audit in audits {
        let stage = audit.id.split('[').next().unwrap_or(&audit.id);
        match stages.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, audits)) => audits.push(audit),
            None => stages.push((stage, vec![audit])),
        }
    }
    stages
}

/// For those who look no further: of each audit how many labels look wrong.
pub(super) fn in_short(audits: &[Audited]) -> Vec<String> {
    let stages = by_stage(audits);
    let of_stage = |(stage, audits): &(&str, Vec<&Audited>)| {
        let n = named(audits).len();
        let labels = count(audits[0].found.judged, "label");
        let (n, look) = (number(n as u64), either(n, "looks", "look"));
        let many = match so_many(audits) {
            true => ", so many that it is mostly the models that are",
            false => "",
        };
        format!(
            "{n} of {labels} {look} wrong{many}: “{}”.",
            title(stage, audits)
        )
    };
    stages.iter().map(of_stage).collect()
}

/// And the worst as pictures.
pub(super) fn worst(audits: &[Audited], most: usize) -> Vec<Block> {
    let of_stage = |(_, audits): &(&str, Vec<&Audited>)| {
        let named = named(audits);
        let shots = named.iter().enumerate().take(most);
        let shots: Vec<Shot> = shots.map(|(i, one)| shot(i, one, audits.len())).collect();
        let told = || Block::paragraph("The labels that look most wrong:");
        let blocks = (!shots.is_empty()).then(|| [told(), Block::Gallery(shots)]);
        blocks.into_iter().flatten()
    };
    by_stage(audits).iter().flat_map(of_stage).collect()
}

/// Whether an audit takes so many labels for wrong that it is rather its models that are.
fn so_many(audits: &[&Audited]) -> bool {
    let judged = audits.iter().map(|audit| audit.found.judged).max();
    let worst = audits.iter().map(|audit| audit.found.issues.len()).max();
    worst.unwrap_or(0) as u64 * RARELY > judged.unwrap_or(0)
}

/// What the chapter of an audit is called.
fn title(stage: &str, audits: &[&Audited]) -> String {
    let name = match audits {
        [only] => &only.id,
        _ => stage,
    };
    format!("Labels that look wrong, by `{name}`")
}

/// A label as those audits see it that name it.
struct Named<'a> {
    /// Of the audit that is surest.
    surest: &'a SuspiciousLabel,
    audit: &'a Audited,
    /// So many audits name it.
    by: usize,
}

fn of_stage(pipeline: &str, stage: &str, audits: &[&Audited], images: Images) -> Vec<Block> {
    let named = named(audits);
    let of = audits.len();
    let mut blocks = vec![
        Block::heading(2, title(stage, audits)),
        Block::paragraph(summary(audits, &named)),
    ];
    if named.is_empty() {
        return blocks;
    }
    if so_many(audits) {
        blocks.push(Block::paragraph(
            "So many labels are rarely wrong: a model that is often wrong itself takes right ones for wrong. Trust the first rows alone, and \
             train a better model before you correct many.",
        ));
    }
    blocks.push(Block::table(grid(&named, of)));
    if images != Images::None {
        let shots = named.iter().enumerate().take(PICTURED);
        blocks.push(Block::Gallery(
            shots.map(|(i, one)| shot(i, one, of)).collect(),
        ));
    }
    blocks.push(Block::paragraph(what_to_do(pipeline, audits, named.len())));
    blocks
}

fn summary(audits: &[&Audited], named: &[Named<'_>]) -> String {
    let n = named.len();
    let (looks, judged) = (either(n, "looks", "look"), &audits[0].found);
    let parts: Vec<Part> = {
        let mut parts: Vec<_> = named.iter().map(|one| one.surest.part).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    };
    let on = match parts.as_slice() {
        [part] => format!(" on {}", part.name()),
        _ => String::new(),
    };
    let n = number(n as u64);
    let labels = count(judged.judged, "label");
    let how = "that did not train on them (confident learning; Northcutt et al., 2021)";
    match audits {
        [_] => {
            let models = count(judged.models, "model");
            format!("{n} of {labels}{on} {looks} wrong, by {models} {how}.")
        }
        several => {
            let runs = count(several.len(), "run");
            format!("{n} of {labels}{on} {looks} wrong to at least one of {runs}, by models {how}.")
        }
    }
}

/// Every label that an audit names: those that most of them name first, of these the surest.
fn named<'a>(audits: &[&'a Audited]) -> Vec<Named<'a>> {
    let mut found: BTreeMap<&str, Named<'a>> = BTreeMap::new();
    for audit in audits {
        for issue in &audit.found.issues {
            let one = found.entry(issue.path.as_str()).or_insert(Named {
                surest: issue,
                audit,
                by: 0,
            });
            one.by += 1;
            if issue.margin < one.surest.margin {
                (one.surest, one.audit) = (issue, audit);
            }
        }
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by(|a, b| {
        let by = Reverse(a.by).cmp(&Reverse(b.by));
        by.then(a.surest.margin.total_cmp(&b.surest.margin))
            .then(a.surest.rank.cmp(&b.surest.rank))
    });
    found
}

fn grid(named: &[Named<'_>], of: usize) -> Grid {
    let mut columns = vec![
        Column::right("rank"),
        Column::left("image").heading(),
        Column::left("given"),
        Column::left("suggested"),
    ];
    if of > 1 {
        columns.push(Column::right("named by").meaning("so many of the runs"));
    }
    columns.extend([
        Column::right("margin").meaning(
            "probability of the given class minus that of the suggested one, from 0 (surely wrong) to 0.5 (as likely)",
        ),
        Column::right("probability").meaning("of the suggested class"),
    ]);
    let mut grid = Grid::of(columns);
    for (i, one) in named.iter().enumerate().take(LISTED) {
        let issue = one.surest;
        let mut row = vec![
            (i + 1).to_string(),
            format!("`{}`", shown(&issue.path)),
            shown(&issue.given),
            shown(&issue.suggested),
        ];
        if of > 1 {
            row.push(format!("{} of {of}", one.by));
        }
        row.extend([fixed(issue.margin, 3), percent(issue.suggested_probability)]);
        grid.rows.push(row);
    }
    grid
}

fn shot(i: usize, one: &Named<'_>, of: usize) -> Shot {
    let issue = one.surest;
    let looks = format!(
        "looks like {} ({})",
        issue.suggested,
        percent(issue.suggested_probability)
    );
    let given = format!("{}. {}", i + 1, issue.given);
    let mut caption = vec![Text::line(&given), Text::line(&looks)];
    if of > 1 {
        caption.push(format!("named by {} of {of} runs", one.by).into());
    }
    Shot {
        photograph: one.audit.source.photograph(&issue.path),
        caption,
        beside: None,
        guess: None,
    }
}

fn what_to_do(pipeline: &str, audits: &[&Audited], n: usize) -> String {
    let rest = match n.saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("{} more stand in `corrections.csv`. ", number(more as u64)),
    };
    let id = &audits[0].id;
    format!(
        "{rest}`kfood show {}:{} corrections.csv` prints a list of them: keep the rows whose label is to change, and name the file in the \
         dataset: `corrections = \"corrections.csv\"`.",
        shown(pipeline),
        shown(id)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::LabelIssues,
        report::{Document, Source},
    };

    fn audit(id: &str, judged: u64, issues: &[(&str, f64)]) -> Audited {
        let issue = |(i, (path, margin)): (usize, &(&str, f64))| SuspiciousLabel {
            rank: i as u64 + 1,
            part: Part::Validation,
            path: (*path).to_owned(),
            given: "김밥".to_owned(),
            suggested: "잡채".to_owned(),
            given_probability: 0.1,
            suggested_probability: 0.9,
            margin: *margin,
        };
        Audited {
            id: id.to_owned(),
            source: Source::default(),
            found: LabelIssues {
                judged,
                models: 1,
                issues: issues.iter().enumerate().map(issue).collect(),
            },
        }
    }

    fn told(audits: &[Audited]) -> String {
        let audits: Vec<&Audited> = audits.iter().collect();
        let blocks = of_stage("p.toml", "labels", &audits, Images::None);
        Document::new(blocks).markdown()
    }

    #[test]
    fn of_several_runs_the_labels_that_most_of_them_name_come_first() {
        let text = told(&[
            audit(
                "labels[seed=1]",
                100,
                &[("once.jpg", 0.01), ("both.jpg", 0.2)],
            ),
            audit("labels[seed=2]", 100, &[("both.jpg", 0.1)]),
        ]);
        assert!(
            text.contains("2 of 100 labels on validation look wrong to at least one of 2 runs"),
            "{text}"
        );
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}:\n{text}"));
        assert!(place("both.jpg") < place("once.jpg"), "{text}");
        assert!(text.contains("2 of 2 | 0.100"), "{text}");
        assert!(
            text.contains("`kfood show p.toml:labels[seed=1] corrections.csv`"),
            "{text}"
        );
        assert!(!text.contains("rarely wrong"), "{text}");
    }

    #[test]
    fn a_model_that_takes_half_of_the_labels_for_wrong_is_not_trusted() {
        let half = [("a.jpg", 0.1), ("b.jpg", 0.2)];
        let text = told(&[audit("labels", 4, &half)]);
        assert!(text.contains("So many labels are rarely wrong"), "{text}");
    }
}
