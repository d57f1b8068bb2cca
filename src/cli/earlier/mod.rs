//! What can be set side by side though it is not what a pipeline gives now: a run of before, and what a lock file says.

mod compare;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

pub(super) use self::compare::{Form, compare};
use super::{
    open::{self, Opened},
    past_runs,
    progress::Progress,
    results,
};
use crate::{
    cache::Cache,
    error::{Error, Result},
    exec::{Newest, locked},
    record::{Lock, PastEvaluation, PastRun},
    report::{duration, moment},
    text::{count, first_items, shown, shown_path},
};

/// Runs that an error names.
const NAMED: usize = 3;

/// A run with its name.
pub(super) type Named = (String, PastRun);

/// One side of a comparison.
pub(super) struct Side {
    /// What it is called: `1a2b3c4d`, `mission1.lock`, `mission1`.
    name: String,
    /// Where it is from: "was run 2026-11-30 20:15:03 UTC".
    from: String,
    /// What came out, and what the files said.
    run: PastRun,
    /// A lock file keeps no settings.
    has_settings: bool,
    cache: Cache,
    /// The pipeline as it is now, where it can be read: it knows where the photographs are.
    now: Option<(Opened, Newest)>,
}

/// Whether a name on the command line is that of a run (`FILE.toml@RUN`) or of a lock file.
pub(super) fn is_earlier(text: &Path) -> bool {
    of_run(text).is_some() || is_lock(text)
}

fn is_lock(text: &Path) -> bool {
    text.extension().is_some_and(|e| e == "lock")
}

/// `FILE.toml@RUN` taken apart.
fn of_run(text: &Path) -> Option<(PathBuf, String)> {
    let (file, run) = text.to_str()?.rsplit_once('@')?;
    // A folder or a pipeline of another ending may have an `@` in its own name.
    let is_run = file.ends_with(".toml") || (Path::new(file).is_file() && !text.exists());
    is_run.then(|| (PathBuf::from(file), run.to_owned()))
}

impl Side {
    /// Two, each a run, a lock file, or what a pipeline has now; lock files of one name are told apart by their folders.
    ///
    /// # Errors
    /// When there is no such run or file, or it cannot be understood.
    pub(super) fn both(a: &Path, b: &Path) -> Result<(Self, Self)> {
        let mut sides = [Self::read(a)?, Self::read(b)?];
        if sides[0].name == sides[1].name {
            for (side, path) in sides.iter_mut().zip([a, b]) {
                side.name = shown_path(path);
            }
        }
        let [a, b] = sides;
        Ok((a, b))
    }

    fn read(text: &Path) -> Result<Self> {
        match of_run(text) {
            Some((file, run)) => Self::of_run(&file, &run),
            None if is_lock(text) => Self::of_lock(text),
            None => Self::of_now(text),
        }
    }

    /// A run of a pipeline file, which may be gone or half written.
    ///
    /// # Errors
    /// When no run or several have this name.
    pub(super) fn of_run(file: &Path, name: &str) -> Result<Self> {
        let (cache, runs) = known(file)?;
        let (name, run) = named(&runs, name)?;
        Ok(Self {
            name: name.clone(),
            from: format!("was run {}", moment(run.started)),
            run: run.clone(),
            has_settings: true,
            cache,
            now: now(file).ok(),
        })
    }

    fn of_lock(path: &Path) -> Result<Self> {
        let lock = locked::read(path)?;
        let file = locked::pipeline(path);
        let now = now(&file).ok();
        let folder = std::path::absolute(path).map_err(|e| Error::io("find", path, e))?;
        let cache = Cache::open(&open::cache_root(folder.parent().unwrap_or(path))?)?;
        let written = fs::metadata(path).and_then(|found| found.modified());
        let run = PastRun {
            kfood: lock.kfood.clone(),
            evaluations: of_lock(&lock, now.as_ref().map(|(opened, _)| opened)),
            ..empty(&file, written.unwrap_or(SystemTime::UNIX_EPOCH))
        };
        Ok(Self {
            name: file_name(path),
            from: format!("is what a run of kfood {} locked", lock.kfood),
            run,
            has_settings: false,
            cache,
            now,
        })
    }

