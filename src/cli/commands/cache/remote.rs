//! `ls`, `verify` and `gc` of a remote cache, and what `push` and `pull` share with them.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde_json::json;

use super::{
    gc::{cannot_be_removed, kept},
    ls::{by_pipeline, named_stage, row, table},
};
use crate::{
    cache::{Cache, DamagedAfar, Entry, Fault, Gc, Remote},
    cli::{open, print, progress::Progress, team},
    error::{Error, Result},
    event::{Event, Observer, StageEvent},
    report::bytes,
    text::{count, either},
};

/// The remote cache and the pipeline files that a command names.
pub(super) fn named(words: &[String]) -> Result<(Remote, Vec<PathBuf>)> {
    let is_file = |word: &&String| word.ends_with(".toml");
    let (files, places): (Vec<_>, Vec<_>) = words.iter().partition(is_file);
    let files = files.into_iter().map(PathBuf::from).collect();
    match places.as_slice() {
        [] => Ok((team::named(None)?, files)),
        [place] => Ok((team::named(Some(place))?, files)),
        [_, second, ..] => Err(Error::usage(format!(
            "`{second}` is a second remote cache, expected one"
        ))
        .help("name one remote cache, then pipeline files, which end in `.toml`")),
    }
}

/// The cache of the working folder, for a command that names no pipeline file.
pub(super) fn cache_here(here: &Path) -> Result<Cache> {
    Cache::open(&open::cache_root(here)?)
}

/// Tells what happens to one result.
pub(super) fn teller<'a>(
    progress: &'a Progress,
    stage: &'a str,
) -> impl Fn(StageEvent) + Sync + 'a {
    move |event| {
        progress.observe(&Event::Stage {
            id: stage.to_owned(),
            event,
        });
    }
}
/// How many results were there already, where some were.
pub(super) fn there_already(n: usize) -> String {
    match n {
        0 => String::new(),
        n => format!("; {n} {} there already", either(n, "was", "were")),
    }
}

pub(super) fn list(
    place: Option<&str>,
    file: Option<&Path>,
    stages: &[String],
    as_json: bool,
) -> Result<u8> {
    let remote = team::named(place)?;
    let mut afar = remote.list()?;
    let all = afar.bytes();
    let entries = &mut afar.entries;
    if let Some(file) = file {
        let wanted = team::name(&open::open(file)?);
        entries.retain(|entry| entry.pipeline.as_deref() == Some(&wanted));
    }
    entries.retain(|entry| named_stage(stages, &entry.stage));
    entries.sort_by_key(|e| (e.pipeline.clone(), e.kind.clone(), e.stage.clone(), e.key));
    if as_json {
        let rows: Vec<_> = entries.iter().map(row).collect();
        let damaged: Vec<_> = afar.damaged.iter().map(damaged).collect();
        print::json(&json!({
            "remote": remote.shown(), "entries": rows, "bytes": all, "damaged": damaged,
        }))?;
        return Ok(0);
    }
    print::told(&format!(
        "{}{}{} in {}, {} in all",
        table(entries, made_for),
        by_pipeline(entries, made_for),
        count(entries.len(), "result"),
        remote.shown(),
        bytes(all),
    ))?;
    for what in &afar.damaged {
        print::say(&format!(
            "warning: {what}; `kfood cache verify --remote` removes it"
        ));
    }
    Ok(0)
}

/// The pipeline file as the remote cache names it, as seen from the root of its project.
fn made_for(entry: &Entry) -> String {
    entry.pipeline.clone().unwrap_or_default()
}

fn damaged(damaged: &DamagedAfar) -> serde_json::Value {
    json!({ "name": damaged.name, "what": damaged.what })
}

