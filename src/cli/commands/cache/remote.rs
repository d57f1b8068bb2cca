//! `kfood cache push`, `pull`, and `ls`, `verify` and `gc` of a remote cache.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::json;

use super::{by_pipeline, cannot_be_removed, kept, named_stage, row, table};
use crate::{
    cache::{Cache, Entry, For, Found, Gc, Hold, Pusher, Record, Remote},
    cli::{open, print, progress::Progress, team},
    digest::Digest,
    error::{Error, Result},
    event::{Event, Observer, Silent, StageEvent},
    exec::{self, Options, Status, Team, locked},
    report::bytes,
    stop::Stop,
    text::{count, either},
};

/// The remote cache and the pipeline files that a command names.
fn named(words: &[String]) -> Result<(Remote, Vec<PathBuf>)> {
    let is_file = |word: &&String| word.ends_with(".toml");
    let (files, places): (Vec<_>, Vec<_>) = words.iter().partition(is_file);
    let files = files.into_iter().map(PathBuf::from).collect();
    match places.as_slice() {
        [] => Ok((team::here(None)?, files)),
        [place] => Ok((team::here(Some(place))?, files)),
        [_, second, ..] => Err(Error::usage(format!(
            "`{second}` is a second remote cache, expected one"
        ))
        .help("name one remote cache, then pipeline files, which end in `.toml`")),
    }
}

/// Tells what happens to one result.
fn teller<'a>(progress: &'a Progress, stage: &'a str) -> impl Fn(StageEvent) + Sync + 'a {
    move |event| {
        progress.observe(&Event::Stage {
            id: stage.to_owned(),
            event,
        });
    }
}

pub(super) fn push(cache: &Cache, here: &Path, words: &[String], as_json: bool) -> Result<u8> {
    let (remote, files) = named(words)?;
    let root = open::project(here);
    let mut asked = Finished::default();
    for file in &files {
        asked.add(file)?;
    }
    if files.is_empty() {
        asked.keys = cache.records().iter().map(|record| record.key).collect();
    }
    let sent = send(cache, &Pusher::of_many(&remote, cache, &root)?, &asked.keys)?;
    let pinned = asked.pins.len();
    for (name, keys) in asked.pins {
        remote.pin(&name, keys)?;
    }
    if as_json {
        print::json(&json!({
            "remote": remote.shown(), "pushed": sent.results, "there": sent.there, "objects": sent.objects, "bytes": sent.bytes,
            "pinned": pinned, "not_finished": asked.pending,
        }))?;
        return Ok(0);
    }
    let pinned = match pinned {
        0 => String::new(),
        n => format!("; {} pinned", count(n, "lock file")),
    };
    print::out(&format!(
        "pushed {}, {} in {}{}{pinned}",
        count(sent.results, "result"),
        bytes(sent.bytes),
        count(sent.objects, "object"),
        there_already(sent.there),
    ))?;
    if sent.damaged > 0 {
        print::say(&format!(
            "warning: {} {} damaged here and not sent; `kfood cache verify` names them",
            count(sent.damaged, "result"),
            either(sent.damaged, "is", "are")
        ));
    }
    if asked.pending > 0 {
        print::say(&format!(
            "note: {} {} no result yet",
            count(asked.pending, "stage"),
            either(asked.pending, "has", "have")
        ));
    }
    Ok(0)
}

/// What was sent.
#[derive(Default)]
struct Sent {
    results: usize,
    /// Results that were there.
    there: usize,
    objects: usize,
    bytes: u64,
    /// Results here that are not as they were made.
    damaged: usize,
}

/// Sends the results of these keys, one after the other.
fn send(cache: &Cache, pusher: &Pusher<'_>, keys: &BTreeSet<Digest>) -> Result<Sent> {
    let stop = open::stop_on_signals()?;
    let (hold, progress) = (cache.hold()?, Progress::new());
    let mut sent = Sent::default();
    for key in keys {
        let record = match cache.find_and_hold(key, &hold, &|_| {})? {
            Found::Hit(record) => record,
            Found::Damaged(_) => {
                sent.damaged += 1;
                continue;
            }
            Found::Miss => continue,
        };
        let pushed = pusher.push(&record, &stop, &teller(&progress, &record.stage));
        progress.end(&record.stage);
        let pushed = pushed?;
        if pushed.there {
            sent.there += 1;
        } else {
            sent.results += 1;
        }
        sent.objects += pushed.objects;
        sent.bytes += pushed.bytes;
    }
    Ok(sent)
}

