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
    options::{Needs, Options, Taken},
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
    /// Whether the remote cache is said to have its result.
    pub(super) afar: bool,
}

/// How a stage ended, by its number.
pub(super) type Ended = (usize, Result<Done>);

/// Runs stages somewhere.
pub(super) trait Executor<'a> {
    /// Whether it can take this stage now.
    fn has_room(&self, stage: &dyn Stage) -> bool;

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
        });
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
    /// By the numbers of stages: their device where they need one, and what they say that they take.
    stages: HashMap<usize, (Option<usize>, Needs)>,
    /// Numbers of devices on which nothing runs; the next one is the last.
    free: Vec<usize>,
}

impl Running {
    fn without_device(&self) -> usize {
        let devices = self.stages.values().map(|(device, _)| device);
        devices.filter(|device| device.is_none()).count()
    }

    /// Whether a stage may be on the machine beside those that run: alone it always may, and where none says what it takes, too.
    fn leaves(&self, needs: Needs, room: Taken) -> bool {
        let others = || self.stages.values().map(|(_, needs)| needs);
        if self.stages.is_empty() || !(needs.is_said() || others().any(Needs::is_said)) {
            return true;
        }
        let add = |a: Taken, b: Taken| Taken {
            cores: a.cores.saturating_add(b.cores),
            memory: a.memory.saturating_add(b.memory),
        };
        let all = others().map(Needs::taken).fold(needs.taken(), add);
        all.cores <= room.cores && all.memory <= room.memory
    }
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
        let needs = self.needs(task.stage);
        running.stages.insert(task.index, (device, needs));
        device
    }

    fn needs(&self, stage: &dyn Stage) -> Needs {
        let needs = self.around.options.needs.get(stage.kind());
        needs.copied().unwrap_or_default()
    }

    fn run(&self, task: &Task<'a>, device: Option<usize>) -> Result<Done> {
        let options = device.map_or(self.around.options, |device| &self.devices[device]);
        let cores = self.needs(task.stage).cores;
        let options = Options {
            threads: cores.unwrap_or(options.threads),
            ..options.clone()
        };
        let around = Surroundings {
            options: &options,
            ..*self.around
        };
        let tell = teller(task.stage, self.observer);
        perform(task, &around, &tell)
    }
}

impl<'a> Executor<'a> for Local<'a> {
    fn has_room(&self, stage: &dyn Stage) -> bool {
        let running = self.running();
        let of_its_kind = match stage.resource() {
            Resource::Tensor => !running.free.is_empty(),
            Resource::Cpu => running.without_device() < self.around.options.jobs,
        };
        of_its_kind && running.leaves(self.needs(stage), self.around.options.room)
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
        let device = running.stages.remove(&index).and_then(|(device, _)| device);
        running.free.extend(device);
    }
}
