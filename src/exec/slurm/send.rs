//! Sending stages: under one lock for a cache, so that a stage that has a job gets no second one.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    Site,
    papers::{self, Ending, JobFiles, Order, Ordered, Ticket},
    programs::{Batch, squeue},
    states::Queue,
};
use crate::{
    cache::{Cache, Found},
    error::{Error, Result},
    event::{Observer, StageEvent},
    exec::{
        executor::{Task, teller},
        run::Surroundings,
    },
    files,
    settings::SlurmSettings,
    stage::Stage,
    stop::Stop,
    text::shown,
};

/// Jobs of one `sbatch`, at most: clusters allow 1,001 without a word.
const MOST: usize = 500;

/// A stage with its job.
pub(super) struct Sent<'a> {
    pub(super) task: Task<'a>,
    pub(super) job: String,
    pub(super) files: JobFiles,
    /// How often it was sent.
    pub(super) times: u32,
    /// Whether an earlier run sent it.
    pub(super) found: bool,
    /// How many went with it, where it is the first of them.
    pub(super) with: usize,
}

/// What became of some stages that were to be sent.
#[derive(Default)]
pub(super) struct Outcome<'a> {
    /// Those with a job.
    pub(super) sent: Vec<Sent<'a>>,
    /// Those that got none, with the reason.
    pub(super) refused: Vec<(Vec<Unsent<'a>>, Error)>,
}

/// A stage that has no job, with the number of times that it was sent before.
pub(super) type Unsent<'a> = (Task<'a>, u32);

/// Sends stages, or finds the jobs that they have.
pub(super) fn send<'a>(
    tasks: Vec<Unsent<'a>>,
    site: &Site,
    around: &Surroundings<'_>,
    observer: &dyn Observer,
) -> Outcome<'a> {
    let (cache, device) = (around.cache, around.options.device.as_str());
    let mut outcome = Outcome::default();
    let Some((first, _)) = tasks.first() else {
        return outcome;
    };
    let locked = lock(cache, first.stage, around.stop, observer);
    let locked = locked.and_then(|lock| Ok((lock, squeue()?)));
    let (lock, queue) = match locked {
        Ok(locked) => locked,
        Err(error) => {
            outcome.refused.push((tasks, error));
            return outcome;
        }
    };
    let mut new: Vec<(SlurmSettings, Vec<Unsent<'a>>)> = Vec::new();
    for (task, times) in tasks {
        if let Some((ticket, job)) = found(cache, &task, &queue, observer) {
            let folder = papers::jobs(cache).join(&ticket.name);
            outcome.sent.push(Sent {
                files: JobFiles::of(&folder, ticket.number),
                task,
                job,
                times: ticket.sent,
                found: true,
                with: 1,
            });
            continue;
        }
        let Some(settings) = site.settings.get(task.stage.kind()) else {
            let what = format!("`{}` has no settings for Slurm", task.stage.kind());
            let error = Error::failed(what);
            outcome.refused.push((vec![(task, times)], error));
            continue;
        };
        match new
            .iter_mut()
            .find(|(s, t)| s == settings && t.len() < MOST)
        {
            Some((_, together)) => together.push((task, times)),
            None => new.push((settings.clone(), vec![(task, times)])),
        }
    }
    for (settings, together) in new {
        match batch(&together, &settings, site, cache, device, &lock) {
            Ok((folder, jobs)) => outcome.sent.extend(with_jobs(together, &folder, jobs)),
            Err(error) => outcome.refused.push((together, error)),
        }
    }
    outcome
}

/// Stages with the jobs that they have got.
fn with_jobs<'a>(
    together: Vec<Unsent<'a>>,
    folder: &Path,
    jobs: Vec<String>,
) -> impl Iterator<Item = Sent<'a>> {
    let with = jobs.len();
    let all = together.into_iter().zip(jobs).enumerate();
    all.map(move |(number, ((task, times), job))| Sent {
        task,
        job,
        files: JobFiles::of(folder, number),
        times: times + 1,
        found: false,
        with: if number == 0 { with } else { 0 },
    })
}

/// How often it is tried whether another run is done with sending.
const TRY: Duration = Duration::from_millis(100);