pub(super) fn verify(place: Option<&str>, as_json: bool) -> Result<u8> {
    let remote = team::named(place)?;
    let stop = open::stop_on_signals()?;
    let progress = Progress::new();
    let found = remote.verify(&stop, &teller(&progress, "remote cache"));
    progress.end("remote cache");
    let found = found?;
    if as_json {
        let faults = found.faults.iter();
        let faults: Vec<_> = faults
            .map(|fault| {
                let Fault { damaged, stages, beside } = fault;
                json!({ "name": damaged.name, "what": damaged.what, "stages": stages, "beside": beside })
            })
            .collect();
        print::json(&json!({
            "remote": remote.shown(), "sound": found.sound, "bytes": found.bytes, "damaged": faults,
            "removed": found.kept.is_none(),
        }))?;
    } else {
        for fault in &found.faults {
            print::told(&in_words(fault, found.kept.is_none()))?;
        }
        print::told(&format!(
            "{} sound ({} hashed), {} damaged in {}",
            found.sound,
            bytes(found.bytes),
            count(found.faults.len(), "object"),
            remote.shown(),
        ))?;
    }
    if let Some(error) = found.kept {
        let message = "what is damaged there could not be removed";
        return Err(Error::failed(message).because(error).help(
            "run it where that may be written, for a push does not replace what it takes for whole",
        ));
    }
    Ok(u8::from(!found.faults.is_empty()))
}

/// What is damaged, of which stages, and what follows, where it was removed.
fn in_words(fault: &Fault, removed: bool) -> String {
    let what = &fault.damaged;
    if !removed {
        let stages = match fault.stages.as_slice() {
            [] => "a result's description".to_owned(),
            stages => stages.join(", "),
        };
        return format!("damaged: {stages}: {what}");
    }
    match (fault.stages.as_slice(), fault.beside) {
        ([], _) => format!(
            "damaged: a result's description: {what}; removed, a push of that result brings it again"
        ),
        (stages, true) => format!(
            "damaged: {}: {what}; removed, the outputs themselves are sound",
            stages.join(", ")
        ),
        (stages, false) => format!(
            "damaged: {}: {what}; removed, with {}; a push brings {} again",
            stages.join(", "),
            either(
                stages.len(),
                "the description of that result",
                "the descriptions of these results"
            ),
            either(stages.len(), "it", "them"),
        ),
    }
}

pub(super) fn clear(
    here: &Path,
    place: Option<&str>,
    (older_than, max_bytes): (Option<Duration>, Option<u64>),
    forget: &[String],
    (dry, as_json): (bool, bool),
) -> Result<u8> {
    if older_than.is_none() && max_bytes.is_none() && forget.is_empty() {
        let message = "what others need of a remote cache is not known here, so that a limit has to say what goes";
        return Err(Error::usage(message).help(
            "add `--older 90d`, or `--max-size 500G`; lock files that were pushed keep theirs",
        ));
    }
    let remote = team::named(place)?;
    let root = open::project(here);
    let since = Some(SystemTime::now());
    let keep = match root.join("pipelines").is_dir() {
        true => kept(&cache_here(here)?, &root)?,
        // Whoever tidies up from elsewhere has no pipelines there.
        false => Default::default(),
    };
    let gc = Gc {
        keep,
        since,
        older_than,
        max_bytes,
    };
    let freed = remote.to_clear(&gc, forget)?;
    let freed = if dry { freed } else { remote.clear(freed)? };
    if as_json {
        let rows: Vec<_> = freed.entries.iter().map(row).collect();
        print::json(&json!({
            "dry_run": dry, "removed": rows, "objects": freed.objects, "forgotten": freed.pins, "bytes": freed.bytes,
            "kept": freed.kept, "kept_bytes": freed.kept_bytes, "pinned": freed.pinned,
        }))?;
        return Ok(0);
    }
    let done = if dry { "would remove" } else { "removed" };
    print::told(&format!(
        "{}{done} {} and {}, {}; {} {}, of which lock files pin {}",
        table(&freed.entries, made_for),
        count(freed.entries.len(), "result"),
        count(freed.objects.len(), "object"),
        bytes(freed.bytes),
        count(freed.kept, "result"),
        either(freed.kept, "stays", "stay"),
        freed.pinned,
    ))?;
    if let Some(most) = max_bytes {
        cannot_be_removed(freed.kept_bytes, most);
    }
    Ok(0)
}
