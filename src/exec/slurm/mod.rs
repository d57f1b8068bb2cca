//! Stages as jobs of Slurm, by plain `sbatch`, on a cache that all nodes share.
//!
//! The run stays the one that plans; each stage that can run becomes a job, and those that can run together and ask for the same an
//! array. A job makes one result by its key, with the same lock, attempt and publishing as a run on this machine ([`job`]), so that
//! nothing is lost or doubled whoever is killed when. What holds is what jobs write down (`papers`); `squeue` and `sacct` only
//! explain why one ended without a word (`states`).
//!
//! A job that its time limit, preemption or its node's failure ended is sent again, and goes on from the last save. Ctrl-C cancels
//! the jobs of a run. A run that is hung up, terminated or killed leaves them, and the next one finds them by their tickets.

mod events;
pub mod job;
mod papers;
mod programs;
mod send;
mod states;
mod tidy;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::Scope,
};

pub use self::papers::Order;
use self::watch::Watch;
use super::{
    executor::{Ended, Executor, Task},
    run::Surroundings,
};
use crate::{
    error::Error, event::Observer, record::PastJobs, settings::SlurmSettings, stage::Stage,
};

/// A cluster, and what its jobs ask for.
#[derive(Clone, Debug)]
pub struct Site {
    /// What jobs ask for, by kind of stage.
    pub settings: BTreeMap<&'static str, SlurmSettings>,
    /// Kinds of stages that run here all the same.
    pub local: Vec<String>,
    /// `kfood`, as nodes find it.
    pub program: PathBuf,
    /// The pipeline file.
    pub pipeline: PathBuf,
    /// What it and the files that it uses say, by alias.
    pub texts: BTreeMap<String, String>,
}

/// Runs stages as jobs.
pub(super) struct Slurm<'a> {
    site: &'a Site,
    around: &'a Surroundings<'a>,
    observer: &'a dyn Observer,
    /// Stages that are sent together when no more come for now.
    collected: Mutex<Vec<Task<'a>>>,
    /// To the thread that watches jobs, once there is one.
    watch: Mutex<Option<Sender<Vec<Task<'a>>>>>,
    /// The numbers of the stages that it has and has not ended.
    open: Arc<Mutex<BTreeSet<usize>>>,
    /// What became of the jobs of each stage, by its number.
    past: Past,
}

/// What is written down of the jobs of a run, by the number of their stage.
type Past = Arc<Mutex<BTreeMap<usize, PastJobs>>>;

impl<'a> Slurm<'a> {
    pub(super) fn new(
        site: &'a Site,
        around: &'a Surroundings<'a>,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            site,
            around,
            observer,
            collected: Mutex::default(),
            watch: Mutex::default(),
            open: Arc::default(),
            past: Past::default(),
        }
    }

    /// What became of jobs, in the order of their stages.
    pub(super) fn jobs(&self) -> Vec<PastJobs> {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.values().cloned().collect()
    }

    /// Whether stages of a kind are sent.
    pub(super) fn takes(&self, kind: &str) -> bool {
        !self.site.local.iter().any(|local| local == kind)
    }

    /// Watches jobs until no more come. A panic there is an error of every stage that is left, and leaves no run waiting for ever.
    fn watch(&self, tasks: &Receiver<Vec<Task<'a>>>, ended: &Sender<Ended>) {
        let (site, around, observer) = (self.site, self.around, self.observer);
        let watch = || {
            let shared = (self.open.clone(), self.past.clone());
            Watch::new(site, around, observer, ended.clone(), shared).run(tasks);
        };
        if catch_unwind(AssertUnwindSafe(watch)).is_ok() {
            return;
        }
        let fault = || {
            let what = "watching the jobs of the cluster panicked; jobs that were sent go on";
            Error::failed(what)
                .help("run again, which finds them; and please report this fault of kfood")
        };
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for index in open {
            // The receiver outlives every stage.
            let _ = ended.send((index, Err(fault())));
        }
        for task in tasks.iter().flatten() {
            let _ = ended.send((task.index, Err(fault())));
        }
    }

    /// Lets the thread that watches end, once no job is left.
    pub(super) fn close(&self) {
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl<'a> Executor<'a> for Slurm<'a> {
    fn has_room(&self, _: &dyn Stage) -> bool {
        // Waiting is what a cluster's queue is for.
        true
    }

    fn start<'s, 'e>(&'e self, _: &'s Scope<'s, 'e>, task: Task<'a>, _: &Sender<Ended>)
    where
        'a: 'e,
        'e: 's,
    {
        let mut collected = self
            .collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        collected.push(task);
    }

    fn begin<'s, 'e>(&'e self, scope: &'s Scope<'s, 'e>, ended: &Sender<Ended>)
    where
        'a: 'e,
        'e: 's,
    {
        let mut collected = self
            .collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if collected.is_empty() {
            return;
        }
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = watch.get_or_insert_with(|| {
            let (sender, tasks) = channel();
            let ended = ended.clone();
            scope.spawn(move || self.watch(&tasks, &ended));
            sender
        });
        let numbers = collected.iter().map(|task| task.index);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.extend(numbers);
        drop(open);
        // The thread ends after this sender alone.
        let _ = sender.send(std::mem::take(&mut collected));
    }
}
