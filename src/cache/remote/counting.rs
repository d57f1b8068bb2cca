//! Telling how many bytes have come or gone.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{StageEvent, Tell};

/// Bytes of one piece of work, told as progress whenever some more are done.
pub(super) struct Counting<'a> {
    what: &'static str,
    total: u64,
    done: AtomicU64,
    tell: Tell<'a>,
}

impl<'a> Counting<'a> {
    /// `what` is being done to `total` bytes.
    pub(super) fn new(what: &'static str, total: u64, tell: Tell<'a>) -> Self {
        Self {
            what,
            total,
            done: AtomicU64::new(0),
            tell,
        }
    }

    /// So many more are done.
    pub(super) fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        (self.tell)(StageEvent::Progress {
            what: self.what.to_owned(),
            done: done / 1_000,
            total: self.total / 1_000,
            unit: "kB".to_owned(),
        });
    }

    /// How many are done.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}
