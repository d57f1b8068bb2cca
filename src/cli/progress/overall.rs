//! How far a run is as a whole, in one line.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use unicode_width::UnicodeWidthStr;

use crate::{
    event::{Ahead, NotRun},
    report::duration,
    text::{count, either, first_items, number, shown},
};

/// The stages of a run, and what became of them.
#[derive(Default)]
pub(super) struct Overall {
    stages: usize,
    ended: usize,
    reused: usize,
    /// Seconds that results in the cache once took.
    saved: f64,
    /// What is to run, with its seconds where they are known.
    ahead: HashMap<String, Option<f64>>,
    /// When what runs was started.
    running: HashMap<String, Instant>,
    /// What an instance of a stage takes in all, as one that ran or runs in this run tells.
    told: HashMap<String, f64>,
    not_run: BTreeMap<NotRun, Vec<String>>,
}

/// Stages of a line that are named.
const NAMED: usize = 3;

impl Overall {
    pub(super) fn begun(stages: &[Ahead]) -> Self {
        let ahead = stages.iter().filter(|stage| !stage.cached);
        Self {
            stages: stages.len(),
            ahead: ahead.map(|s| (shown(&s.id), s.seconds)).collect(),
            ..Self::default()
        }
    }

    pub(super) fn started(&mut self, id: &str, now: Instant) {
        self.running.insert(id.to_owned(), now);
    }

    /// A stage whose result is there after so many seconds, of an earlier run where it was cached.
    pub(super) fn finished(&mut self, id: &str, cached: bool, seconds: f64) {
        self.ended += 1;
        if cached {
            self.reused += 1;
            self.saved += seconds;
        }
        self.left(id);
        if !cached {
            self.told.insert(stage(id).to_owned(), seconds);
        }
    }

    /// The rest of a running stage, as it tells by itself.
    pub(super) fn expects(&mut self, id: &str, left: f64, now: Instant) {
        let Some(since) = self.running.get(id) else {
            return;
        };
        let whole = (now - *since).as_secs_f64() + left;
        self.told.insert(stage(id).to_owned(), whole);
    }

    /// A stage that is no longer ahead, however it ended.
    pub(super) fn left(&mut self, id: &str) {
        self.ahead.remove(id);
        self.running.remove(id);
    }

    pub(super) fn skipped(&mut self, id: &str, because: &NotRun) {
        self.left(id);
        let stages = self.not_run.entry(because.clone()).or_default();
        stages.push(id.to_owned());
    }

    /// `12 of 53 stages, 7 reused (4 min 00 s saved), about 3 min left`; `over 3 min left` where a stage that is ahead was never run, and
    /// nothing of time where that is so of all.
    pub(super) fn line(&self, now: Instant) -> String {
        let mut line = format!(
            "{} of {}",
            number(self.ended as u64),
            count(self.stages, "stage")
        );
        if self.reused > 0 {
            line += &format!(", {} reused", number(self.reused as u64));
            if self.saved >= 1.0 {
                line += &format!(" ({} saved)", duration(self.saved));
            }
        }
        let known = || {
            self.ahead
                .keys()
                .filter_map(|id| self.seconds_left(id, now))
        };
        let left: f64 = known().sum();
        if left >= 1.0 {
            let all = known().count() == self.ahead.len();
            let how = if all { "about" } else { "over" };
            line += &format!(", {how} {} left", about(left));
        }
        line
    }

    /// What is left of a stage that is ahead: by an earlier run, else by what another instance told in this one.
    fn seconds_left(&self, id: &str, now: Instant) -> Option<f64> {
        let since = self.running.get(id);
        let spent = since.map_or(0.0, |since| (now - *since).as_secs_f64());
        let earlier = self.ahead.get(id).copied().flatten();
        let whole = earlier.or_else(|| self.told.get(stage(id)).copied())?;
        Some((whole - spent).max(0.0))
    }

    /// A line for each reason for which stages were not run.
    pub(super) fn not_run(&self, room: usize) -> Vec<String> {
        let line = |(because, stages): (&NotRun, &Vec<String>)| {
            let told =
                |names: String| format!("{names}: not run, for {}", why(because, stages.len()));
            let named = |most| told(first_items(stages.iter().map(|id| shown(id)), most));
            let fits = |line: &String| line.width() <= room;
            let fewest = || told(count(stages.len(), "stage"));
            (1..=NAMED)
                .rev()
                .map(named)
                .find(fits)
                .unwrap_or_else(fewest)
        };
        self.not_run.iter().map(line).collect()
    }
}

