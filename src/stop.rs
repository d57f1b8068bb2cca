//! A request to stop, shared by everything that runs long.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::error::{Error, Result};

/// A flag that is set once, by Ctrl-C or by the parent of a worker, and looked at between two pieces of work.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks everything that shares this flag to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether a stop was requested.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
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
