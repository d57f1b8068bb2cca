//! `kfood cache gc`: what no pipeline needs goes.

use std::{collections::BTreeSet, path::Path};

use serde_json::json;
use walkdir::{DirEntry, WalkDir};

use super::ls::{made_for, row, table};
use crate::{
    cache::{Cache, Gc},
    cli::{open, print},
    config,
    digest::Digest,
    error::{Error, Result},
    event::Silent,
    exec::{self, Status, locked},
    report::bytes,
    text::{count, either, shown_path},
};

pub(super) fn clear(cache: &Cache, gc: &Gc, dry: bool, as_json: bool) -> Result<u8> {
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
    print::told(&format!(
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
pub(super) fn cannot_be_removed(kept: u64, most: u64) {
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
pub(super) fn kept(cache: &Cache, root: &Path) -> Result<BTreeSet<Digest>> {
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
                let help = "mend or remove the file (`kfood check` shows its mistakes), or make its data available";
                return Err(cannot_tell(path, &error).help(help));
            }
            Err(error) if is_lock(path) => {
                let help = "restore it from version control, or remove it where its results may go";
                return Err(cannot_tell(path, &error).help(help));
            }
            Err(error) => {
                tracing::debug!("{} counts only by its lock file: {error}", shown_path(path));
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

/// Whether it is a lock file of ours, such as `Cargo.lock` is none: it lies beside a pipeline, or is a copy that pins results.
fn is_lock(path: &Path) -> bool {
    let beside = locked::pipeline(path).is_file();
    let beside = beside && path.file_name().is_some_and(|name| name != "Cargo.lock");
    path.extension().is_some_and(|e| e == "lock") && (beside || locked::begins_as_one(path))
}

fn cannot_tell(path: &Path, error: &Error) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    Error::failed(format!(
        "cannot tell what `{}` refers to, so nothing is removed: {first}",
        shown_path(path)
    ))
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
