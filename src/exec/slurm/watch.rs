//! Watching jobs until each has ended: the thread of a run that sends stages and reads what their jobs write down.

mod verdict;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use super::{
    Past, Site,
    events::{Pulse, forward},
    papers::{Ending, ticket},
    programs::{is_passing, scancel, squeue},
    send::{Outcome, Sent, Unsent, send},
    states::{Queue, State},
    tidy::tidy,
};
use crate::{
    error::{Class, Error, Result},
    event::{Observer, StageEvent},
    exec::{
        attempt::Done,
        executor::{Ended, Task, teller},
        run::Surroundings,
        worker::was_killed,
    },
    files,
    record::PastJobs,
    text::{count, either, shown},
};

/// How often what jobs write down is looked at, at most; with many jobs less often, for each is two files on a shared file system.
const LOOK: Duration = Duration::from_millis(300);
const LOOK_AT_EACH: Duration = Duration::from_millis(2);
/// How often `squeue` is asked, and stages are sent while jobs are under way, at most; with many jobs less often.
const ASK: Duration = Duration::from_secs(4);
const ASK_OF_EACH: Duration = Duration::from_millis(30);
/// How long a Slurm that does not answer now is left alone.
const LATER: Duration = Duration::from_secs(10);

/// What is written down of a job whose stage failed by itself.
const FAILED: &str = "failed";

/// One job.
struct Watched<'a> {
    sent: Sent<'a>,
    /// How much of its events was told.
    told: u64,
    started: bool,
    pulse: Pulse,
    /// The last reason to wait that was told.
    reason: String,
    /// Since when it is over without a last word, or without its result.
    over: Option<Instant>,
}

/// What a look at a job found.
enum Look {
    Goes,
    Ended(Result<Done>),
    /// It is to be sent again.
    Again(&'static str),
}

pub(super) struct Watch<'a> {
    site: &'a Site,
    around: &'a Surroundings<'a>,
    observer: &'a dyn Observer,
    ended: Sender<Ended>,
    /// The numbers of the stages that this thread has and has not ended.
    open: Arc<Mutex<BTreeSet<usize>>>,
    /// What is written down of jobs.
    past: Past,
    jobs: Vec<Watched<'a>>,
    /// Stages that are to be sent, and when some were sent last.
    fresh: Vec<Task<'a>>,
    sent: Option<Instant>,
    /// When what jobs write down was looked at.
    looked: Instant,
    /// Stages that could not be sent, and when that is tried again.
    later: Option<(Instant, Vec<Unsent<'a>>)>,
    /// What Slurm said last, and when it was asked.
    queue: Option<Queue>,
    asked: Instant,
    /// Whether it was told that Slurm does not answer.
    silent: bool,
    /// Whether it was told that stages are sent later.
    busy: bool,
    /// Whether Slurm ever answered.
    answered: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        site: &'a Site,
        around: &'a Surroundings<'a>,
        observer: &'a dyn Observer,
        ended: Sender<Ended>,
        (open, past): (Arc<Mutex<BTreeSet<usize>>>, Past),
    ) -> Self {
        Self {
            site,
            around,
            observer,
            ended,
            open,
            past,
            jobs: Vec::new(),
            fresh: Vec::new(),
            sent: None,
            looked: Instant::now(),
            later: None,
            queue: None,
            asked: Instant::now(),
            silent: false,
            busy: false,
            answered: false,
        }
    }

    /// Until no more stages come and every job has ended, or the run is asked to stop.
    pub(super) fn run(mut self, tasks: &Receiver<Vec<Task<'a>>>) {
        loop {
            let pause = self.pause();
            match tasks.recv_timeout(pause) {
                Ok(first) => {
                    // Jobs that were seen to end together have made stages ready one after the other.
                    let more = tasks.try_iter().flatten();
                    self.fresh.extend(first.into_iter().chain(more));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected)
                    if self.jobs.is_empty() && self.later.is_none() && self.fresh.is_empty() =>
                {
                    return tidy(self.around.cache);
                }
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(pause),
            }
            if self.around.stop.requested() {
                self.stop();
            }
            if let Some((_, tasks)) = self.later.take_if(|(at, _)| Instant::now() > *at) {
                self.send(tasks);
            }
            if self.may_send() {
                let fresh = std::mem::take(&mut self.fresh);
                self.send(fresh.into_iter().map(|task| (task, 0)).collect());
            }
            self.ask();
            if self.looked.elapsed() >= self.pause() || self.around.stop.requested() {
                self.look();
                self.looked = Instant::now();
            }
        }
    }

    /// Whether there is something to send, and Slurm was left alone for long enough: with many jobs under way what becomes ready in the
    /// meantime goes together.
    fn may_send(&self) -> bool {
        let sent_lately = self.sent.is_some_and(|sent| sent.elapsed() < self.rest());
        let rests = sent_lately && !self.jobs.is_empty();
        !self.fresh.is_empty() && (!rests || self.around.stop.requested())
    }

