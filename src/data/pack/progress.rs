//! How far a pass over images is.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::event::{StageEvent, Tell};

/// Tells how far the work is, at most ten times a second and at the end.
pub(super) struct Progress<'a> {
    tell: Tell<'a>,
    what: &'static str,
    done: AtomicU64,
    total: u64,
    last: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    /// `what` is done to so many images.
    pub(super) fn new(tell: Tell<'a>, what: &'static str, total: usize) -> Self {
        let progress = Self {
            tell,
            what,
            done: AtomicU64::new(0),
            total: total as u64,
            last: Mutex::new(Instant::now()),
        };
        progress.say(0);
        progress
    }

    /// `n` more are done.
    pub(super) fn more(&self, n: usize) {
        let done = self.done.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
        if done == self.total {
            return self.say(done);
        }
        // Whoever finds the clock busy leaves the telling to the other thread.
        if let Ok(mut last) = self.last.try_lock()
            && last.elapsed() >= Duration::from_millis(100)
        {
            *last = Instant::now();
            self.say(self.done.load(Ordering::Relaxed).min(self.total - 1));
        }
    }

    fn say(&self, done: u64) {
        (self.tell)(StageEvent::Progress {
            what: self.what.to_owned(),
            done,
            total: self.total,
            unit: "images".to_owned(),
        });
    }
}
