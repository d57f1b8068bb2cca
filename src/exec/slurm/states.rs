//! What Slurm says of jobs, and what follows from that for a stage.

use std::collections::HashMap;

/// How Slurm says that a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Failed,
    Cancelled,
    TimedOut,
    NodeFailed,
    Preempted,
    OutOfMemory,
}

/// What Slurm says of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has not started.
    Waits,
    /// It runs, or is about to end.
    Runs,
    /// It is over.
    Ended(End),
}

impl State {
    /// From a word of `squeue` or `sacct`, such as `CANCELLED by 1000`; a word that nobody knows is of a job that lives.
    pub(super) fn of(word: &str) -> Self {
        let first = word.split([' ', '+']).next().unwrap_or_default();
        match first {
            "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED"
            | "SPECIAL_EXIT" | "RESV_DEL_HOLD" => Self::Waits,
            "COMPLETED" => Self::Ended(End::Completed),
            "FAILED" => Self::Ended(End::Failed),
            "CANCELLED" | "REVOKED" => Self::Ended(End::Cancelled),
            "TIMEOUT" | "DEADLINE" => Self::Ended(End::TimedOut),
            "NODE_FAIL" | "BOOT_FAIL" | "LAUNCH_FAILED" => Self::Ended(End::NodeFailed),
            "PREEMPTED" => Self::Ended(End::Preempted),
            "OUT_OF_MEMORY" => Self::Ended(End::OutOfMemory),
            _ => Self::Runs,
        }
    }
}

/// A line of `squeue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    /// The name that it was sent with.
    pub(super) name: String,
    pub(super) state: State,
    /// Why it waits, in Slurm's word.
    pub(super) reason: String,
}

/// All jobs of this person, by the name that Slurm gave them: `12` or `12_3`.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue(pub(super) HashMap<String, Queued>);

impl Queue {
    /// From lines of `id|name|state|reason`.
    pub(super) fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let mut fields = line.trim().splitn(4, '|');
            let (id, name) = (fields.next()?, fields.next()?);
            let queued = Queued {
                name: name.to_owned(),
                state: State::of(fields.next()?),
                reason: fields.next().unwrap_or_default().to_owned(),
            };
            Some((id.to_owned(), queued))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// A job that is not over, by the name and number that it was sent with.
    pub(super) fn alive(&self, name: &str, number: usize) -> Option<&str> {
        let is_it = |(id, job): &(&String, &Queued)| {
            let its = id.rsplit_once('_').map_or(Some(0), |(_, n)| n.parse().ok());
            job.name == name && its == Some(number) && !matches!(job.state, State::Ended(_))
        };
        let found = self.0.iter().find(is_it);
        found.map(|(id, _)| id.as_str())
    }

    /// What is said of a job; `None` where nothing is.
    pub(super) fn state(&self, job: &str) -> Option<State> {
        self.0.get(job).map(|queued| queued.state)
    }
}

/// How a job ended in lines of `sacct` of `id|state`, steps left out.
pub(super) fn accounted(text: &str, job: &str) -> Option<End> {
    let lines = text.lines().filter_map(|line| line.split_once('|'));
    let mut states = lines.filter(|(id, _)| *id == job);
    match State::of(states.next()?.1.trim_end_matches('|')) {
        State::Ended(end) => Some(end),
        State::Waits | State::Runs => None,
    }
}

