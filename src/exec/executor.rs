//! Where a stage runs: the one thing that a run asks of threads of its own and of a cluster.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::Sender,
    },
    thread::Scope,
};

use super::{
    attempt::{Done, perform},
    gather::Gathered,
    run::Surroundings,
};
use crate::{
    error::{Error, Result},
    event::{Event, Observer, StageEvent},
    stage::{Resource, Stage},
};

/// A stage whose inputs are there and whose result is not.
pub(super) struct Task<'a> {
    /// Its number.
    pub(super) index: usize,
    pub(super) stage: &'a dyn Stage,
    pub(super) gathered: Box<Gathered>,
    pub(super) forced: bool,
    /// Why it runs.
    pub(super) reason: String,
}

/// How a stage ended, by its number.
pub(super) type Ended = (usize, Result<Done>);

/// Runs stages somewhere.
pub(super) trait Executor<'a> {
    /// Whether it can take a stage that needs this.
    fn has_room(&self, resource: Resource) -> bool;

    /// Takes a stage. Its end goes to `ended`, whose receiver outlives every stage.
    fn start<'s, 'e>(&'e self, scope: &'s Scope<'s, 'e>, task: Task<'a>, ended: &Sender<Ended>)
    where
        'a: 'e,
        'e: 's;

    /// Says that for now no more stages come.
    fn begin<'s, 'e>(&'e self, _: &'s Scope<'s, 'e>, _: &Sender<Ended>)
    where
        'a: 'e,
        'e: 's,
    {
    }
}

/// Tells of one stage.
pub(super) fn teller<'a>(
    stage: &'a dyn Stage,
    observer: &'a dyn Observer,
) -> impl Fn(StageEvent) + Sync + use<'a> {
    move |event| {
        observer.observe(&Event::Stage {
            id: stage.id().to_owned(),
            event,
        })
    }
}

/// A thread of this process for each stage; tensors are computed in processes of their own.
pub(super) struct Local<'a> {
    around: &'a Surroundings<'a>,
    observer: &'a dyn Observer,
    running: AtomicUsize,
    with_tensors: AtomicUsize,
}

impl<'a> Local<'a> {
    pub(super) fn new(around: &'a Surroundings<'a>, observer: &'a dyn Observer) -> Self {
        Self {
            around,
            observer,
            running: AtomicUsize::new(0),
            with_tensors: AtomicUsize::new(0),
        }
    }

    /// How many run that count against this limit.
    fn count(&self, resource: Resource) -> &AtomicUsize {
        match resource {
            Resource::Cpu => &self.running,
            Resource::Tensor => &self.with_tensors,
        }
    }
}

impl<'a> Executor<'a> for Local<'a> {
    fn has_room(&self, resource: Resource) -> bool {
        let (running, with_tensors) = (
            self.running.load(Ordering::SeqCst),
            self.with_tensors.load(Ordering::SeqCst),
        );
        running + with_tensors < self.around.options.jobs.max(1)
            && (resource != Resource::Tensor || with_tensors == 0)
    }

    fn start<'s, 'e>(&'e self, scope: &'s Scope<'s, 'e>, task: Task<'a>, ended: &Sender<Ended>)
    where
        'a: 'e,
        'e: 's,
    {
        let ended = ended.clone();
        let count = self.count(task.stage.resource());
        count.fetch_add(1, Ordering::SeqCst);
        scope.spawn(move || {
            let Task {
                index,
                stage,
                gathered,
                forced,
                reason,
            } = task;
            let tell = teller(stage, self.observer);
            // A panic in the engine itself must not leave the run waiting for ever.
            let done = catch_unwind(AssertUnwindSafe(|| {
                perform(stage, &gathered, forced, reason, self.around, &tell)
            }))
            .unwrap_or_else(|_| {
                let fault = "it panicked outside its own work";
                Err(Error::failed(fault).help("this is a fault of kfood; please report it"))
            });
            count.fetch_sub(1, Ordering::SeqCst);
            // The receiver outlives every stage.
            let _ = ended.send((index, done));
        });
    }
}
