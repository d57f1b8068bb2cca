//! What a job does: one stage, and saying so.

use std::{
    env,
    fs::File,
    io::Write,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::papers::{Ending, JobFiles, JobStatus, Order};
use crate::{
    cache::Cache,
    error::{Error, Result},
    event::{Event, Observer, StageEvent},
    exec::{
        alone::{Wanted, alone},
        options::Options,
    },
    files,
    stage::{Stage, Worker},
    stop::Stop,
};

/// How often a job says that it lives.
const BEAT: Duration = Duration::from_secs(10);
/// How often it says how far it is, at most.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a job says of itself while it works; the last word is that of [`Report::end`].
pub struct Report {
    path: std::path::PathBuf,
    status: Arc<Mutex<JobStatus>>,
    beating: Option<(Sender<()>, JoinHandle<()>)>,
    events: Mutex<(Option<File>, Option<Instant>)>,
    id: String,
}

impl Report {
    /// Says that job `number` of the order in a folder has started, and from then on that it lives.
    ///
    /// # Errors
    /// When the order cannot be read, or nothing can be written beside it.
    pub fn begin(folder: &Path, number: usize) -> Result<(Self, Order)> {
        let paths = JobFiles::of(folder, number);
        let mut status = JobStatus {
            job: own_name(),
            host: host(),
            started: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs(),
            beat: 0,
            ended: None,
        };
        let (order, id) = order(folder, number).inspect_err(|error| {
            status.ended = Some(Ending::failed(error, true));
            // Where that cannot be written either, the log has it.
            let _ = files::publish_json(&paths.status, &status);
        })?;
        files::publish_json(&paths.status, &status)?;
        let status = Arc::new(Mutex::new(status));
        let events = File::options()
            .create(true)
            .append(true)
            .open(&paths.events);
        let report = Self {
            beating: Some(beat(paths.status.clone(), Arc::clone(&status))),
            path: paths.status,
            status,
            events: Mutex::new((events.ok(), None)),
            id,
        };
        Ok((report, order))
    }

    /// Says how it ended.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn end(mut self, done: &Result<()>) -> Result<()> {
        if let Some((stop, thread)) = self.beating.take() {
            drop(stop);
            // It only writes a file.
            let _ = thread.join();
        }
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.ended = Some(Ending::of(done));
        files::publish_json(&self.path, &*status)
    }

    fn write(&self, event: &StageEvent) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, said) = &mut *events;
        if matches!(event, StageEvent::Progress { .. }) {
            if said.is_some_and(|said| said.elapsed() < INTERVAL) {
                return;
            }
            *said = Some(Instant::now());
        }
        if let (Some(file), Ok(mut line)) = (file, serde_json::to_vec(event)) {
            line.push(b'\n');
            // It serves people who watch; the work goes on without.
            let _ = file.write_all(&line);
        }
    }
}

impl Observer for Report {
    fn observe(&self, event: &Event) {
        if let Event::Stage { id, event } = event
            && *id == self.id
        {
            self.write(event);
        }
    }
}

/// An order, and the instance that the job is of.
fn order(folder: &Path, number: usize) -> Result<(Order, String)> {
    let read = |error| {
        // A job may wait for days, and start with the kfood that was installed since.
        Error::failed(
            "the job cannot read its order, which another version of kfood may have written",
        )
        .because(error)
        .help("run the pipeline again: the stage is sent anew")
    };
    let order: Order = files::read_json(&folder.join(Order::FILE)).map_err(read)?;
    let id = order.stages.get(number).map(|stage| stage.id.clone());
    let id = id.ok_or_else(|| read(Error::failed(format!("it has no stage {number}"))))?;
    Ok((order, id))
}

/// Writes a growing number now and then, until its sender is dropped.
fn beat(path: std::path::PathBuf, status: Arc<Mutex<JobStatus>>) -> (Sender<()>, JoinHandle<()>) {
    let (sender, stop) = channel();
    let thread = thread::spawn(move || {
        while stop.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
            let mut status = status.lock().unwrap_or_else(PoisonError::into_inner);
            status.beat += 1;
            // The next one may be written.
            let _ = files::publish_json(&path, &*status);
        }
    });
    (sender, thread)
}

/// As Slurm calls this job.
fn own_name() -> String {
    let get = |name| env::var(name).ok();
    let array = get("SLURM_ARRAY_JOB_ID").zip(get("SLURM_ARRAY_TASK_ID"));
    array.map_or_else(
        || get("SLURM_JOB_ID").unwrap_or_default(),
        |(job, task)| format!("{job}_{task}"),
    )
}

fn host() -> String {
    let kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = env::var("SLURMD_NODENAME").ok().or_else(kernel);
    name.unwrap_or_default().trim().to_owned()
}

/// Makes the result of one stage of an order.
///
/// # Errors
/// As a stage of a run; and when what it reads is another than when it was sent.
pub fn make(
    order: &Order,
    number: usize,
    stages: &[Box<dyn Stage>],
    threads: u32,
    worker: &dyn Worker,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<()> {
    let stage = &order.stages[number];
    let cache = Cache::open(&order.cache)?;
    let options = Options {
        targets: vec![stage.id.clone()],
        device: order.device.clone(),
        threads,
        pipeline: Some(order.pipeline.display().to_string()),
        ..Options::default()
    };
    let wanted = Wanted {
        id: &stage.id,
        key: stage.key,
        inputs: &stage.inputs,
        from: &stage.from,
        forced: stage.forced,
        reason: &stage.reason,
    };
    alone(stages, &wanted, &options, &cache, worker, observer, stop)
}
