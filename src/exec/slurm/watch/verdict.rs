//! What is to be done with a job that is over: its result is taken, another one is sent, or its stage has failed.

use std::time::{Duration, Instant};

use super::{FAILED, Look, Watch, Watched};
use crate::{
    cache::Found,
    error::{Error, Result},
    exec::{
        attempt::{Done, Way},
        slurm::{
            programs::sacct,
            states::{End, State},
        },
    },
    text::{count, shown, shown_path},
};

/// How long a shared file system may take to show what a job has written, before that counts as missing.
const GRACE: Duration = Duration::from_secs(10);
/// Lines of a log in a message.
const LINES: usize = 6;

impl<'a> Watch<'a> {
    /// The result of a job that says that it is done; `None` while it may still come to light here.
    pub(super) fn result(&self, job: &mut Watched<'a>) -> Option<Result<Done>> {
        let key = &job.sent.task.gathered.key;
        match self
            .around
            .cache
            .find_and_hold(key, self.around.hold, &|_| {})
        {
            Ok(Found::Hit(record)) => Some(Ok(Done {
                record,
                way: Way::Ran,
            })),
            Err(error) => Some(Err(error)),
            Ok(_) => {
                let since = *job.over.get_or_insert_with(Instant::now);
                (since.elapsed() > 3 * GRACE).then(|| {
                    let name = shown(&job.sent.job);
                    let message =
                        format!("job {name} is done, and its result is not in the cache here");
                    Err(Error::failed(message)
                        .help("the cache must lie on a file system that all nodes share"))
                })
            }
        }
    }

    /// A job that does not say that its work is done: it lives, or Slurm says what became of it.
    pub(super) fn without_a_word(
        &self,
        job: &mut Watched<'a>,
        said: Option<Option<State>>,
        own: Option<Error>,
    ) -> Look {
        let end = match said {
            // Nothing is known now.
            None => return Look::Goes,
            Some(Some(State::Waits | State::Runs)) => {
                job.over = None;
                return Look::Goes;
            }
            Some(Some(State::Ended(end))) => Some(end),
            Some(None) => None,
        };
        let since = *job.over.get_or_insert_with(Instant::now);
        let plain = matches!(end, None | Some(End::Completed | End::Failed));
        if plain && own.is_none() && since.elapsed() < GRACE {
            return Look::Goes;
        }
        if let Ok(Found::Hit(record)) =
            self.around
                .cache
                .find_and_hold(&job.sent.task.gathered.key, self.around.hold, &|_| {})
            && !job.sent.task.forced
        {
            return Look::Ended(Ok(Done {
                record,
                way: Way::Ran,
            }));
        }
        let end = end.or_else(|| sacct(&job.sent.job));
        self.verdict(job, end, own)
    }

    fn verdict(&self, job: &Watched<'a>, end: Option<End>, own: Option<Error>) -> Look {
        let retries = self.site.settings.get(job.sent.task.stage.kind());
        let retries = retries.map_or(0, |settings| settings.retries);
        // What an earlier run cancelled, this one wants all the same.
        let again = match (end, job.sent.found) {
            (Some(End::Cancelled), true) => Some("was cancelled by an earlier run"),
            (end, _) => end.and_then(End::again),
        };
        if let Some(why) = again.filter(|_| job.sent.times <= retries) {
            return Look::Again(why);
        }
        if let (Some(own), false) = (own, end == Some(End::OutOfMemory)) {
            self.note(job.sent.task.index, |past| past.state = FAILED.to_owned());
            return Look::Ended(Err(own));
        }
        let (what, help) = match end {
            Some(end) => end.in_words(),
            None => (
                "is gone, and Slurm does not say why",
                "its log tells more; run again to send it anew",
            ),
        };
        self.note(job.sent.task.index, |past| past.state = what.to_owned());
        let mut message = format!("job {} {what}", shown(&job.sent.job));
        if job.sent.times > 1 {
            message += &format!(", as the last of {}", count(job.sent.times, "job"));
        }
        let lines = job.sent.files.last_lines(LINES);
        if !lines.is_empty() {
            let log = shown_path(&job.sent.files.log);
            message += &format!("; its log `{log}` ends with:\n  {}", lines.join("\n  "));
        }
        Look::Ended(Err(Error::failed(message).help(help)))
    }
}