/// Held by who looks for jobs and sends some. Where another run does so now, that is told and waited for, until a request to stop.
fn lock(cache: &Cache, first: &dyn Stage, stop: &Stop, observer: &dyn Observer) -> Result<File> {
    let mut told = false;
    loop {
        if let Some(file) = try_lock(cache)? {
            return Ok(file);
        }
        if !std::mem::replace(&mut told, true) {
            teller(first, observer)(StageEvent::Note(
                "waits for another run, which is sending jobs from this cache".to_owned(),
            ));
        }
        stop.check()?;
        thread::sleep(TRY);
    }
}

/// The same, if nobody holds it.
pub(super) fn try_lock(cache: &Cache) -> Result<Option<File>> {
    let folder = papers::jobs(cache);
    files::create_folder(&folder)?;
    let path = folder.join("submit.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| Error::io("open", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(Error::io("lock", &path, e)),
    }
}

/// The job that a stage has already: one that lives, or one that has made the result since the run looked. A ticket that cannot be read
/// hides none: what the jobs were told to do, their names and what they write down say the same, and that is told.
fn found(
    cache: &Cache,
    task: &Task<'_>,
    queue: &Queue,
    observer: &dyn Observer,
) -> Option<(Ticket, String)> {
    let key = &task.gathered.key;
    let why = match papers::read_ticket(cache, key) {
        Ok(ticket) => return ticket.and_then(|ticket| job_of(cache, task, queue, ticket)),
        Err(why) => why,
    };
    let mut orders = papers::tickets_by_orders(cache, key).into_iter();
    let found = orders.find_map(|ticket| job_of(cache, task, queue, ticket));
    let what = match &found {
        Some((_, job)) => format!("job {} is found by its order", shown(job)),
        None => "no job of this stage lives or has made its result, and one is sent".to_owned(),
    };
    teller(task.stage, observer)(StageEvent::Warning(format!(
        "the ticket of its job cannot be read ({why}): {what}"
    )));
    found
}

/// The job of a ticket, where it lives, or has made the result.
fn job_of(
    cache: &Cache,
    task: &Task<'_>,
    queue: &Queue,
    ticket: Ticket,
) -> Option<(Ticket, String)> {
    let job = JobFiles::of(&papers::jobs(cache).join(&ticket.name), ticket.number);
    if let Some(Ending::Failed { unread: true, .. }) = job.ended() {
        // Whether Slurm knows yet that it is over or not: it did nothing.
        return None;
    }
    if let Some(name) = queue.alive(&ticket.name, ticket.number) {
        let name = name.to_owned();
        return Some((ticket, name));
    }
    let status = job.status()?;
    let key = &task.gathered.key;
    let made =
        status.ended == Some(Ending::Done) && matches!(cache.find(key, &|_| {}), Found::Hit(_));
    (made && !task.forced).then_some((ticket, status.job))
}

/// Sends stages that ask for the same: first their tickets are written, then what they are to do, then they are sent.
fn batch(
    together: &[(Task<'_>, u32)],
    settings: &SlurmSettings,
    site: &Site,
    cache: &Cache,
    device: &str,
    lock: &File,
) -> Result<(PathBuf, Vec<String>)> {
    let keys: Vec<_> = together.iter().map(|(task, _)| task.gathered.key).collect();
    let name = papers::free_name(cache, &keys);
    let folder = papers::jobs(cache).join(&name);
    files::create_folder(&folder)?;
    let stages = together.iter().map(|(task, _)| Ordered {
        id: task.stage.id().to_owned(),
        key: task.gathered.key,
        inputs: task.gathered.document.inputs.clone(),
        from: task.gathered.from.clone(),
        forced: task.forced,
        reason: task.reason.clone(),
    });
    let order = Order {
        pipeline: site.pipeline.clone(),
        texts: site.texts.clone(),
        cache: cache.root().to_owned(),
        device: device.to_owned(),
        stages: stages.collect(),
    };
    files::publish_json(&folder.join(Order::FILE), &order)?;
    for (number, (task, times)) in together.iter().enumerate() {
        let ticket = Ticket {
            name: name.clone(),
            number,
            sent: times + 1,
        };
        files::publish_json(&papers::ticket(cache, &task.gathered.key), &ticket)?;
    }
    let batch = Batch {
        name: &name,
        folder: &folder,
        settings,
        program: &site.program,
        jobs: together.len(),
    };
    // Where no answer came, there may be a job all the same: its ticket has the name by which it is found.
    let sent = batch.send(lock)?;
    Ok((folder, sent))
}
