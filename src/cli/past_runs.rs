//! What is kept in mind of a run, and how runs differ.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::{open::Opened, print};
use crate::{
    cache::Reason,
    error::Class,
    exec::{Outcome, StageStatus, StageSummary, Status, Summary},
    files,
    record::{Headline, PastEvaluation, PastJobs, PastRun},
    report::{Results, duration},
    text::in_one_line,
};

/// A setting that two runs have otherwise, as the file writes it; `None` where it stands nowhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Difference {
    pub(super) setting: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

/// Keeps a run in mind, unless it did nothing that the one before had not done.
pub(super) fn remember(opened: &Opened, summary: &Summary, results: &Results, run: PastRun) {
    let run = PastRun {
        evaluations: evaluations(summary, results),
        jobs: summary.jobs().to_vec(),
        failed: failures(summary),
        ..run
    };
    let idle = run.stages.keys().all(|how| how == "cached");
    let before = idle
        .then(|| opened.cache.newest_run(&run.pipeline))
        .flatten();
    let same = |before: PastRun| {
        before.texts == run.texts
            && before.evaluations == run.evaluations
            && before.asked == run.asked
    };
    if before.is_some_and(same) {
        return;
    }
    if let Err(error) = opened.cache.remember_run(&run) {
        print::say(&format!(
            "warning: `kfood runs` will not know this run: {error}"
        ));
    }
}

/// What failed, and why in one line; who was interrupted did not fail.
fn failures(summary: &Summary) -> BTreeMap<String, String> {
    let why = |stage: &StageSummary| match &stage.outcome {
        Outcome::Failed(error) if error.class() != Class::Interrupted => {
            let line = in_one_line(error.message());
            let own = line.strip_prefix(&format!("stage `{}`: ", stage.id));
            Some((stage.id.clone(), own.unwrap_or(&line).to_owned()))
        }
        _ => None,
    };
    summary.stages().iter().filter_map(why).collect()
}

/// Why an instance failed in the last run of the pipeline, where it did and nothing has come out since.
pub(super) fn failed(opened: &Opened) -> BTreeMap<String, String> {
    let last = opened.cache.newest_run(&of(&opened.pipeline.file));
    last.map_or_else(BTreeMap::new, |run| run.failed)
}

/// Says of stages that are to run that they failed in the last run of the pipeline. That nothing came out of them is said by that.
pub(super) fn tell_failures(opened: &Opened, stages: &mut [StageStatus]) {
    let Some(run) = opened.cache.newest_run(&of(&opened.pipeline.file)) else {
        return;
    };
    let started = UNIX_EPOCH + Duration::from_secs(run.started);
    let ago = SystemTime::now()
        .duration_since(started)
        .unwrap_or_default();
    for stage in stages {
        if let (Status::Run { reasons, .. }, Some(why)) =
            (&mut stage.status, run.failed.get(&stage.id))
        {
            reasons.retain(|reason| *reason != Reason::NeverRun);
            reasons.push(Reason::Failed {
                ago: duration(ago.as_secs_f64()),
                why: why.clone(),
            });
        }
    }
}

/// What came out, with the keys of the results.
pub(super) fn evaluations(summary: &Summary, results: &Results) -> Vec<PastEvaluation> {
    let evaluations = results.evaluations.iter().filter_map(|evaluated| {
        Some(PastEvaluation {
            id: evaluated.id.clone(),
            stage: evaluated.stage.clone(),
            varied: evaluated.varied.clone(),
            model: evaluated.model.clone(),
            key: summary.record(&evaluated.id)?.key,
            parts: Headline::of(&evaluated.evaluation),
        })
    });
    evaluations.collect()
}

/// What runs know their pipeline file by: its place, however it was named.
pub(super) fn of(file: &Path) -> String {
    let folder = files::folder_of(file);
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = file.file_name().unwrap_or_default();
    real.join(name).display().to_string()
}

/// A run that starts now.
pub(super) fn begun(opened: &Opened, asked: &[String]) -> PastRun {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    PastRun {
        format: 1,
        kfood: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: of(&opened.pipeline.file),
        started: now.unwrap_or_default().as_secs(),
        seconds: 0.0,
        asked: asked.to_vec(),
        texts: opened.pipeline.texts.clone(),
        stages: BTreeMap::new(),
        failed: BTreeMap::new(),
        evaluations: Vec::new(),
        jobs: Vec::new(),
    }
}

/// Settings by their dotted names, as a file writes them: `train.net.epochs` is `50`.
pub(super) fn settings(run: &PastRun) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (prefix, text) in &run.texts {
        // It was read as a pipeline once.
        let table: toml::Table = toml::from_str(text).unwrap_or_default();
        flat(prefix, &table, &mut all);
    }
    all
}

fn flat(prefix: &str, table: &toml::Table, all: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let name = format!("{prefix}{key}");
        match value {
            toml::Value::Table(inner) if !inner.is_empty() => {
                flat(&format!("{name}."), inner, all);
            }
            value => {
                all.insert(name, value.to_string());
            }
        }
    }
}

/// What changed from one run to a later one.
pub(super) fn differences(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<Difference> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let of = |name: &String| {
        let (old, new) = (old.get(name).cloned(), new.get(name).cloned());
        (old != new).then(|| Difference {
            setting: name.clone(),
            old,
            new,
        })
    };
    names.into_iter().filter_map(of).collect()
}

impl Difference {
    /// `train.net.epochs 2 -> 4`
    pub(super) fn in_words(&self) -> String {
        let Self { setting, old, new } = self;
        match (old, new) {
            (Some(old), Some(new)) => format!("{setting} {old} -> {new}"),
            (None, Some(new)) => format!("{setting} = {new}, new"),
            (_, None) => format!("{setting} gone"),
        }
    }
}

/// The jobs that made the results that are there, and those of stages without one, by the newest runs that tell.
pub(super) fn jobs(opened: &Opened, summary: &Summary) -> Vec<PastJobs> {
    let runs = opened.cache.runs(&of(&opened.pipeline.file));
    let newest_first = || runs.iter().rev().flat_map(|(_, run)| &run.jobs);
    let stages = opened.stages.iter().filter_map(|stage| {
        let key = summary
            .record(stage.id())
            .map(|record| record.key.to_string());
        let is_it = |jobs: &&PastJobs| match &key {
            Some(key) => jobs.key == *key,
            None => jobs.stage == stage.id(),
        };
        let mut jobs = newest_first().find(is_it)?.clone();
        jobs.stage = stage.id().to_owned();
        jobs.log = jobs
            .log
            .filter(|log| opened.cache.root().join(log).is_file());
        Some(jobs)
    });
    stages.collect()
}
