//! Where a stage runs: the one thing that a run asks of threads of its own and of a cluster.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError, mpsc::Sender},
    thread::Scope,
};

use super::{
    attempt::{Done, perform},
    gather::Gathered,
    options::Options,
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

    /// Hears that the run knows of the end of a stage: there is no room for another one before.
    fn over(&self, _: usize) {}

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

/// A thread of this process for each stage; tensors are computed in processes of their own, one on each device.
pub(super) struct Local<'a> {
    around: &'a Surroundings<'a>,
    observer: &'a dyn Observer,
    /// What holds on each device.
    devices: Vec<Options>,
    running: Mutex<Running>,
}

/// What runs.
struct Running {
    /// The numbers of stages, with their device where they need one.
    stages: HashMap<usize, Option<usize>>,
    /// Numbers of devices on which nothing runs; the next one is the last.
    free: Vec<usize>,
}

impl<'a> Local<'a> {
    pub(super) fn new(around: &'a Surroundings<'a>, observer: &'a dyn Observer) -> Self {
        let options = around.options;
        let on = |device: &String| Options {
            device: device.clone(),
            ..options.clone()
        };
        let devices: Vec<_> = match options.devices.as_slice() {
            [] => vec![options.clone()],
            devices => devices.iter().map(on).collect(),
        };
        let free = (0..devices.len()).rev().collect();
        Self {
            around,
            observer,
            devices,
            running: Mutex::new(Running {
                stages: HashMap::new(),
                free,
            }),
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a stage; the number of its device, where it needs one.
    fn begun(&self, task: &Task<'a>) -> Option<usize> {
        let mut running = self.running();
        let device = match task.stage.resource() {
            Resource::Cpu => None,
            Resource::Tensor => running.free.pop(),
        };
        running.stages.insert(task.index, device);
        device
    }

    fn run(&self, task: &Task<'a>, device: Option<usize>) -> Result<Done> {
        let options = device.map_or(self.around.options, |device| &self.devices[device]);
        let around = Surroundings {
            options,
            ..*self.around
        };
        let tell = teller(task.stage, self.observer);
        let reason = task.reason.clone();
        perform(
            task.stage,
            &task.gathered,
            task.forced,
            reason,
            &around,
            &tell,
        )
    }
}

impl<'a> Executor<'a> for Local<'a> {
    fn has_room(&self, resource: Resource) -> bool {
        let running = self.running();
        // Each device may have its stage, whatever `jobs` says.
        running.stages.len() < self.around.options.jobs.max(self.devices.len())
            && (resource == Resource::Cpu || !running.free.is_empty())
    }

    fn start<'s, 'e>(&'e self, scope: &'s Scope<'s, 'e>, task: Task<'a>, ended: &Sender<Ended>)
    where
        'a: 'e,
        'e: 's,
    {
        let ended = ended.clone();
        let device = self.begun(&task);
        scope.spawn(move || {
            // A panic in the engine itself must not leave the run waiting for ever.
            let done =
                catch_unwind(AssertUnwindSafe(|| self.run(&task, device))).unwrap_or_else(|_| {
                    let fault = "it panicked outside its own work";
                    Err(Error::failed(fault).help("this is a fault of kfood; please report it"))
                });
            // The receiver outlives every stage.
            let _ = ended.send((task.index, done));
        });
    }

    fn over(&self, index: usize) {
        let mut running = self.running();
        let device = running.stages.remove(&index).flatten();
        running.free.extend(device);
    }
}
