//! Running a pipeline: in order, several stages at once, each result published as soon as it is there.

use std::{
    collections::HashMap,
    sync::mpsc::{Sender, channel},
    thread,
};

use super::{
    attempt::{Done, Way},
    executor::{Ended, Executor, Local, Task, teller},
    gather::{Gathered, gather},
    options::Options,
    slurm::Slurm,
    status::{Status, Survey},
    summary::{Outcome, StageSummary, Summary},
    team,
};
use crate::{
    cache::{Cache, Found, Hold, Reason, Record},
    digest::Digest,
    error::{Class, Error, Result},
    event::{Event, NotRun, Observer, StageEvent},
    plan::Graph,
    stage::{Stage, Worker},
    stop::Stop,
};

/// What every stage of a run shares.
pub(super) struct Surroundings<'a> {
    pub(super) options: &'a Options,
    pub(super) cache: &'a Cache,
    pub(super) hold: &'a Hold,
    pub(super) worker: &'a dyn Worker,
    pub(super) stop: &'a Stop,
}

/// Runs what is not in the cache. A stage that fails, panics or is interrupted is told in the summary.
///
/// # Errors
/// Before anything runs: when the graph is wrong, a name is no stage, or outside files cannot be read.
pub fn run(
    stages: &[Box<dyn Stage>],
    options: &Options,
    cache: &Cache,
    worker: &dyn Worker,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<Summary> {
    let graph = Graph::new(stages)?;
    let hold = cache.hold()?;
    let _mode = cache.follow_mode();
    if let Some(team) = &options.team {
        team.begin();
    }
    let survey = Survey::make(
        stages,
        &graph,
        options,
        cache,
        Some((&hold, stop)),
        observer,
    )?;
    // Looking may have taken long: a request made meanwhile ends the run here.
    stop.check()?;
    observer.observe(&Event::Begun {
        stages: survey.ahead(stages),
    });
    let around = Surroundings {
        options,
        cache,
        hold: &hold,
        worker,
        stop,
    };
    let local = Local::new(&around, observer);
    let cluster = options.cluster.as_ref();
    let slurm = cluster.map(|site| Slurm::new(site, &around, observer));
    let numbers = stages
        .iter()
        .enumerate()
        .map(|(i, s)| (s.id(), i))
        .collect();
    let mut run = Run {
        stages,
        graph: &graph,
        survey: &survey,
        around: &around,
        local: &local,
        slurm: slurm.as_ref(),
        observer,
        numbers,
        state: stages.iter().map(|_| State::Open(None)).collect(),
        running: HashMap::new(),
        failed: None,
        interrupted: false,
        unlike: false,
        pushes: None,
    };
    run.drive();
    Ok(run.into_summary())
}

enum State {
    /// Not yet started; its inputs once they were digested.
    Open(Option<Box<Gathered>>),
    Running,
    Ended {
        outcome: Outcome,
        record: Option<Box<Record>>,
    },
}

struct Run<'r, 'a> {
    stages: &'a [Box<dyn Stage>],
    graph: &'a Graph,
    survey: &'a Survey<'a>,
    around: &'a Surroundings<'a>,
    local: &'r Local<'a>,
    slurm: Option<&'r Slurm<'a>>,
    observer: &'a dyn Observer,
    numbers: HashMap<&'a str, usize>,
    state: Vec<State>,
    /// Running stages and their keys.
    running: HashMap<usize, Digest>,
    /// The first failed stage.
    failed: Option<usize>,
    /// Whether a stage was interrupted.
    interrupted: bool,
    /// Whether a stage gave something else than the remote cache had said: what the look at all stages found below it is void.
    unlike: bool,
    /// To whom results are given that are to be pushed.
    pushes: Option<Sender<team::Made>>,
}

impl<'r, 'a: 'r> Run<'r, 'a> {
    /// Starts stages as they can start, until nothing runs and nothing more can.
    fn drive(&mut self) {
        thread::scope(|scope| {
            let (sender, receiver) = channel();
            self.pushes = team::pusher(scope, self.stages, self.around, self.observer);
            loop {
                let open = self.open();
                self.start_all(scope, &sender);
                if let Some(slurm) = self.slurm {
                    slurm.begin(scope, &sender);
                }
                if self.running.is_empty() {
                    // A stage that waited for another's equal work may start now that the other could not even start.
                    if self.open() < open {
                        continue;
                    }
                    break;
                }
                // The sender lives as long as this loop, so that receiving cannot fail.
                let Ok((index, done)) = receiver.recv() else {
                    break;
                };
                self.running.remove(&index);
                self.executor(index).over(index);
                self.end(index, done);
            }
            if let Some(slurm) = self.slurm {
                slurm.close();
            }
            // What is still on its way is waited for.
            self.pushes = None;
        });
    }

    /// Starts what can start, and ends what needs no start, in order.
    fn start_all<'s>(&mut self, scope: &'s thread::Scope<'s, 'r>, sender: &Sender<Ended>)
    where
        'r: 's,
    {
        for &index in &self.survey.order {
            if !matches!(self.state[index], State::Open(_)) {
                continue;
            }
            if let Some(because) = self.blocked(index) {
                self.skip(index, because);
            } else if self.upstream_finished(index) {
                self.start(index, scope, sender);
            }
        }
    }

    fn open(&self) -> usize {
        self.survey
            .order
            .iter()
            .filter(|&&i| matches!(self.state[i], State::Open(_)))
            .count()
    }

    /// Why a stage cannot start any more.
    fn blocked(&self, index: usize) -> Option<NotRun> {
        if self.interrupted {
            return Some(NotRun::Interrupted);
        }
        let ended_badly = |above: &usize| match &self.state[*above] {
            State::Ended {
                outcome: Outcome::Failed(_),
                ..
            } => Some(NotRun::Needs(self.stages[*above].id().to_owned())),
            State::Ended {
                outcome: Outcome::Skipped { because },
                ..
            } => Some(because.clone()),
            _ => None,
        };
        let above: Vec<_> = (self.graph.upstream(index).iter())
            .filter_map(ended_badly)
            .collect();
        // That something it needs failed says more than that something else did.
        let needs = above.iter().find(|why| matches!(why, NotRun::Needs(_)));
        needs.or(above.first()).cloned().or_else(|| {
            let first = self.failed.filter(|_| !self.around.options.keep_going)?;
            Some(NotRun::AfterFailure(self.stages[first].id().to_owned()))
        })
    }

    fn upstream_finished(&self, index: usize) -> bool {
        self.graph
            .upstream(index)
            .iter()
            .all(|&above| self.record(above).is_some())
    }

    fn start<'s>(&mut self, index: usize, scope: &'s thread::Scope<'s, 'r>, sender: &Sender<Ended>)
    where
        'r: 's,
    {
        if let Some(Status::Cached { record }) = &self.survey.status[index]
            && !self.unlike
        {
            return self.is_cached(index, record.clone());
        }
        let stage = self.stages[index].as_ref();
        let executor = self.executor(index);
        if !executor.has_room(stage) {
            return;
        }
        match self.prepare(index) {
            Ok(Ready::Cached(record)) => self.is_cached(index, record),
            Ok(Ready::Run(gathered, forced, reason)) => {
                self.running.insert(index, gathered.key);
                self.state[index] = State::Running;
                let task = Task {
                    index,
                    stage,
                    gathered,
                    forced,
                    reason,
                    afar: matches!(self.survey.status[index], Some(Status::Afar { .. })),
                };
                executor.start(scope, task, sender);
            }
            Ok(Ready::Later(gathered)) => self.state[index] = State::Open(Some(gathered)),
            Err(error) => self.end(index, Err(error)),
        }
    }

    /// Where a stage runs; what the remote cache has is fetched here.
    fn executor(&self, index: usize) -> &'r dyn Executor<'a> {
        let afar = matches!(self.survey.status[index], Some(Status::Afar { .. }));
        let kind = self.stages[index].kind();
        match self.slurm.filter(|slurm| !afar && slurm.takes(kind)) {
            Some(slurm) => slurm,
            None => self.local,
        }
    }

    /// Digests the inputs, outside files once more: the look at all stages may be hours old.
    fn prepare(&mut self, index: usize) -> Result<Ready> {
        self.around.stop.check()?;
        let stage = self.stages[index].as_ref();
        let tell = self.tell(index);
        let kept = match &mut self.state[index] {
            State::Open(kept) => kept.take(),
            _ => None,
        };
        let gathered = match kept.filter(|g| g.files.is_empty()) {
            Some(gathered) => gathered,
            None => {
                let record = |id: &str| self.record(*self.numbers.get(id)?);
                Box::new(gather(
                    stage,
                    self.around.cache,
                    record,
                    self.around.stop,
                    &tell,
                )?)
            }
        };
        let key = gathered.key;
        let first = self.survey.promised.get(&key).copied().unwrap_or(index);
        let another_first = first != index && !matches!(self.state[first], State::Ended { .. });
        if another_first || self.running.values().any(|k| *k == key) {
            return Ok(Ready::Later(gathered));
        }
        // Work that was already done in this run is not forced again under another name.
        let forced = self.survey.forced.contains(&index) && !self.ran(&key);
        if let (
            Some(Status::Run {
                key: planned,
                reasons,
                ..
            }),
            true,
        ) = (&self.survey.status[index], first == index)
            && *planned == key
        {
            let reason = sentence(reasons);
            return Ok(Ready::Run(gathered, forced, reason));
        }
        let found = self
            .around
            .cache
            .find_and_hold(&key, self.around.hold, &tell)?;
        if let (Found::Hit(record), false) = (&found, forced) {
            return Ok(Ready::Cached(record.clone()));
        }
        let (reasons, _) = match found {
            Found::Hit(_) => (vec![Reason::Forced], None),
            found => self.survey.explain(&gathered, &found, forced, stage),
        };
        Ok(Ready::Run(gathered, forced, sentence(&reasons)))
    }

    /// Whether a stage of this run has just made the result for a key.
    fn ran(&self, key: &Digest) -> bool {
        self.state.iter().any(|state| {
            matches!(state, State::Ended { outcome: Outcome::Ran, record: Some(r) } if r.key == *key)
        })
    }

    fn is_cached(&mut self, index: usize, record: Box<Record>) {
        let way = Way::Cached;
        self.end(index, Ok(Done { record, way }));
    }

    fn end(&mut self, index: usize, done: Result<Done>) {
        let id = self.stages[index].id();
        let tell = self.tell(index);
        let (outcome, record) = match done {
            Ok(Done { record, way }) => {
                tell(way.told(&record));
                self.after(index, way, &record);
                (way.outcome(), Some(record))
            }
            Err(error) => {
                let error = error.within(&format!("stage `{id}`"));
                self.interrupted |= error.class() == Class::Interrupted;
                tell(match error.class() {
                    Class::Interrupted => StageEvent::Interrupted,
                    Class::Failed | Class::Usage => StageEvent::Failed {
                        message: error.to_string(),
                    },
                });
                self.failed.get_or_insert(index);
                (Outcome::Failed(error), None)
            }
        };
        self.state[index] = State::Ended { outcome, record };
    }

    /// What follows from a result.
    fn after(&mut self, index: usize, way: Way, record: &Record) {
        if let Some(Status::Afar { record: said, .. }) = &self.survey.status[index] {
            self.unlike |= said.contents() != record.contents();
        }
        if let (Way::Ran, Some(pushes)) = (way, &self.pushes) {
            // Its receiver outlives every stage.
            let _ = pushes.send((index, Box::new(record.clone())));
        }
    }

    fn skip(&mut self, index: usize, because: NotRun) {
        self.tell(index)(StageEvent::Skipped {
            because: because.clone(),
        });
        self.state[index] = State::Ended {
            outcome: Outcome::Skipped { because },
            record: None,
        };
    }

    fn record(&self, index: usize) -> Option<&Record> {
        match &self.state[index] {
            State::Ended { record, .. } => record.as_deref(),
            _ => None,
        }
    }

    fn tell(&self, index: usize) -> impl Fn(StageEvent) + Sync + use<'a> {
        teller(self.stages[index].as_ref(), self.observer)
    }

    fn into_summary(mut self) -> Summary {
        let order = self.survey.order.iter();
        let stages = order.map(|&index| {
            let stage = &self.stages[index];
            let state = std::mem::replace(&mut self.state[index], State::Running);
            let (outcome, record) = match state {
                State::Ended { outcome, record } => (outcome, record),
                // The loop ends only when nothing runs, and then everything has ended.
                State::Open(_) | State::Running => {
                    (Outcome::Failed(Error::failed("it was never started")), None)
                }
            };
            StageSummary {
                id: stage.id().to_owned(),
                kind: stage.kind(),
                outcome,
                seconds: record.as_ref().map_or(0.0, |r| r.seconds),
                record,
            }
        });
        let jobs = self.slurm.map(Slurm::jobs).unwrap_or_default();
        Summary::new(stages.collect(), self.around.cache.clone()).with_jobs(jobs)
    }
}

/// What is to be done with a stage whose inputs are there.
enum Ready {
    Cached(Box<Record>),
    Run(Box<Gathered>, bool, String),
    /// Another stage does the same work first.
    Later(Box<Gathered>),
}

fn sentence(reasons: &[Reason]) -> String {
    reasons
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