impl End {
    /// Whether another job may do better, and why, in words.
    pub(super) const fn again(self) -> Option<&'static str> {
        match self {
            Self::TimedOut => Some("reached its time limit"),
            Self::NodeFailed => Some("was lost with its node"),
            Self::Preempted => Some("was preempted"),
            Self::Completed | Self::Failed | Self::Cancelled | Self::OutOfMemory => None,
        }
    }

    /// What became of it and the way out, where that is the end of it.
    pub(super) const fn in_words(self) -> (&'static str, &'static str) {
        match self {
            Self::TimedOut => (
                "reached its time limit",
                "raise `time` in `[executor.slurm]`, or `retries`: each job goes on from the last save of the one before",
            ),
            Self::NodeFailed => (
                "was lost with its node",
                "run again; `sinfo` tells of nodes, and `lines` of `[executor.slurm]` may leave one out",
            ),
            Self::Preempted => (
                "was preempted",
                "run again, raise `retries` in `[executor.slurm]`, or choose a partition without preemption",
            ),
            Self::OutOfMemory => (
                "ran out of memory",
                "raise `memory` in `[executor.slurm]`, or lower `batch_size`; finished epochs are kept",
            ),
            Self::Cancelled => (
                "was cancelled",
                "run again to send it anew; finished epochs are kept",
            ),
            Self::Completed | Self::Failed => (
                "ended without a result",
                "its log tells more; run again to send it anew",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `squeue --me --array --states=all --noheader --format='%i|%j|%T|%r'` prints it (Slurm 22.05, `man squeue`), and states of other clusters.
    const SQUEUE: &str = "\
12_3|kfood-0123456789abcdef|PENDING|Resources
12_0|kfood-0123456789abcdef|RUNNING|None
12_1|kfood-0123456789abcdef|COMPLETED|None
13|kfood-fedcba9876543210|COMPLETING|None
14|kfood-1111111111111111|NODE_FAIL|None
15|kfood-2222222222222222|PREEMPTED|None
16|kfood-3333333333333333|OUT_OF_MEMORY|OutOfMemory
17|kfood-4444444444444444|TIMEOUT|TimeLimit
18|kfood-5555555555555555|CANCELLED|None
19|other job|PENDING|(a|b)
";

    #[test]
    fn every_state_of_a_job_is_told_apart() {
        let queue = Queue::parse(SQUEUE);
        for (job, state) in [
            ("12_3", State::Waits),
            ("12_0", State::Runs),
            ("12_1", State::Ended(End::Completed)),
            ("13", State::Runs),
            ("14", State::Ended(End::NodeFailed)),
            ("15", State::Ended(End::Preempted)),
            ("16", State::Ended(End::OutOfMemory)),
            ("17", State::Ended(End::TimedOut)),
            ("18", State::Ended(End::Cancelled)),
        ] {
            assert_eq!(queue.state(job), Some(state), "{job}");
        }
        assert_eq!(queue.state("99"), None);
        assert_eq!(queue.0["19"].reason, "(a|b)");
    }

    #[test]
    fn a_job_that_lives_is_found_by_name_and_number() {
        let queue = Queue::parse(SQUEUE);
        let alive = |name, number| queue.alive(name, number);
        assert_eq!(alive("kfood-0123456789abcdef", 3), Some("12_3"));
        assert_eq!(alive("kfood-0123456789abcdef", 1), None);
        assert_eq!(alive("kfood-fedcba9876543210", 0), Some("13"));
        assert_eq!(alive("kfood-4444444444444444", 0), None);
    }

    /// As `sacct --noheader --parsable2 --format=JobID,State` prints it.
    #[test]
    fn accounts_tell_how_a_job_ended_that_the_queue_has_forgotten() {
        let text = "12_0|COMPLETED\n12_0.batch|COMPLETED\n12_1|CANCELLED by 1000\n12_1.batch|CANCELLED\n\
                    14|NODE_FAIL\n15|PREEMPTED\n16|OUT_OF_MEMORY\n16.batch|OUT_OF_MEMORY\n17|TIMEOUT\n20|RUNNING\n";
        for (job, end) in [
            ("12_1", Some(End::Cancelled)),
            ("14", Some(End::NodeFailed)),
            ("15", Some(End::Preempted)),
            ("16", Some(End::OutOfMemory)),
            ("17", Some(End::TimedOut)),
            ("20", None),
            ("21", None),
        ] {
            assert_eq!(accounted(text, job), end, "{job}");
        }
    }

    #[test]
    fn what_may_go_better_is_sent_again_and_the_rest_is_not() {
        let again = [End::TimedOut, End::NodeFailed, End::Preempted];
        assert!(again.iter().all(|end| end.again().is_some()));
        let over = [
            End::OutOfMemory,
            End::Cancelled,
            End::Failed,
            End::Completed,
        ];
        assert!(over.iter().all(|end| end.again().is_none()));
    }
}
