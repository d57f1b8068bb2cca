//! Progress of a pass, told a few times a second.

use std::time::{Duration, Instant};

use crate::event::{StageEvent, Tell};

/// Told at most this often, whatever the size of a batch.
const INTERVAL: Duration = Duration::from_millis(250);

/// Tells how far a pass over images is.
pub(crate) struct Progress<'a> {
    tell: Tell<'a>,
    what: String,
    total: u64,
    told: Option<Instant>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(tell: Tell<'a>, what: String, total: usize) -> Self {
        Self {
            tell,
            what,
            total: total as u64,
            told: None,
        }
    }

    /// Tells, if it is time to; says whether it did.
    pub(crate) fn at(&mut self, done: u64) -> bool {
        let due = self.told.is_none_or(|told| told.elapsed() >= INTERVAL);
        if !due && done < self.total {
            return false;
        }
        self.told = Some(Instant::now());
        (self.tell)(StageEvent::Progress {
            what: self.what.clone(),
            done,
            total: self.total,
            unit: "images".to_owned(),
        });
        true
    }
}
