//! A request to stop, shared by everything that runs long.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::error::{Error, Result};

/// A flag that is set once, by Ctrl-C or by the parent of a worker, and looked at between two pieces of work.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    leaves: Arc<AtomicBool>,
}

impl Stop {
    /// Asks everything that shares this flag to stop.
    pub fn request(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// As [`Self::request`], by somebody who goes away: what runs elsewhere, as a job of a cluster, is left to itself.
    pub fn request_leaving(&self) {
        self.leaves.store(true, Ordering::SeqCst);
        self.request();
    }

    /// Whether what runs elsewhere is left to itself.
    #[must_use]
    pub fn leaves(&self) -> bool {
        self.leaves.load(Ordering::SeqCst)
    }

    /// Whether a stop was requested.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// An error of class `Interrupted` once a stop was requested.
    ///
    /// # Errors
    /// When a stop was requested.
    pub fn check(&self) -> Result<()> {
        if self.requested() {
            return Err(Error::interrupted("interrupted"));
        }
        Ok(())
    }
}
