//! The remote cache of a run. Where it cannot be reached or what it gives is damaged, the run goes on without it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    thread::Scope,
};

use super::run::Surroundings;
use crate::{
    cache::{Cache, For, Lock, Look, Pusher, Record, Remote},
    digest::Digest,
    error::{Class, Error, Result},
    event::{Event, Observer, StageEvent, Tell},
    stage::Stage,
    stop::Stop,
};

/// A remote cache, and what a run does with it.
#[derive(Clone, Debug)]
pub struct Team {
    remote: Arc<Remote>,
    /// The root of the project.
    root: PathBuf,
    /// Whether results are pushed once they are published here.
    push: bool,
    /// Whether it could not be reached: it is not asked again.
    lost: Arc<AtomicBool>,
}

/// What a fetch works with.
pub(super) struct Wanted<'a> {
    pub(super) key: &'a Digest,
    pub(super) stage: &'a str,
    pub(super) pipeline: Option<&'a str>,
}

/// The number of a stage, and its result.
pub(super) type Made = (usize, Box<Record>);

/// Pushes what a run makes, one result after the other, beside the work on others; none where it does not push. It ends once the
/// sender is dropped and everything is sent.
pub(super) fn pusher<'s, 'a: 's>(
    scope: &'s Scope<'s, 'a>,
    stages: &'a [Box<dyn Stage>],
    around: &'a Surroundings<'a>,
    observer: &'a dyn Observer,
) -> Option<Sender<Made>> {
    let team = around.options.team.as_ref();
    let team = team.filter(|team| team.pushes())?;
    let (sender, receiver) = channel::<Made>();
    scope.spawn(move || {
        for (index, record) in receiver {
            let id = stages[index].id();
            let tell = |event| {
                observer.observe(&Event::Stage {
                    id: id.to_owned(),
                    event,
                });
            };
            team.push(around.cache, &record, around.stop, &tell);
        }
    });
    Some(sender)
}

impl Team {
    /// A remote cache for the runs of a project.
    #[must_use]
    pub fn new(remote: Arc<Remote>, root: PathBuf, push: bool) -> Self {
        Self {
            remote,
            root,
            push,
            lost: Arc::default(),
        }
    }

    /// The remote cache, unless it could not be reached.
    #[must_use]
    pub fn remote(&self) -> Option<&Remote> {
        (!self.lost.load(Ordering::Relaxed)).then_some(&*self.remote)
    }

    /// Whether a run pushes what it makes.
    #[must_use]
    pub fn pushes(&self) -> bool {
        self.push
    }

    /// Makes a folder ready that is to be pushed into. If it cannot be, the first look into it tells.
    pub(super) fn begin(&self) {
        if self.push
            && let Err(error) = self.remote.prepare()
        {
            tracing::debug!("{error}");
        }
    }

    /// What it has for a key.
    pub(super) fn find(&self, key: &Digest, tell: Tell<'_>) -> Option<Box<Record>> {
        match self.remote()?.find(key) {
            Ok(Look::Hit(record)) => Some(record),
            Ok(Look::Miss) => None,
            Ok(Look::Damaged(what)) => {
                self.remote.unusable(&what, tell);
                None
            }
            Err(error) => self.leave(&error, tell),
        }
    }

    /// Fetches a result into the cache; `None` where there is none that can be used.
    pub(super) fn fetch(
        &self,
        cache: &Cache,
        wanted: &Wanted<'_>,
        lock: &Lock,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<Option<Box<Record>>> {
        let Some(remote) = self.remote() else {
            return Ok(None);
        };
        let made_for = For {
            stage: Some(wanted.stage),
            pipeline: wanted.pipeline,
            root: None,
        };
        match remote.fetch(cache, wanted.key, lock, made_for, stop, tell) {
            Err(error) if error.class() != Class::Interrupted => Ok(self.leave(&error, tell)),
            fetched => fetched,
        }
    }

    /// Sends a result that was made here.
    pub(super) fn push(&self, cache: &Cache, record: &Record, stop: &Stop, tell: Tell<'_>) {
        let Some(remote) = self.remote() else {
            return;
        };
        let pushed = Pusher::new(remote, cache, &self.root)
            .and_then(|pusher| pusher.push(record, stop, tell));
        match pushed {
            Ok(pushed) => tell(StageEvent::Pushed {
                bytes: pushed.bytes,
            }),
            Err(error) if error.class() == Class::Interrupted => tell(StageEvent::Note(
                "is not pushed: interrupted; `kfood cache push` goes on".to_owned(),
            )),
            Err(error) => {
                self.leave::<()>(&error, tell);
            }
        }
    }

    /// Goes on without it.
    fn leave<T>(&self, error: &Error, tell: Tell<'_>) -> Option<T> {
        if !self.lost.swap(true, Ordering::Relaxed) {
            tell(StageEvent::Warning(format!(
                "{error}; the run goes on without the remote cache"
            )));
        }
        None
    }
}