/// The stage of an instance.
fn stage(id: &str) -> &str {
    id.split_once('[').map_or(id, |(stage, _)| stage)
}

/// Why so many stages were not run.
pub(in crate::cli) fn why(because: &NotRun, stages: usize) -> String {
    match because {
        NotRun::Interrupted => "the run was interrupted".to_owned(),
        NotRun::Needs(id) => {
            let needs = either(stages, "it needs", "they need");
            format!("{needs} `{}`, which failed", shown(id))
        }
        NotRun::AfterFailure(id) => format!(
            "`{}` failed before (`--keep-going` runs what does not need it)",
            shown(id)
        ),
    }
}

/// A time that is only guessed, in its largest unit.
fn about(seconds: f64) -> String {
    if seconds < 59.5 {
        return format!("{:.0} s", seconds.ceil());
    }
    let minutes = seconds / 60.0;
    if minutes < 59.5 {
        return format!("{minutes:.0} min");
    }
    duration(seconds)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn overall(seconds: &[Option<f64>], cached: usize) -> Overall {
        let ahead = |(i, seconds): (usize, &Option<f64>)| Ahead {
            id: format!("s{i}"),
            cached: i < cached,
            seconds: *seconds,
        };
        let stages: Vec<_> = seconds.iter().enumerate().map(ahead).collect();
        Overall::begun(&stages)
    }

    #[test]
    fn a_line_says_how_far_a_run_is_and_what_it_saved() {
        let now = Instant::now();
        let mut run = overall(&[None, Some(100.0), Some(140.0)], 1);
        run.finished("s0", true, 240.0);
        assert_eq!(
            run.line(now),
            "1 of 3 stages, 1 reused (4 min 00 s saved), about 4 min left"
        );
        run.started("s1", now);
        let later = now + Duration::from_secs(80);
        assert!(
            run.line(later).ends_with("about 3 min left"),
            "{}",
            run.line(later)
        );
        run.finished("s1", false, 100.0);
        // What takes longer than it did has no time left to tell of.
        run.started("s2", now);
        let later = now + Duration::from_secs(150);
        assert_eq!(
            run.line(later),
            "2 of 3 stages, 1 reused (4 min 00 s saved)"
        );
    }

    #[test]
    fn where_a_stage_never_ran_time_is_told_as_far_as_it_is_known() {
        let run = overall(&[Some(100.0), None], 0);
        assert_eq!(run.line(Instant::now()), "0 of 2 stages, over 2 min left");
        assert_eq!(overall(&[None], 0).line(Instant::now()), "0 of 1 stage");
        let ahead = ["net[seed=1]", "net[seed=2]"].map(|id| Ahead {
            id: id.to_owned(),
            cached: false,
            seconds: None,
        });
        let mut run = Overall::begun(&ahead);
        run.finished("net[seed=1]", false, 30.0);
        // Its sibling has told meanwhile.
        assert_eq!(run.line(Instant::now()), "1 of 2 stages, about 30 s left");
    }

    #[test]
    fn a_training_that_runs_for_the_first_time_tells_of_itself_and_its_siblings() {
        let ahead = ["net[seed=1]", "net[seed=2]", "result"].map(|id| Ahead {
            id: id.to_owned(),
            cached: false,
            seconds: None,
        });
        let mut run = Overall::begun(&ahead);
        let now = Instant::now();
        run.started("net[seed=1]", now);
        let later = now + Duration::from_secs(10);
        run.expects("net[seed=1]", 20.0, later);
        // 20 of the one that runs and 30 of the next; what the last takes nobody knows.
        assert_eq!(run.line(later), "0 of 3 stages, over 50 s left");
    }

    #[test]
    fn stages_that_were_not_run_are_told_by_their_reason() {
        let mut run = overall(&[None; 7], 0);
        for id in ["a", "b", "c", "d", "e"] {
            run.skipped(id, &NotRun::Interrupted);
        }
        run.skipped("f", &NotRun::Needs("x".to_owned()));
        assert_eq!(
            run.not_run(80),
            [
                "a, b, c and 2 more: not run, for the run was interrupted",
                "f: not run, for it needs `x`, which failed"
            ]
        );
        // In little room fewer are named, in less none.
        assert_eq!(
            run.not_run(50)[0],
            "a and 4 more: not run, for the run was interrupted"
        );
        assert_eq!(
            run.not_run(48)[0],
            "5 stages: not run, for the run was interrupted"
        );
    }
}
