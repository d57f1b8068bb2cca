//! `kfood cache pull`.

use std::{path::Path, sync::Arc};

use serde_json::json;

use super::remote::{cache_here, named, teller, there_already};
use crate::{
    cache::{Cache, Fetched, For, Found, Hold, Record, Remote},
    cli::{open, print, progress::Progress},
    digest::Digest,
    error::Result,
    event::StageEvent,
    exec::{self, Options, Status, Team},
    native::FollowMode,
    report::bytes,
    stop::Stop,
    text::count,
};

pub(super) fn pull(here: &Path, words: &[String], as_json: bool) -> Result<u8> {
    let (remote, files) = named(words)?;
    let remote = Arc::new(remote);
    let stop = open::stop_on_signals()?;
    let mut puller = Puller {
        remote: &remote,
        stop: &stop,
        progress: Progress::new(),
        fetched: Vec::new(),
        there: 0,
        gone: 0,
        lost: 0,
    };
    if files.is_empty() {
        let (cache, root) = (cache_here(here)?, open::project(here));
        let into = Into::of(&cache)?;
        for entry in remote.list()?.entries {
            let made_for = For {
                stage: None,
                pipeline: None,
                root: Some(&root),
            };
            puller.one(&into, &entry.key, &entry.stage, made_for)?;
        }
    }
    for file in &files {
        puller.of_file(file)?;
    }
    let gone = puller.gone;
    let (fetched, there, lost) = (&puller.fetched, puller.there, puller.lost);
    let size = fetched.iter().map(Record::bytes).sum();
    if as_json {
        let keys: Vec<_> = fetched.iter().map(|record| record.key).collect();
        print::json(&json!({
            "remote": remote.shown(), "fetched": keys, "there": there, "gone": gone, "damaged": lost, "bytes": size,
        }))?;
    } else {
        let lost = match lost {
            0 => String::new(),
            n => format!("; {} could not be used", count(n, "result")),
        };
        print::told(&format!(
            "fetched {}, {}{}{}{lost}",
            count(fetched.len(), "result"),
            bytes(size),
            there_already(there),
            match gone {
                0 => String::new(),
                n => format!("; {n} went from there meanwhile"),
            },
        ))?;
    }
    Ok(u8::from(lost > 0))
}

/// A cache that is fetched into.
struct Into<'a> {
    cache: &'a Cache,
    hold: Hold,
    _mode: Option<FollowMode>,
}

impl<'a> Into<'a> {
    fn of(cache: &'a Cache) -> Result<Self> {
        Ok(Self {
            cache,
            hold: cache.hold()?,
            _mode: cache.follow_mode(),
        })
    }
}

/// Fetches results, one after the other.
struct Puller<'a> {
    remote: &'a Arc<Remote>,
    stop: &'a Stop,
    progress: Progress,
    fetched: Vec<Record>,
    there: usize,
    /// Results that went from the remote cache after they were listed.
    gone: usize,
    lost: usize,
}

impl Puller<'_> {
    /// What a pipeline needs and has not, in its order, into the cache of its project.
    fn of_file(&mut self, file: &Path) -> Result<()> {
        let opened = open::open(file)?;
        let team = Team::needed(self.remote.clone(), opened.pipeline.root.clone());
        let options = Options {
            targets: opened.targets(&[]),
            team: Some(team),
            ..opened.options()
        };
        let into = Into::of(&opened.cache)?;
        let all = exec::status(&opened.stages, &options, &opened.cache, &self.progress)?;
        for stage in &all {
            match &stage.status {
                Status::Cached { .. } => self.there += 1,
                Status::Afar { record } => {
                    let made_for = For {
                        stage: Some(&stage.id),
                        pipeline: options.pipeline.as_deref(),
                        root: None,
                    };
                    self.one(&into, &record.key, &stage.id, made_for)?;
                }
                Status::Run { .. } | Status::Waits { .. } => {}
            }
        }
        Ok(())
    }

    fn one(&mut self, into: &Into<'_>, key: &Digest, stage: &str, made_for: For<'_>) -> Result<()> {
        let tell = teller(&self.progress, stage);
        let lock = into
            .cache
            .lock(key, self.stop, || tell(StageEvent::Waiting))?;
        if let Found::Hit(_) = into.cache.find_and_hold(key, &into.hold, &tell)? {
            self.there += 1;
            return Ok(());
        }
        let fetched = self
            .remote
            .fetch(into.cache, key, &lock, made_for, self.stop, &tell);
        self.progress.end(stage);
        match fetched? {
            Fetched::Whole(record) => self.fetched.push(*record),
            Fetched::Absent => self.gone += 1,
            Fetched::Unusable => self.lost += 1,
        }
        Ok(())
    }
}
