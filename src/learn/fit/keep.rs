//! When the state of a running epoch is kept, and what of it.

use std::time::{Duration, Instant};

use super::{
    learner::Learner,
    state::{Now, Saved, StateFolder, Within},
};
use crate::error::Result;

/// Keeps the state of one epoch.
pub(crate) struct Keep<'a> {
    folder: &'a StateFolder<'a>,
    /// What is known since the end of the epoch before; `within` is the place from which this process goes on.
    now: Now,
    every: Duration,
    began: Instant,
    kept: Instant,
    /// Steps that are kept already.
    steps: usize,
    saved: &'a mut Option<Saved>,
    /// The mean loss of the first steps of the training, once it is known in its first epoch.
    pub(crate) first_steps: Option<f64>,
}

impl<'a> Keep<'a> {
    pub(crate) fn new(
        folder: &'a StateFolder<'a>,
        now: Now,
        every: Duration,
        saved: &'a mut Option<Saved>,
    ) -> Self {
        let began = Instant::now();
        Self {
            folder,
            steps: now.within.map_or(0, |within| within.steps),
            every,
            began,
            kept: began,
            saved,
            first_steps: now.within.and_then(|within| within.first_steps),
            now,
        }
    }

    /// Seconds of this epoch so far, those of earlier processes too.
    pub(crate) fn seconds(&self) -> f64 {
        let before = self.now.within.map_or(0.0, |within| within.seconds);
        before + self.began.elapsed().as_secs_f64()
    }

    /// Steps of the epoch that are done and kept.
    pub(crate) fn done(&self) -> usize {
        self.steps
    }

    /// Whether it is time to keep the state.
    pub(crate) fn due(&self) -> bool {
        self.kept.elapsed() >= self.every
    }

    /// Keeps the state after this many steps of the epoch.
    ///
    /// # Errors
    /// When the disk or libtorch refuses.
    pub(crate) fn keep(&mut self, learner: &Learner, done: usize) -> Result<()> {
        if done == self.steps {
            return Ok(());
        }
        let within = Within {
            steps: done,
            sums: learner.stepper.sums()?,
            seconds: self.seconds(),
            first_steps: self.first_steps,
        };
        let now = Now {
            within: Some(within),
            ..self.now.clone()
        };
        let groups = learner.groups();
        let before = self.saved.take();
        *self.saved = Some(self.folder.within_epoch(before, now, &groups, done)?);
        self.steps = done;
        self.kept = Instant::now();
        Ok(())
    }
}
