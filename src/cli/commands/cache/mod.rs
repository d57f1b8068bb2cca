//! `kfood cache`: list, verify, clear; send to a remote cache and fetch from it.

mod pull;
mod push;
mod remote;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clap::{Args, Subcommand};
use serde_json::json;
use walkdir::{DirEntry, WalkDir};

use crate::{
    cache::{self, Entry, Gc},
    cli::{
        args::{age, size},
        open, print,
        progress::Progress,
        results,
    },
    config,
    digest::Digest,
    error::{Error, Result},
    event::{Event, Observer, Silent},
    exec::{self, Status, locked},
    report::{Align, Grid, bytes, duration},
    text::{count, either, shown_path},
};

/// Look after the cache.
#[derive(Debug, Args)]
pub(in crate::cli) struct Cache {
    /// What to do with it.
    #[command(subcommand)]
    pub command: CacheCommand,
}

/// The commands of `kfood cache`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CacheCommand {
    /// List the results in the cache, by the pipeline that they were first made for.
    Ls {
        /// Only those of this pipeline file.
        file: Option<PathBuf>,
        /// Only those of these stages.
        stages: Vec<String>,
        #[command(flatten)]
        afar: Afar,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Hash every result again; damaged ones are removed and made anew by the next run.
    Verify {
        #[command(flatten)]
        afar: Afar,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Remove results that no pipeline file or lock file below the project's root refers to.
    Gc {
        /// Say what would be removed, and remove nothing.
        #[arg(long)]
        dry_run: bool,
        /// Keep everything that was used since: 30d, 12h, or a number of days.
        #[arg(long, value_name = "AGE", value_parser = age)]
        older: Option<Duration>,
        /// Remove the longest unused of them until no more than this is left: 20G, 500M.
        #[arg(long, value_name = "SIZE", value_parser = size)]
        max_size: Option<u64>,
        #[command(flatten)]
        afar: Afar,
        /// Of a remote cache: no longer keep what the lock files of this pipeline pin; as seen from the project's root.
        #[arg(long, value_name = "FILE", requires = "remote")]
        forget: Vec<String>,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Send results into a remote cache; what is there already is not sent again.
    Push {
        /// The remote cache (a folder, s3://BUCKET/PLACE, gs://... or az://...; without it that of kfood.toml), then pipeline files:
        /// only their results, with pins for their lock files.
        #[arg(value_name = "PLACE|FILE")]
        words: Vec<String>,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Fetch results from a remote cache.
    Pull {
        /// The remote cache, then pipeline files: only what they need.
        #[arg(value_name = "PLACE|FILE")]
        words: Vec<String>,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
}

/// That a remote cache is meant, and which.
#[derive(Debug, Args)]
pub(in crate::cli) struct Afar {
    /// Of a remote cache: a folder, s3://BUCKET/PLACE, gs://... or az://...; without a place that of kfood.toml.
    #[arg(long, value_name = "PLACE", num_args = 0..=1)]
    pub remote: Option<Option<String>>,
}

pub(in crate::cli) fn cache(args: &Cache) -> Result<u8> {
    let here = env::current_dir()
        .map_err(|e| Error::failed("cannot find the working directory").because(e))?;
    // Of a remote cache no local one is asked, and a pipeline file has that of its project.
    let cache = || cache::Cache::open(&open::cache_root(&here)?);
    match &args.command {
        CacheCommand::Ls {
            file,
            stages,
            afar,
            json,
        } => match &afar.remote {
            Some(place) => remote::list(place.as_deref(), file.as_deref(), stages, *json),
            None => list(&cache()?, file.as_deref(), stages, *json),
        },
        CacheCommand::Verify { afar, json } => match &afar.remote {
            Some(place) => remote::verify(place.as_deref(), *json),
            None => verify(&cache()?, *json),
        },
        CacheCommand::Push { words, json } => push::push(&here, words, *json),
        CacheCommand::Pull { words, json } => pull::pull(&here, words, *json),
        CacheCommand::Gc {
            dry_run,
            older,
            max_size,
            afar,
            forget,
            json,
        } => {
            if let Some(place) = &afar.remote {
                let limits = (*older, *max_size);
                let place = place.as_deref();
                return remote::clear(&here, place, limits, forget, (*dry_run, *json));
            }
            let cache = cache()?;
            let older_than = older.filter(|age| !age.is_zero());
            let since = SystemTime::now();
            let gc = Gc {
                since: Some(since),
                keep: kept(&cache, &open::project(&here))?,
                older_than,
                max_bytes: *max_size,
            };
            clear(&cache, &gc, *dry_run, *json)
        }
    }
}

fn list(cache: &cache::Cache, file: Option<&Path>, stages: &[String], as_json: bool) -> Result<u8> {
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
    let total = entries.iter().map(|e| e.bytes).sum();
    print::out(&format!(
        "{}{}{}, {} in {}",
        table(&entries, made_for),
        by_pipeline(&entries, made_for),
        count(entries.len(), "result"),
        bytes(total),
        results::shown(cache.root())
    ))?;
    Ok(0)
}

/// Whether a stage is among those that are named; all are where none is.
fn named_stage(stages: &[String], stage: &str) -> bool {
    let is = |s: &String| s == stage || stage.starts_with(&format!("{s}["));
    stages.is_empty() || stages.iter().any(is)
}

/// What each pipeline has in the cache, where there are several.
fn by_pipeline(entries: &[Entry], made_for: MadeFor) -> String {
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
type MadeFor = fn(&Entry) -> String;

fn table(entries: &[Entry], made_for: MadeFor) -> String {
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
fn made_for(entry: &Entry) -> String {
    let Some(pipeline) = entry.pipeline.as_deref().map(Path::new) else {
        return String::new();
    };
    let gone = if pipeline.is_file() { "" } else { " (gone)" };
    format!("{}{gone}", results::shown(pipeline))
}

fn row(entry: &Entry) -> serde_json::Value {
    let pipeline = entry.pipeline.as_deref();
    json!({
        "key": entry.key, "kind": entry.kind, "stage": entry.stage, "bytes": entry.bytes,
        "pipeline": pipeline, "pipeline_gone": pipeline.is_some_and(|p| !Path::new(p).is_file()),
    })
}

fn verify(cache: &cache::Cache, as_json: bool) -> Result<u8> {
    let progress = Progress::new();
    let verified = cache.verify(&|event| {
        progress.observe(&Event::Stage {
            id: "cache".to_owned(),
            event,
        })
    })?;
    if as_json {
        let damaged: Vec<_> = verified
            .damaged
            .iter()
            .map(
                |d| json!({ "key": d.key, "stage": d.stage, "what": d.what, "removed": d.removed, "beside": d.beside }),
            )
            .collect();
        print::json(
            &json!({ "sound": verified.sound, "bytes": verified.bytes, "damaged": damaged }),
        )?;
    } else {
        for damaged in &verified.damaged {
            let stage = damaged.stage.as_deref().unwrap_or("unknown");
            let removed = match (damaged.removed, damaged.beside) {
                (true, true) => "; removed, the result itself is sound",
                (true, false) => "; removed, the next run makes it again",
                (false, _) => "",
            };
            print::out(&format!(
                "damaged: {stage} ({}): {}{removed}",
                damaged.key.short(),
                damaged.what
            ))?;
        }
        print::out(&format!(
            "{} sound ({} hashed), {} damaged",
            verified.sound,
            bytes(verified.bytes),
            verified.damaged.len()
        ))?;
    }
    Ok(u8::from(!verified.damaged.is_empty()))
}

fn clear(cache: &cache::Cache, gc: &Gc, dry: bool, as_json: bool) -> Result<u8> {
    let removed = cache.gc(gc, dry)?;
    if as_json {
        let rows: Vec<_> = removed.entries.iter().map(row).collect();
        let leftovers: Vec<_> = removed.leftovers.iter().map(|l| &l.path).collect();
        print::json(&json!({
            "dry_run": dry, "removed": rows, "leftovers": leftovers, "bytes": removed.bytes(), "kept": removed.kept,
            "kept_bytes": removed.kept_bytes,
        }))?;
        return Ok(0);
    }
    let done = if dry { "would remove" } else { "removed" };
    print::out(&format!(
        "{}{done} {} and {}, {}; {} {}",
        table(&removed.entries, made_for),
        count(removed.entries.len(), "result"),
        count(removed.leftovers.len(), "leftover"),
        bytes(removed.bytes()),
        count(removed.kept, "result"),
        either(removed.kept, "stays", "stay")
    ))?;
    if let Some(most) = gc.max_bytes {
        cannot_be_removed(removed.kept_bytes, most);
    }
    Ok(0)
}

/// Says why more stays than there should be.
fn cannot_be_removed(kept: u64, most: u64) {
    if kept > most {
        print::say(&format!(
            "note: what stays has {}, more than {}: pipelines, lock files and running processes need it, or it is not that old",
            bytes(kept),
            bytes(most)
        ));
    }
}

/// The keys that the pipelines and lock files of a project refer to, and those of other projects that share the cache as
/// long as their pipeline files are there. A pipeline that cannot be read now (its data is elsewhere, say) keeps what its
/// lock file names.
fn kept(cache: &cache::Cache, root: &Path) -> Result<BTreeSet<Digest>> {
    let mut keep = BTreeSet::new();
    let mut pipelines = 0;
    let ours = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0
            || !(name.starts_with('.') || name == "target" || entry.path() == cache.root())
    };
    let entries = WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(ours);
    for entry in entries.filter_map(std::result::Result::ok) {
        let path = entry.path();
        if path
            .file_name()
            .is_some_and(|name| name == config::PROJECT_FILE)
        {
            // Settings of a place refer to no result.
            continue;
        }
        let kept = match path.extension().and_then(|e| e.to_str()) {
            Some("lock") => {
                locked::read(path).map(|lock| lock.stages.values().map(|s| s.key).collect())
            }
            Some("toml") => referred(path),
            _ => continue,
        };
        match kept {
            Ok(keys) => {
                pipelines += 1;
                keep.extend::<Vec<Digest>>(keys);
            }
            // Without knowing what it refers to, anything might be its.
            Err(error) if is_pipelines(path, root) && !locked::path(path).exists() => {
                return Err(cannot_tell(path, &error));
            }
            Err(error)
                if path.extension().is_some_and(|e| e == "lock") && locked_pipeline(path) =>
            {
                return Err(cannot_tell(path, &error));
            }
            Err(error) => {
                tracing::debug!("{} counts only by its lock file: {error}", shown_path(path))
            }
        }
    }
    if pipelines == 0 {
        return Err(Error::usage(format!(
            "there is no pipeline file below `{}`, so everything would go",
            shown_path(root)
        ))
        .help("run `kfood cache gc` in the project whose cache it is"));
    }
    let others = cache.records().into_iter().filter(|record| {
        let pipeline = record.pipeline.as_deref().map(Path::new);
        pipeline.is_some_and(|p| p.is_absolute() && !p.starts_with(root) && p.is_file())
    });
    keep.extend(others.map(|record| record.key));
    Ok(keep)
}

/// Whether a TOML file is meant as a pipeline: it lies in the project's `pipelines`.
fn is_pipelines(path: &Path, root: &Path) -> bool {
    path.extension().is_some_and(|e| e == "toml") && path.starts_with(root.join("pipelines"))
}

/// Whether a lock file lies beside a pipeline, unlike `Cargo.lock`.
fn locked_pipeline(lock: &Path) -> bool {
    locked::pipeline(lock).is_file() && lock.file_name().is_some_and(|name| name != "Cargo.lock")
}

fn cannot_tell(path: &Path, error: &Error) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    Error::failed(format!(
        "cannot tell what `{}` refers to, so nothing is removed: {first}",
        shown_path(path)
    ))
    .help("mend or remove the file (`kfood check` shows its mistakes), or make its data available")
}

fn referred(file: &Path) -> Result<Vec<Digest>> {
    let opened = open::open(file)?;
    let all = exec::status(&opened.stages, &opened.options(), &opened.cache, &Silent)?;
    let earlier = opened.cache.records();
    // What a waiting stage will need is not known yet: all its earlier results stay.
    let of_stage = |id: &str| {
        let found = earlier.iter().filter(|r| r.stage == id);
        found.map(|r| r.key).collect::<Vec<_>>()
    };
    let keys = |s: exec::StageStatus| match s.status {
        Status::Cached { record } | Status::Afar { record } => vec![record.key],
        Status::Run { key, .. } => vec![key],
        Status::Waits { .. } => of_stage(&s.id),
    };
    Ok(all.into_iter().flat_map(keys).collect())
}
