//! What jobs write of their stages, on its way to who watches the run.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
    time::{Duration, Instant},
};

use crate::event::StageEvent;

/// A job beats every ten seconds; one that is silent for longer than this may be stuck.
const SILENT: Duration = Duration::from_secs(150);

/// Whether a job lives, by the count that it writes. By the clock of this machine alone: those of others may be wrong.
pub(super) struct Pulse {
    beat: Option<u64>,
    since: Instant,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            beat: None,
            since: Instant::now(),
        }
    }

    /// Takes note of the count; true once the job has been silent for long, and again when it has been so for as long once more.
    pub(super) fn is_missed(&mut self, beat: u64) -> bool {
        let missed = self.beat == Some(beat) && self.since.elapsed() > SILENT;
        if missed || self.beat != Some(beat) {
            self.beat = Some(beat);
            self.since = Instant::now();
        }
        missed
    }
}

/// Tells what a job has written of its stage since; how much of it is told now.
pub(super) fn forward(path: &Path, told: u64, tell: &impl Fn(StageEvent)) -> u64 {
    let read = || {
        let mut file = File::open(path).ok()?;
        file.seek(SeekFrom::Start(told)).ok()?;
        let mut new = Vec::new();
        file.read_to_end(&mut new).ok()?;
        Some(new)
    };
    let new = read().unwrap_or_default();
    // A line without its end is still being written.
    let whole = new.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    for line in new[..whole].split(|b| *b == b'\n') {
        match serde_json::from_slice(line) {
            // How it ended is told by the run.
            Ok(
                StageEvent::Finished { .. } | StageEvent::Failed { .. } | StageEvent::Interrupted,
            )
            | Err(_) => {}
            Ok(event) => tell(event),
        }
    }
    told + whole as u64
}
