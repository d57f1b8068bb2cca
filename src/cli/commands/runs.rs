//! `kfood runs`: what was run when, with which settings, and what came out.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::{
    cli::{
        earlier::{self, Form, Named, Side, when},
        language::Lang,
        past_runs::{Difference, differences, settings},
        print,
    },
    error::Result,
    record::{PastEvaluation, PastRun},
    report::{Column, Grid, duration, percent, recipe},
    text::{count, first_items},
};

/// List the runs of a pipeline: when, what changed, what came out; or compare two of them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Runs {
    /// The pipeline file.
    pub file: PathBuf,
    /// Compare two of its runs, by their names in the list: settings, figures, and image by image where the results are still there.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub compare: Option<Vec<String>>,
    /// Where to write the comparison, as in `kfood compare`.
    #[arg(
        short,
        long,
        value_name = "FILE",
        requires = "compare",
        conflicts_with = "json"
    )]
    pub output: Option<PathBuf>,
    /// In which language the comparison is written; by `LC_ALL`, `LC_MESSAGES` or `LANG` where it is a page and not given.
    #[arg(long, value_enum, requires = "compare")]
    pub lang: Option<Lang>,
    /// At most so many of the newest; without it 20 in the text, and all in JSON.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs in a text that names no limit.
const SHOWN: usize = 20;
/// Changes, or evaluations, of a run that are named.
const NAMED: usize = 3;

pub(in crate::cli) fn runs(args: &Runs) -> Result<u8> {
    match args.compare.as_deref() {
        Some([a, b]) => {
            let side = |name: &str| Side::of_run(&args.file, name);
            let form = Form {
                json: args.json,
                markdown: false,
                output: args.output.as_deref(),
                lang: args.lang,
            };
            earlier::compare(&side(a)?, &side(b)?, &form)?;
        }
        _ => list(args, &earlier::known(&args.file)?.1)?,
    }
    Ok(0)
}

/// What `--json` says of a run.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    #[serde(flatten)]
    run: &'a PastRun,
    /// The settings that are not the same in all runs of the list.
    settings: BTreeMap<String, String>,
    /// Against the run before.
    changed: Vec<Difference>,
}

/// The newest first.
fn list(args: &Runs, runs: &[Named]) -> Result<()> {
    let most = match (args.limit, args.json) {
        (Some(limit), _) => limit,
        (None, true) => runs.len(),
        (None, false) => SHOWN,
    };
    let left_out = runs.len().saturating_sub(most);
    let all: Vec<_> = runs.iter().map(|(_, run)| settings(run)).collect();
    let shown = &all[left_out..];
    let varies = |name: &str| shown.iter().any(|run| run.get(name) != shown[0].get(name));
    let told = runs
        .iter()
        .enumerate()
        .skip(left_out)
        .rev()
        .map(|(i, (name, run))| {
            let own = all[i].iter().filter(|(name, _)| varies(name));
            Told {
                name,
                run,
                settings: own
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
                changed: match i.checked_sub(1) {
                    Some(before) => differences(&all[before], &all[i]),
                    None => Vec::new(),
                },
            }
        });
    let told: Vec<_> = told.collect();
    if args.json {
        return print::json(&json!({ "runs": told }));
    }
    let mut grid = Grid::of([
        Column::left("run").heading(),
        Column::right("when"),
        Column::left("stages"),
        Column::left("changed since the run before"),
        Column::left("top-1"),
    ]);
    for told in &told {
        let changes = told.changed.iter().map(Difference::in_words);
        grid.rows.push(vec![
            told.name.to_owned(),
            when(told.run),
            ended(told.run),
            first_items(changes, NAMED),
            first_items(figures(told.run), NAMED),
        ]);
    }
    let mut text = grid.text(print::width());
    if left_out > 0 {
        text += &format!("… and {} before: `--limit`\n", count(left_out, "run"));
    }
    print::told(&text)
}

/// `12 cached, 3 ran in 2 min 00 s`
fn ended(run: &PastRun) -> String {
    let stages = run.stages.iter();
    let stages = stages.map(|(how, n)| match how.as_str() {
        "skipped" => format!("{n} not run"),
        how => format!("{n} {how}"),
    });
    let stages: Vec<_> = stages.collect();
    format!("{} in {}", stages.join(", "), duration(run.seconds))
}

/// The part that judges a run: test, else validation, else train.
fn judging(evaluation: &PastEvaluation) -> Option<(&str, f64)> {
    ["test", "validation", "train"]
        .into_iter()
        .find_map(|part| {
            let found = evaluation.parts.get(part)?;
            Some((part, found.top1))
        })
}

/// `result 62.5%`, or over several runs of a recipe `result 61.2% (n = 3)`.
fn figures(run: &PastRun) -> Vec<String> {
    let mut recipes: Vec<(String, &str, Vec<f64>)> = Vec::new();
    for evaluation in &run.evaluations {
        let recipe = recipe(&evaluation.stage, &evaluation.varied);
        let Some((part, top1)) = judging(evaluation) else {
            continue;
        };
        match recipes
            .iter_mut()
            .find(|(r, p, _)| *r == recipe && *p == part)
        {
            Some((.., values)) => values.push(top1),
            None => recipes.push((recipe, part, vec![top1])),
        }
    }
    let told = recipes.iter().map(|(recipe, part, values)| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let on = if *part == "test" {
            String::new()
        } else {
            format!(" on {part}")
        };
        let n = match values.len() {
            1 => String::new(),
            n => format!(" (n = {n})"),
        };
        format!("{recipe} {}{on}{n}", percent(mean))
    });
    told.collect()
}