    /// How long Slurm is left alone for the jobs that there are.
    fn rest(&self) -> Duration {
        ASK.max(ASK_OF_EACH * u32::try_from(self.jobs.len()).unwrap_or(u32::MAX))
    }

    /// Until the next look.
    fn pause(&self) -> Duration {
        LOOK.max(LOOK_AT_EACH * u32::try_from(self.jobs.len()).unwrap_or(u32::MAX))
    }

    fn end(&self, index: usize, done: Result<Done>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&index);
        // The receiver outlives every stage.
        let _ = self.ended.send((index, done));
    }

    fn send(&mut self, tasks: Vec<(Task<'a>, u32)>) {
        if self.around.stop.requested() {
            for (task, _) in tasks {
                self.end(task.index, Err(Error::interrupted("interrupted")));
            }
            return;
        }
        let Outcome { sent, refused } = send(tasks, self.site, self.around, self.observer);
        for (tasks, error) in refused {
            match self.answered && is_passing(&error) {
                true => self.postpone(tasks, &error),
                false => self.refuse(tasks, &error),
            }
        }
        self.answered |= !sent.is_empty();
        self.busy &= sent.is_empty();
        for sent in sent {
            self.tell_sent(&sent);
            self.is_sent(&sent);
            self.jobs.push(Watched {
                sent,
                told: 0,
                started: false,
                pulse: Pulse::new(),
                reason: String::new(),
                over: None,
            });
        }
        // What Slurm said before knows nothing of these.
        self.queue = None;
        self.asked = Instant::now();
        self.sent = Some(self.asked);
    }

    /// Writes down that a job was sent, or found.
    fn is_sent(&self, sent: &Sent<'a>) {
        let log = sent.files.log.strip_prefix(self.around.cache.root());
        self.note(sent.task.index, |past| {
            *past = PastJobs {
                stage: sent.task.stage.id().to_owned(),
                key: sent.task.gathered.key.to_string(),
                job: sent.job.clone(),
                node: None,
                state: "was sent".to_owned(),
                sent: sent.times,
                again: std::mem::take(&mut past.again),
                log: log.ok().map(|log| log.display().to_string()),
            };
        });
    }

    /// Changes what is written down of a stage's jobs.
    fn note(&self, index: usize, change: impl FnOnce(&mut PastJobs)) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        change(past.entry(index).or_default());
    }

    /// Tries again in a while: controllers are started anew, and busy.
    fn postpone(&mut self, tasks: Vec<Unsent<'a>>, error: &Error) {
        if let (Some((first, _)), false) = (tasks.first(), self.busy) {
            teller(first.stage, self.observer)(StageEvent::Warning(format!(
                "it is not sent yet, and will be: {error}"
            )));
        }
        self.busy = true;
        let mut all = self.later.take().map_or_else(Vec::new, |(_, tasks)| tasks);
        all.extend(tasks);
        self.later = Some((Instant::now() + LATER, all));
    }

    fn refuse(&self, tasks: Vec<Unsent<'a>>, error: &Error) {
        let (message, help) = (error.to_string(), error.help_text());
        let interrupted = error.class() == Class::Interrupted;
        for (task, _) in tasks {
            let error = match interrupted {
                true => Error::interrupted(message.as_str()),
                false => Ending::error(&message, help, false),
            };
            self.end(task.index, Err(error));
        }
    }

    fn tell_sent(&self, sent: &Sent<'a>) {
        let tell = teller(sent.task.stage, self.observer);
        let job = shown(&sent.job);
        match (sent.found, sent.with) {
            (true, _) => tell(StageEvent::Note(format!(
                "job {job}, which an earlier run sent, is at it"
            ))),
            (false, 0) => {}
            (false, 1) => tell(StageEvent::Note(format!("sent as job {job}"))),
            (false, several) => tell(StageEvent::Note(format!(
                "sent as job {job}, with {} of the same array",
                count(several - 1, "more job")
            ))),
        }
    }

    /// Cancels the jobs of this run, or leaves them to the next one where this one only goes away.
    fn stop(&mut self) {
        for (task, _) in self.later.take().map_or_else(Vec::new, |(_, tasks)| tasks) {
            self.end(task.index, Err(Error::interrupted("interrupted")));
        }
        let jobs = std::mem::take(&mut self.jobs);
        let names: Vec<_> = jobs.iter().map(|job| job.sent.job.clone()).collect();
        let mut leaves = self.around.stop.leaves();
        if !leaves && let Err(error) = scancel(&names) {
            // They keep their tickets, so that the next run finds those that go on.
            tracing::warn!("jobs may go on: {error}");
            leaves = true;
        }
        if let Some(first) = jobs.first() {
            let n = count(jobs.len(), "job");
            let what = match leaves {
                true => either(
                    jobs.len(),
                    "goes on; the next run finds it",
                    "go on; the next run finds them",
                ),
                false => either(jobs.len(), "is cancelled", "are cancelled"),
            };
            teller(first.sent.task.stage, self.observer)(StageEvent::Note(format!("{n} {what}")));
        }
        for job in jobs {
            if !leaves {
                // The next run sends another, which waits until this one is gone.
                let _ = files::remove(&ticket(self.around.cache, &job.sent.task.gathered.key));
            }
            let what = if leaves { "goes on" } else { "is cancelled" };
            self.note(job.sent.task.index, |past| past.state = what.to_owned());
            let message = format!("interrupted; job {} {what}", shown(&job.sent.job));
            self.end(job.sent.task.index, Err(Error::interrupted(message)));
        }
    }

    /// Asks Slurm, now and then.
    fn ask(&mut self) {
        if self.jobs.is_empty() || self.asked.elapsed() < self.rest() {
            return;
        }
        self.asked = Instant::now();
        match squeue() {
            Ok(queue) => {
                self.queue = Some(queue);
                self.silent = false;
            }
            Err(error) => {
                if !self.silent {
                    let tell = teller(self.jobs[0].sent.task.stage, self.observer);
                    tell(StageEvent::Warning(format!(
                        "Slurm does not say how jobs are: {error}; what they write down counts"
                    )));
                }
                self.silent = true;
                self.queue = None;
            }
        }
    }

    fn look(&mut self) {
        let mut again = Vec::new();
        let mut waiting = String::new();
        for mut job in std::mem::take(&mut self.jobs) {
            self.tell_reason(&mut job, &mut waiting);
            match self.look_at(&mut job) {
                Look::Goes => self.jobs.push(job),
                Look::Ended(done) => {
                    let key = job.sent.task.gathered.key;
                    // Without its ticket the next run does not wait for this job, which has ended.
                    let _ = files::remove(&ticket(self.around.cache, &key));
                    if done.is_ok() {
                        self.note(job.sent.task.index, |past| past.state = "done".to_owned());
                    }
                    self.end(job.sent.task.index, done);
                }
                Look::Again(why) => {
                    self.note(job.sent.task.index, |past| past.again.push(why.to_owned()));
                    let name = shown(&job.sent.job);
                    teller(job.sent.task.stage, self.observer)(StageEvent::Warning(format!(
                        "job {name} {why}; another one goes on from the last save"
                    )));
                    again.push((job.sent.task, job.sent.times));
                }
            }
        }
        if !again.is_empty() {
            self.send(again);
        }
    }

    /// Says why jobs wait, once for all that wait for the same.
    fn tell_reason(&self, job: &mut Watched<'a>, told: &mut String) {
        let queued = self.queue.as_ref().and_then(|q| q.0.get(&job.sent.job));
        let Some(queued) = queued.filter(|q| q.state == State::Waits) else {
            return;
        };
        // Turns are nothing to tell of.
        let usual = ["None", "Priority", "Resources", ""].contains(&queued.reason.as_str());
        if usual || job.reason == queued.reason {
            return;
        }
        job.reason.clone_from(&queued.reason);
        if *told != queued.reason {
            told.clone_from(&queued.reason);
            let (name, reason) = (shown(&job.sent.job), shown(&queued.reason));
            let note = format!("job {name} waits: {reason}");
            teller(job.sent.task.stage, self.observer)(StageEvent::Note(note));
        }
    }

    fn look_at(&self, job: &mut Watched<'a>) -> Look {
        let tell = teller(job.sent.task.stage, self.observer);
        let status = job.sent.files.status();
        if let Some(status) = &status
            && !job.started
        {
            job.started = true;
            self.note(job.sent.task.index, |past| {
                past.node = Some(status.host.clone());
                past.state = "runs".to_owned();
            });
            let (name, host) = (shown(&status.job), shown(&status.host));
            tell(StageEvent::Note(format!("job {name} runs on {host}")));
        }
        let beat = status.as_ref().filter(|status| status.ended.is_none());
        if beat.is_some_and(|status| job.pulse.is_missed(status.beat)) {
            let name = shown(&job.sent.job);
            tell(StageEvent::Warning(format!(
                "job {name} has not said for minutes that it lives; Slurm decides when it is over"
            )));
        }
        job.told = forward(&job.sent.files.events, job.told, &tell);
        let said = self.queue.as_ref().map(|queue| queue.state(&job.sent.job));
        match status.and_then(|status| status.ended) {
            Some(Ending::Done) => self.result(job).map_or(Look::Goes, Look::Ended),
            Some(Ending::Failed { unread: true, .. }) if job.sent.found => Look::Again(
                "cannot read its order, which another version of kfood may have written",
            ),
            Some(Ending::Failed {
                message,
                help,
                usage,
                ..
            }) => {
                let error = Ending::error(&message, help.as_deref(), usage);
                match was_killed(&error) {
                    // Slurm may know that memory ran out.
                    true => self.without_a_word(job, said, Some(error)),
                    false => {
                        self.note(job.sent.task.index, |past| past.state = FAILED.to_owned());
                        Look::Ended(Err(error))
                    }
                }
            }
            Some(Ending::Interrupted) | None => self.without_a_word(job, said, None),
        }
    }
}