fn there_already(n: usize) -> String {
    match n {
        0 => String::new(),
        n => format!("; {n} {} there already", either(n, "was", "were")),
    }
}

/// What pipeline files have to push.
#[derive(Default)]
struct Finished {
    keys: BTreeSet<Digest>,
    /// The name of each, and the keys of its lock file.
    pins: Vec<(String, BTreeSet<Digest>)>,
    /// Stages without a result.
    pending: usize,
}

impl Finished {
    fn add(&mut self, file: &Path) -> Result<()> {
        let opened = open::open(file)?;
        let options = Options {
            targets: opened.targets(&[]),
            ..opened.options()
        };
        for stage in exec::status(&opened.stages, &options, &opened.cache, &Silent)? {
            match stage.status {
                Status::Cached { record } => {
                    self.keys.insert(record.key);
                }
                _ => self.pending += 1,
            }
        }
        if let Ok(lock) = locked::read(&locked::path(&opened.pipeline.file)) {
            let keys = lock.stages.values().map(|stage| stage.key).collect();
            self.pins.push((team::name(&opened), keys));
        }
        Ok(())
    }
}

pub(super) fn pull(cache: &Cache, here: &Path, words: &[String], as_json: bool) -> Result<u8> {
    let (remote, files) = named(words)?;
    let remote = Arc::new(remote);
    let stop = open::stop_on_signals()?;
    let root = open::project(here);
    let hold = cache.hold()?;
    let _mode = cache.follow_mode();
    let mut puller = Puller {
        cache,
        hold: &hold,
        stop: &stop,
        progress: Progress::new(),
        fetched: Vec::new(),
        there: 0,
        lost: 0,
    };
    if files.is_empty() {
        for entry in remote.list()?.entries {
            let made_for = For {
                stage: None,
                pipeline: None,
                root: Some(&root),
            };
            puller.one(&remote, &entry.key, &entry.stage, made_for)?;
        }
    }
    for file in &files {
        puller.of_file(&remote, file)?;
    }
    let (fetched, there, lost) = (&puller.fetched, puller.there, puller.lost);
    let size = fetched.iter().map(Record::bytes).sum();
    if as_json {
        let keys: Vec<_> = fetched.iter().map(|record| record.key).collect();
        print::json(&json!({
            "remote": remote.shown(), "fetched": keys, "there": there, "damaged": lost, "bytes": size,
        }))?;
    } else {
        let lost = match lost {
            0 => String::new(),
            n => format!("; {} could not be used", count(n, "result")),
        };
        print::out(&format!(
            "fetched {}, {}{}{lost}",
            count(fetched.len(), "result"),
            bytes(size),
            there_already(there),
        ))?;
    }
    Ok(u8::from(lost > 0))
}

/// Fetches results, one after the other.
struct Puller<'a> {
    cache: &'a Cache,
    hold: &'a Hold,
    stop: &'a Stop,
    progress: Progress,
    fetched: Vec<Record>,
    there: usize,
    lost: usize,
}

