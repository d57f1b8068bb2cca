//! `kfood cache ls`: the results of a cache, and as which they are told elsewhere.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    cache::{Cache, Entry},
    cli::{print, results},
    error::{Error, Result},
    report::{Align, Grid, bytes, duration},
    text::{count, shown_path},
};

pub(super) fn list(
    cache: &Cache,
    file: Option<&Path>,
    stages: &[String],
    as_json: bool,
) -> Result<u8> {
    let mut entries = cache.list();
    if let Some(file) = file {
        let real = |path: &Path| fs::canonicalize(path).ok();
        let wanted = real(file).ok_or_else(|| {
            Error::usage(format!("there is no pipeline file `{}`", shown_path(file)))
        })?;
        entries.retain(|e| {
            e.pipeline.as_deref().and_then(|p| real(Path::new(p))) == Some(wanted.clone())
        });
    }
    entries.retain(|e| named_stage(stages, &e.stage));
    let order = |e: &Entry| (e.pipeline.clone(), e.kind.clone(), e.stage.clone(), e.key);
    entries.sort_by_key(order);
    if as_json {
        let rows: Vec<_> = entries.iter().map(row).collect();
        print::json(&json!({ "root": cache.root(), "entries": rows }))?;
        return Ok(0);
    }
    print::told(&format!(
        "{}{}{}, {} in {}",
        table(&entries, made_for),
        by_pipeline(&entries, made_for),
        count(entries.len(), "result"),
        bytes(entries.iter().map(|e| e.bytes).sum()),
        results::shown(cache.root())
    ))?;
    Ok(0)
}

/// Whether a stage is among those that are named; all are where none is.
pub(super) fn named_stage(stages: &[String], stage: &str) -> bool {
    let is = |s: &String| s == stage || stage.starts_with(&format!("{s}["));
    stages.is_empty() || stages.iter().any(is)
}

/// What each pipeline has in the cache, where there are several.
pub(super) fn by_pipeline(entries: &[Entry], made_for: MadeFor) -> String {
    let groups = entries.chunk_by(|a, b| a.pipeline == b.pipeline);
    let lines: Vec<String> = groups
        .map(|group| {
            let size = bytes(group.iter().map(|e| e.bytes).sum());
            let of = match made_for(&group[0]).as_str() {
                "" => "no pipeline file".to_owned(),
                file => file.to_owned(),
            };
            format!("{size:>9}  {of}, {}\n", count(group.len(), "result"))
        })
        .collect();
    if lines.len() < 2 {
        return String::new();
    }
    lines.concat()
}

/// Words for the pipeline file that a result was made for.
pub(super) type MadeFor = fn(&Entry) -> String;

pub(super) fn table(entries: &[Entry], made_for: MadeFor) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[
        ("kind", Align::Left),
        ("stage", Align::Left),
        ("size", Align::Right),
        ("last used", Align::Right),
        ("key", Align::Left),
        ("made for", Align::Left),
    ]);
    for entry in entries {
        let age = entry.used.elapsed().unwrap_or_default();
        grid.rows.push(vec![
            entry.kind.clone(),
            entry.stage.clone(),
            bytes(entry.bytes),
            format!("{} ago", duration(age.as_secs_f64())),
            entry.key.short(),
            made_for(entry),
        ]);
    }
    grid.text(print::width())
}

/// The pipeline file that a result was first made for, and whether it is still there.
pub(super) fn made_for(entry: &Entry) -> String {
    let Some(pipeline) = entry.pipeline.as_deref().map(Path::new) else {
        return String::new();
    };
    let gone = if pipeline.is_file() { "" } else { " (gone)" };
    format!("{}{gone}", results::shown(pipeline))
}

pub(super) fn row(entry: &Entry) -> serde_json::Value {
    let pipeline = entry.pipeline.as_deref();
    json!({
        "key": entry.key, "kind": entry.kind, "stage": entry.stage, "bytes": entry.bytes,
        "pipeline": pipeline, "pipeline_gone": pipeline.is_some_and(|p| !Path::new(p).is_file()),
    })
}
