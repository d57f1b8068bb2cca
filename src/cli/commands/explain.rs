//! `kfood explain`: one stage in full.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cache::{Cache, Record, in_toml},
    cli::{behind, open, past_runs, print, progress::Progress, results},
    config::{About, Gives},
    error::Result,
    event::Silent,
    exec::{self, Options, StageStatus, Status},
    plan::Graph,
    report::{bytes, duration},
    stage::{Source, Stage},
};

/// Show one stage: settings, inputs, key, outputs, where its result comes from, and why it would run.
#[derive(Debug, Args)]
pub(in crate::cli) struct Explain {
    /// The pipeline file, or a stage of it: pipelines/mission2.toml:best.
    pub file: PathBuf,
    /// The stage, or one instance of it.
    pub stage: Option<String>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn explain(args: &Explain) -> Result<u8> {
    let (file, name) = named(args)?;
    let opened = open::open(&file)?;
    let graph = Graph::new(&opened.stages)?;
    let wanted = graph.named(&name)?;
    let targets = vec![name];
    let options = Options {
        targets: targets.clone(),
        ..opened.options()
    };
    let progress = Progress::new();
    let status = exec::status(&opened.stages, &options, &opened.cache, &progress);
    // Where the data cannot be read any more, what was made of them can still be told of.
    let newest = open::newest(&opened, &targets, false, &Silent);
    let (mut status, unknown) = match (status, &newest) {
        (Err(error), Err(_)) => return Err(error),
        (Err(error), Ok(_)) => (Vec::new(), Some(error)),
        (Ok(status), _) => (status, None),
    };
    past_runs::tell_failures(&opened, &mut status);
    let older = |id: &str| {
        let newest = newest.as_ref().ok()?;
        let older = newest.older.iter().find(|older| older.id == id)?;
        Some((older, newest.summary.record(id)?))
    };
    let explained = wanted.iter().map(|index| {
        let stage = opened.stages[*index].as_ref();
        let status = status.iter().find(|s| s.id == stage.id());
        (stage, status, older(stage.id()))
    });
    if args.json {
        let all: Vec<_> = explained
            .map(|(stage, status, older)| {
                row(
                    stage,
                    status,
                    older.map(|(_, record)| record),
                    &opened.cache,
                )
            })
            .collect();
        print::json(&all)?;
    } else {
        let all: Vec<_> = explained
            .map(|(stage, status, older)| {
                let mut text = text(stage, status, &opened.cache);
                if let Some((older, record)) = older {
                    text += &format!("{}\n", open::older_than_now(older));
                    text += &result(stage, record, &opened.cache);
                }
                text
            })
            .collect();
        print::told(&all.join("\n"))?;
    }
    if let Some(error) = unknown {
        print::say(&format!(
            "warning: what a run would do cannot be told: {error}"
        ));
    }
    Ok(0)
}

/// The pipeline and the stage, in two words or in one.
fn named(args: &Explain) -> Result<(PathBuf, String)> {
    match &args.stage {
        Some(stage) => Ok((args.file.clone(), stage.clone())),
        None => open::stage(&args.file.to_string_lossy()),
    }
}

fn text(stage: &dyn Stage, status: Option<&StageStatus>, cache: &Cache) -> String {
    let mut text = format!(
        "{} ({}, version {})\n",
        stage.id(),
        stage.kind(),
        stage.version()
    );
    text += &settings(stage);
    text += "inputs\n";
    for input in stage.inputs() {
        let from = match input.source {
            Source::Stage { id, output } => format!("{output} of {id}"),
            Source::Files => "files".to_owned(),
        };
        text += &format!("  {}: {from}\n", input.role);
    }
    match status.map(|s| &s.status) {
        Some(Status::Cached { record }) => text += &result(stage, record, cache),
        Some(Status::Afar { record }) => {
            text += &format!("in the remote cache, with the key {}\n", record.key);
        }
        Some(Status::Run { key, reasons, .. }) => {
            text += &format!("would run, with the key {key}\n");
            for reason in reasons {
                text += &format!("  because: {reason}\n");
            }
        }
        Some(Status::Waits { on, .. }) => text += &format!("waits on {}\n", on.join(", ")),
        None => {}
    }
    text
}

/// As the file names them; those of the pixels that it reads stand in another stage there.
fn settings(stage: &dyn Stage) -> String {
    let (mut own, mut of_pixels) = (String::new(), String::new());
    let makes_pixels = About::named(stage.kind()).is_some_and(|kind| kind.gives == Gives::Pack);
    for (name, value) in behind::flat("", &stage.settings()) {
        let value = stage.written_value(&name, &value);
        // What is not there stands in no file.
        let Some(value) = value.and_then(|value| in_toml(&value)) else {
            continue;
        };
        let read = !makes_pixels && name.starts_with("pixels.");
        let text = if read { &mut of_pixels } else { &mut own };
        *text += &format!("  {} = {value}\n", stage.written(&name));
    }
    match of_pixels.is_empty() {
        true => format!("settings\n{own}"),
        false => format!("settings\n{own}settings of its pixels\n{of_pixels}"),
    }
}

/// Where a result comes from.
fn result(stage: &dyn Stage, record: &Record, cache: &Cache) -> String {
    let mut text = format!("result {}\n", record.key);
    text += &format!("  in {}\n", results::shown(&cache.result(record)));
    for name in stage.outputs() {
        if let Some(output) = record.outputs.get(*name) {
            text += &format!(
                "  {name}: {}, {}",
                output.digest.short(),
                bytes(output.bytes)
            );
            let path = cache.output(record, name);
            if path != cache.result(record).join(name) {
                text += &format!(", which is {}", results::shown(&path));
            }
            text.push('\n');
        }
    }
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(record.started);
    let ago = SystemTime::now()
        .duration_since(started)
        .unwrap_or_default();
    let pipeline = record.pipeline.as_deref().map(Path::new);
    let pipeline = pipeline.map_or_else(|| "a pipeline".to_owned(), results::shown);
    text += &format!(
        "  made {} ago in {} for `{}` of {pipeline}, by kfood {}\n",
        duration(ago.as_secs_f64()),
        duration(record.seconds),
        record.stage,
        record.kfood
    );
    if let Some(machine) = &record.fingerprint {
        text += &format!(
            "  on {} in {}, {} threads, {}, libtorch {}\n",
            machine.device,
            machine.precision,
            machine.threads,
            machine.cpu_capability,
            machine.libtorch
        );
    }
    text
}

fn row(
    stage: &dyn Stage,
    status: Option<&StageStatus>,
    newest: Option<&Record>,
    cache: &Cache,
) -> Value {
    let mut row = json!({
        "id": stage.id(), "kind": stage.kind(), "version": stage.version(), "settings": stage.settings(),
    });
    let more = match status.map(|s| &s.status) {
        Some(Status::Cached { record }) => {
            json!({ "status": "cached", "record": record, "folder": cache.result(record) })
        }
        Some(Status::Afar { record }) => json!({ "status": "fetch", "key": record.key }),
        Some(Status::Run { key, reasons, .. }) => {
            let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
            json!({ "status": "run", "key": key, "reasons": reasons })
        }
        Some(Status::Waits { on, .. }) => json!({ "status": "waits", "waits_on": on }),
        None => json!({ "status": "unknown" }),
    };
    if let Some(newest) = newest {
        row["newest"] = json!(newest);
        row["newest_folder"] = json!(cache.result(newest));
    }
    if let (Value::Object(row), Value::Object(more)) = (&mut row, more) {
        row.extend(more);
    }
    row
}