    fn of_now(file: &Path) -> Result<Self> {
        let (opened, newest) = now(file)?;
        let found = results::collect_what_is_there(&opened, &newest);
        results::tell_not_of_now(&found.not_of_now);
        let run = PastRun {
            evaluations: past_runs::evaluations(&newest.summary, &found),
            ..past_runs::begun(&opened, &[])
        };
        Ok(Self {
            name: file
                .file_stem()
                .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
            from: "is as its results are now".to_owned(),
            run,
            has_settings: true,
            cache: opened.cache.clone(),
            now: Some((opened, newest)),
        })
    }
}

/// The runs of a pipeline file, the oldest first, and the cache that knows them.
///
/// # Errors
/// When none is known.
pub(super) fn known(file: &Path) -> Result<(Cache, Vec<Named>)> {
    let file = std::path::absolute(file).map_err(|e| Error::io("find", file, e))?;
    // The file may be gone or half written: its runs are known all the same.
    let folder = file.parent().unwrap_or(&file);
    let cache = Cache::open(&open::cache_root(folder)?)?;
    let runs = cache.runs(&past_runs::of(&file));
    if runs.is_empty() && !file.exists() {
        let message = format!("there is no pipeline file `{}`", results::shown(&file));
        return Err(Error::usage(message).help("name one that is there, or that was run"));
    }
    if runs.is_empty() {
        let message = format!("no run of `{}` is known", results::shown(&file));
        return Err(
            Error::failed(message).help("`kfood run` keeps each of its runs in mind from now on")
        );
    }
    Ok((cache, runs))
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

/// How long ago a run was.
pub(super) fn when(run: &PastRun) -> String {
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(run.started);
    let ago = SystemTime::now()
        .duration_since(started)
        .unwrap_or_default();
    format!("{} ago", duration(ago.as_secs_f64()))
}

fn now(file: &Path) -> Result<(Opened, Newest)> {
    let opened = open::open(file)?;
    let newest = open::newest(&opened, &opened.targets(&[]), true, &Progress::new())?;
    Ok((opened, newest))
}

fn file_name(path: &Path) -> String {
    shown_path(path.file_name().unwrap_or_default().as_ref() as &Path)
}

/// A run of which nothing is known but its file and its time.
fn empty(file: &Path, at: SystemTime) -> PastRun {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    PastRun {
        format: 1,
        kfood: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: past_runs::of(file),
        started: since.unwrap_or_default().as_secs(),
        seconds: 0.0,
        asked: Vec::new(),
        texts: BTreeMap::new(),
        stages: BTreeMap::new(),
        failed: BTreeMap::new(),
        evaluations: Vec::new(),
        jobs: Vec::new(),
    }
}

/// The evaluations of a lock file. What varies among instances is asked of the pipeline file where it still has them, else taken from
/// their names.
fn of_lock(lock: &Lock, now: Option<&Opened>) -> Vec<PastEvaluation> {
    let stages = lock.stages.iter().filter(|(_, s)| !s.metrics.is_empty());
    let evaluations = stages.map(|(id, stage)| {
        let instance = now.and_then(|opened| results::find(opened, id));
        let (name, varied) = match instance {
            Some(instance) => (instance.stage.clone(), instance.varied.clone()),
            None => taken_apart(id),
        };
        PastEvaluation {
            id: id.clone(),
            stage: name,
            varied,
            model: String::new(),
            key: stage.key,
            parts: stage.metrics.clone(),
        }
    });
    evaluations.collect()
}

/// `result[seed=1,arch=resnet18]` as stage and values.
fn taken_apart(id: &str) -> (String, Vec<(String, String)>) {
    let Some((stage, rest)) = id.split_once('[') else {
        return (id.to_owned(), Vec::new());
    };
    let values = rest.trim_end_matches(']').split(',');
    let values = values.filter_map(|value| value.split_once('='));
    let owned = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    (stage.to_owned(), owned.collect())
}
