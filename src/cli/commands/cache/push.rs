//! `kfood cache push`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::remote::{cache_here, named, teller, there_already};
use crate::{
    cache::{Cache, Found, Local, Pusher},
    cli::{open, print, progress::Progress, team},
    digest::Digest,
    error::Result,
    event::Silent,
    exec::{self, Options, Status, locked},
    report::bytes,
    stop::Stop,
    text::{count, either},
};

pub(super) fn push(here: &Path, words: &[String], as_json: bool) -> Result<u8> {
    let (remote, files) = named(words)?;
    let mut asked = Finished::default();
    for file in &files {
        asked.add(file)?;
    }
    if files.is_empty() {
        let cache = cache_here(here)?;
        asked.sources.push(Source {
            keys: cache.records().iter().map(|record| record.key).collect(),
            root: open::project(here),
            cache,
        });
    }
    let stop = open::stop_on_signals()?;
    let pusher = Pusher::of_many(&remote)?;
    let mut sent = Sent::default();
    for source in &asked.sources {
        sent.all_of(source, &pusher, &stop)?;
    }
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
    print::told(&format!(
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

impl Sent {
    /// Sends the results of one cache, one after the other.
    fn all_of(&mut self, source: &Source, pusher: &Pusher<'_>, stop: &Stop) -> Result<()> {
        let Source { cache, root, keys } = source;
        let (hold, progress) = (cache.hold()?, Progress::new());
        let from = Local { cache, root };
        for key in keys {
            let record = match cache.find_and_hold(key, &hold, &|_| {})? {
                Found::Hit(record) => record,
                Found::Damaged(_) => {
                    self.damaged += 1;
                    continue;
                }
                Found::Miss => continue,
            };
            let pushed = pusher.push(from, &record, stop, &teller(&progress, &record.stage));
            progress.end(&record.stage);
            let pushed = pushed?;
            if pushed.there {
                self.there += 1;
            } else {
                self.results += 1;
            }
            self.objects += pushed.objects;
            self.bytes += pushed.bytes;
        }
        Ok(())
    }
}

/// Results of one cache that are to be pushed.
struct Source {
    cache: Cache,
    /// The root of the project.
    root: PathBuf,
    keys: BTreeSet<Digest>,
}

/// What pipeline files have to push.
#[derive(Default)]
struct Finished {
    /// For each file, for each may be of another project.
    sources: Vec<Source>,
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
        let mut keys = BTreeSet::new();
        for stage in exec::status(&opened.stages, &options, &opened.cache, &Silent)? {
            match stage.status {
                Status::Cached { record } => {
                    keys.insert(record.key);
                }
                _ => self.pending += 1,
            }
        }
        if let Ok(lock) = locked::read(&locked::path(&opened.pipeline.file)) {
            let keys = lock.stages.values().map(|stage| stage.key).collect();
            self.pins.push((team::name(&opened), keys));
        }
        self.sources.push(Source {
            cache: opened.cache,
            root: opened.pipeline.root,
            keys,
        });
        Ok(())
    }
}
