//! `kfood runs`: what was run when, with which settings, and what came out.

mod compare;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::{
    cache::Cache,
    cli::{
        open,
        past_runs::{self, Difference, differences, settings},
        print, results,
    },
    error::{Error, Result},
    record::{PastEvaluation, PastRun},
    report::{Column, Grid, duration, percent, recipe},
    text::{count, first_items, shown},
};

/// List the runs of a pipeline: when, what changed, what came out; or compare two of them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Runs {
    /// The pipeline file.
    pub file: PathBuf,
    /// Compare two of its runs, by their names in the list: settings, figures, and image by image where the results are still there.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub compare: Option<Vec<String>>,
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

/// A run with its name.
type Named = (String, PastRun);

pub(in crate::cli) fn runs(args: &Runs) -> Result<u8> {
    let file = std::path::absolute(&args.file).map_err(|e| Error::io("find", &args.file, e))?;
    // The file may be gone or half written: its runs are known all the same.
    let folder = file.parent().unwrap_or(&file);
    let cache = Cache::open(&open::cache_root(folder)?)?;
    let runs = cache.runs(&past_runs::of(&file));
    if runs.is_empty() {
        let message = format!("no run of `{}` is known", results::shown(&file));
        return Err(
            Error::failed(message).help("`kfood run` keeps each of its runs in mind from now on")
        );
    }
    match args.compare.as_deref() {
        Some([a, b]) => compare::compare(args, &cache, named(&runs, a)?, named(&runs, b)?)?,
        _ => list(args, &runs)?,
    }
    Ok(0)
}

/// The run of this name, or of one that begins so.
fn named<'a>(runs: &'a [Named], name: &str) -> Result<&'a Named> {
    let found: Vec<_> = runs.iter().filter(|(n, _)| n.starts_with(name)).collect();
    if let [run] = found.as_slice() {
        return Ok(run);
    }
    let there = found.iter().map(|(name, _)| name);
    let (message, help) = match found.len() {
        0 => {
            let newest = runs.iter().rev().map(|(name, _)| name);
            (
                format!("there is no run `{}`", shown(name)),
                format!("the newest are {}", first_items(newest, NAMED)),
            )
        }
        n => (
            format!("`{}` stands for {}", shown(name), count(n, "run")),
            format!("name one of {}", first_items(there, NAMED)),
        ),
    };
    Err(Error::usage(message).help(help))
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
    print::out(&text)
}

fn when(run: &PastRun) -> String {
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(run.started);
    let ago = SystemTime::now()
        .duration_since(started)
        .unwrap_or_default();
    format!("{} ago", duration(ago.as_secs_f64()))
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