impl Puller<'_> {
    /// What a pipeline needs and has not, in its order.
    fn of_file(&mut self, remote: &Arc<Remote>, file: &Path) -> Result<()> {
        let opened = open::open(file)?;
        let team = Team::new(remote.clone(), opened.pipeline.root.clone(), false);
        let options = Options {
            targets: opened.targets(&[]),
            team: Some(team.clone()),
            ..opened.options()
        };
        let all = exec::status(&opened.stages, &options, &opened.cache, &self.progress)?;
        let Some(remote) = team.remote() else {
            // Why has been told.
            return Err(Error::failed("nothing could be fetched"));
        };
        for stage in &all {
            match &stage.status {
                Status::Cached { .. } => self.there += 1,
                Status::Afar { record } => {
                    let made_for = For {
                        stage: Some(&stage.id),
                        pipeline: options.pipeline.as_deref(),
                        root: None,
                    };
                    self.one(remote, &record.key, &stage.id, made_for)?;
                }
                Status::Run { .. } | Status::Waits { .. } => {}
            }
        }
        Ok(())
    }

    fn one(&mut self, remote: &Remote, key: &Digest, stage: &str, made_for: For<'_>) -> Result<()> {
        let Self { cache, stop, .. } = *self;
        let tell = teller(&self.progress, stage);
        let lock = cache.lock(key, stop, || tell(StageEvent::Waiting))?;
        if let Found::Hit(_) = cache.find_and_hold(key, self.hold, &tell)? {
            self.there += 1;
            return Ok(());
        }
        let fetched = remote.fetch(cache, key, &lock, made_for, stop, &tell);
        self.progress.end(stage);
        match fetched? {
            Some(record) => self.fetched.push(*record),
            None => self.lost += 1,
        }
        Ok(())
    }
}

pub(super) fn list(
    place: &str,
    file: Option<&Path>,
    stages: &[String],
    as_json: bool,
) -> Result<u8> {
    let remote = team::here(Some(place))?;
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
        print::json(&json!({
            "remote": remote.shown(), "entries": rows, "bytes": all, "damaged": afar.damaged,
        }))?;
        return Ok(0);
    }
    print::out(&format!(
        "{}{}{} in {}, {} in all",
        table(entries, made_for),
        by_pipeline(entries, made_for),
        count(entries.len(), "result"),
        remote.shown(),
        bytes(all),
    ))?;
    for what in &afar.damaged {
        print::say(&format!("warning: {what}; `kfood cache verify` removes it"));
    }
    Ok(0)
}

/// The pipeline file as the remote cache names it, as seen from the root of its project.
fn made_for(entry: &Entry) -> String {
    entry.pipeline.clone().unwrap_or_default()
}

pub(super) fn verify(place: &str, as_json: bool) -> Result<u8> {
    let remote = team::here(Some(place))?;
    let stop = open::stop_on_signals()?;
    let progress = Progress::new();
    let found = remote.verify(&stop, &teller(&progress, "remote cache"));
    progress.end("remote cache");
    let found = found?;
    if as_json {
        let faults = found.faults.iter();
        let faults: Vec<_> = faults
            .map(|fault| json!({ "what": fault.what, "stages": fault.stages }))
            .collect();
        print::json(&json!({ "sound": found.sound, "bytes": found.bytes, "damaged": faults }))?;
    } else {
        for fault in &found.faults {
            let stages = match fault.stages.as_slice() {
                [] => "unknown".to_owned(),
                stages => stages.join(", "),
            };
            print::out(&format!(
                "damaged: {stages}: {}; removed, the next push brings it again",
                fault.what
            ))?;
        }
        print::out(&format!(
            "{} sound ({} hashed), {} damaged",
            found.sound,
            bytes(found.bytes),
            count(found.faults.len(), "object")
        ))?;
    }
    Ok(u8::from(!found.faults.is_empty()))
}

pub(super) fn clear(
    cache: &Cache,
    here: &Path,
    place: &str,
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
    let remote = team::here(Some(place))?;
    let root = open::project(here);
    let since = Some(SystemTime::now());
    let keep = match root.join("pipelines").is_dir() {
        true => kept(cache, &root)?,
        // Whoever tidies up from elsewhere has no pipelines there.
        false => Default::default(),
    };
    let gc = Gc {
        keep,
        since,
        older_than,
        max_bytes,
    };
    let freed = remote.clear(&gc, forget, dry)?;
    if as_json {
        let rows: Vec<_> = freed.entries.iter().map(row).collect();
        print::json(&json!({
            "dry_run": dry, "removed": rows, "objects": freed.objects, "forgotten": freed.pins, "bytes": freed.bytes,
            "kept": freed.kept, "kept_bytes": freed.kept_bytes, "pinned": freed.pinned,
        }))?;
        return Ok(0);
    }
    let done = if dry { "would remove" } else { "removed" };
    print::out(&format!(
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
