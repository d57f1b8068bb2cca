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

use super::{executor::teller, run::Surroundings};
use crate::{
    cache::{Cache, Fetched, For, Local, Lock, Look, NotFetched, Pusher, Record, Remote},
    digest::Digest,
    error::{Class, Error, Result},
    event::{Observer, StageEvent, Tell},
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
    /// Whether there is nothing to do without it: that it cannot be reached is an error then.
    needed: bool,
    /// Whether it could not be reached: it is not asked again.
    lost: Arc<AtomicBool>,
    /// Whether something could not be pushed: nothing is pushed any more.
    full: Arc<AtomicBool>,
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
        let mut pusher = None;
        for (index, record) in receiver {
            let tell = teller(stages[index].as_ref(), observer);
            team.push(&mut pusher, around, &record, &tell);
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
            needed: false,
            lost: Arc::default(),
            full: Arc::default(),
        }
    }

    /// A remote cache that is to be fetched from: where it cannot be reached, the look at what it has is an error.
    #[must_use]
    pub fn needed(remote: Arc<Remote>, root: PathBuf) -> Self {
        Self {
            needed: true,
            ..Self::new(remote, root, false)
        }
    }

    /// The remote cache, unless it could not be reached.
    #[must_use]
    pub fn remote(&self) -> Option<&Remote> {
        (!self.lost.load(Ordering::Relaxed)).then_some(&*self.remote)
    }

    /// Whether a run pushes what it makes, and could so far.
    #[must_use]
    pub fn pushes(&self) -> bool {
        self.push && !self.full.load(Ordering::Relaxed)
    }

    /// Makes a folder ready that is to be pushed into. If it cannot be, the first look into it tells.
    pub(super) fn begin(&self) {
        if self.push
            && let Err(error) = self.remote.prepare()
        {
            tracing::debug!("{error}");
        }
    }

    /// What it has for a key, by the answer to [`Remote::find`].
    pub(super) fn answered(
        &self,
        answer: Result<Look>,
        tell: Tell<'_>,
    ) -> Result<Option<Box<Record>>> {
        match answer {
            Ok(Look::Hit(record)) => Ok(Some(record)),
            Ok(Look::Miss) => Ok(None),
            Ok(Look::Damaged(damaged)) => {
                self.remote.unusable(&damaged, tell);
                Ok(None)
            }
            Err(error) if self.needed => Err(error),
            Err(error) => {
                self.leave(&error, tell);
                Ok(None)
            }
        }
    }

    /// Fetches a result into the cache, or says why that cannot be.
    pub(super) fn fetch(
        &self,
        cache: &Cache,
        wanted: &Wanted<'_>,
        lock: &Lock,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<Result<Box<Record>, NotFetched>> {
        let Some(remote) = self.remote() else {
            return Ok(Err(NotFetched::Unreachable));
        };
        let made_for = For {
            stage: Some(wanted.stage),
            pipeline: wanted.pipeline,
            root: None,
        };
        Ok(
            match remote.fetch(cache, wanted.key, lock, made_for, stop, tell) {
                Ok(Fetched::Whole(record)) => Ok(record),
                Ok(Fetched::Absent) => Err(NotFetched::Gone),
                Ok(Fetched::Unusable) => Err(NotFetched::Damaged),
                Err(error) if error.class() == Class::Interrupted => return Err(error),
                Err(error) => {
                    self.leave(&error, tell);
                    Err(NotFetched::Unreachable)
                }
            },
        )
    }

    /// Sends a result that was made here; `pusher` is made with the first one.
    fn push<'t>(
        &'t self,
        pusher: &mut Option<Pusher<'t>>,
        around: &Surroundings<'_>,
        record: &Record,
        tell: Tell<'_>,
    ) {
        let Some(remote) = self.remote().filter(|_| self.pushes()) else {
            return;
        };
        let from = Local {
            cache: around.cache,
            root: &self.root,
        };
        let made = match pusher {
            Some(pusher) => Ok(&*pusher),
            None => Pusher::new(remote).map(|made| &*pusher.insert(made)),
        };
        match made.and_then(|pusher| pusher.push(from, record, around.stop, tell)) {
            Ok(pushed) => tell(StageEvent::Pushed {
                bytes: pushed.bytes,
            }),
            Err(error) if error.class() == Class::Interrupted => tell(StageEvent::Note(
                "is not pushed: interrupted; `kfood cache push` goes on".to_owned(),
            )),
            Err(error) => {
                // Who may not write may still read.
                if !self.full.swap(true, Ordering::Relaxed) {
                    tell(StageEvent::Warning(format!(
                        "{}; the run goes on and pushes nothing more",
                        with_help(&error)
                    )));
                }
            }
        }
    }

    /// Goes on without it.
    fn leave(&self, error: &Error, tell: Tell<'_>) {
        if !self.lost.swap(true, Ordering::Relaxed) {
            tell(StageEvent::Warning(format!(
                "{}; it goes on without the remote cache",
                with_help(error)
            )));
        }
    }
}

/// An error with its way out, in one line.
fn with_help(error: &Error) -> String {
    match error.help_text() {
        Some(help) => format!("{error} (help: {help})"),
        None => error.to_string(),
    }
}
