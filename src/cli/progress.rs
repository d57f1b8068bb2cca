//! Draws events on stderr: bars in a terminal, plain lines otherwise.

use std::{
    collections::HashMap,
    io::{IsTerminal, Write, stderr},
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{
    event::{Event, Observer, StageEvent},
    record::{Epoch, Measure},
    report::duration,
    text::{safe_lines, shown},
};

/// Work shorter than this draws nothing.
const QUIET: Duration = Duration::from_secs(1);
/// A rate over less time than this says nothing.
const RATE: Duration = Duration::from_millis(200);
/// Time between two plain lines of one stage.
const INTERVAL: Duration = Duration::from_secs(10);

/// Bars in a terminal, plain lines otherwise.
pub(super) struct Progress {
    bars: Option<MultiProgress>,
    stages: Mutex<HashMap<String, Running>>,
}

/// What is known of a running stage.
struct Running {
    since: Instant,
    /// The part of its work that is drawn, and when it began.
    part: (String, Instant),
    /// When the last plain line was written.
    said: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl Running {
    fn new(id: &str, bars: Option<&MultiProgress>) -> Self {
        let now = Instant::now();
        let bar = bars.map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_prefix(id.to_owned());
            bar.set_style(style("{prefix} {spinner} {elapsed}"));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            since: now,
            part: (String::new(), now),
            said: None,
            bar,
        }
    }

    /// Whether a plain line is due: after a second, and then at intervals.
    fn is_due(&self, now: Instant) -> bool {
        now - self.since >= QUIET && self.said.is_none_or(|said| now - said >= INTERVAL)
    }
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            bars: stderr().is_terminal().then(MultiProgress::new),
            stages: Mutex::default(),
        }
    }

    /// One line that stays, above the bars.
    fn line(&self, text: &str) {
        let text = &safe_lines(text);
        match &self.bars {
            Some(bars) => {
                // A terminal that is gone cannot be told anything.
                let _ = bars.println(text);
            }
            None => {
                let _ = writeln!(stderr(), "{text}");
            }
        }
    }

    fn started(&self, id: &str, reason: &str) {
        self.line(&format!("· {id}: {reason}"));
        // What was drawn before it started (hashing its inputs) is over.
        self.end(id);
        let running = Running::new(id, self.bars.as_ref());
        self.with(|stages| stages.insert(id.to_owned(), running));
    }

    fn progress(&self, id: &str, what: &str, done: u64, total: u64, unit: &str) {
        let line = self.with(|stages| {
            let running = stages
                .entry(id.to_owned())
                .or_insert_with(|| Running::new(id, self.bars.as_ref()));
            let now = Instant::now();
            if running.part.0 != what {
                running.part = (what.to_owned(), now);
            }
            let took = now - running.part.1;
            let text = progress_text(what, done, total, unit, took);
            if let Some(bar) = &running.bar {
                bar.set_style(style("{prefix} [{bar:24}] {msg}"));
                bar.update(|state| {
                    state.set_len(total);
                    state.set_pos(done);
                });
                // Figures are part of the text, so that no drawing shows those of one part beside the name of another.
                bar.set_message(safe_lines(&text));
                return None;
            }
            if !running.is_due(now) || took < RATE {
                return None;
            }
            running.said = Some(now);
            Some(format!("  {id}: {text}"))
        });
        if let Some(line) = line {
            self.line(&line);
        }
    }

    fn finished(&self, id: &str, text: &str) {
        self.end(id);
        self.line(text);
    }

    /// Takes away what is drawn for a stage, or for other work of that name.
    pub(super) fn end(&self, id: &str) {
        let running = self.with(|stages| stages.remove(id));
        if let Some(bar) = running.and_then(|running| running.bar) {
            bar.finish_and_clear();
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut HashMap<String, Running>) -> T) -> T {
        f(&mut self
            .stages
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn stage(&self, id: &str, event: &StageEvent) {
        match event {
            StageEvent::Started { reason } => self.started(id, reason),
            StageEvent::Waiting => self.line(&format!("  {id}: another run is at it; waiting")),
            StageEvent::Progress {
                what,
                done,
                total,
                unit,
            } => self.progress(id, what, *done, *total, unit),
            StageEvent::Epoch(epoch) => self.line(&format!("  {id}: {}", epoch_line(epoch))),
            StageEvent::Note(text) => self.line(&format!("  {id}: {text}")),
            StageEvent::Warning(text) => self.line(&format!("  {id}: warning: {text}")),
            StageEvent::Finished {
                cached: true,
                seconds,
            } => self.finished(
                id,
                &format!("✓ {id}: cached ({} saved)", duration(*seconds)),
            ),
            StageEvent::Finished {
                cached: false,
                seconds,
            } => self.finished(id, &format!("✓ {id}: ran in {}", duration(*seconds))),
            StageEvent::Failed { .. } => self.finished(id, &format!("✗ {id}: failed")),
            StageEvent::Interrupted => self.finished(id, &format!("✗ {id}: interrupted")),
            StageEvent::Skipped { because } => {
                self.line(&format!("– {id}: not run, for `{because}` did not end"));
            }
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: &Event) {
        if let Event::Stage { id, event } = event {
            self.stage(&shown(id), event);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// `decoding 1200/2427 images, 850 images/s, 1 s left`; without a rate where there is nothing to take it of.
fn progress_text(what: &str, done: u64, total: u64, unit: &str, took: Duration) -> String {
    let counts = format!("{what} {done}/{total} {unit}");
    if done == 0 || took < RATE {
        return counts;
    }
    let rate = done as f64 / took.as_secs_f64();
    let left = total.saturating_sub(done) as f64 / rate;
    format!("{counts}, {rate:.0} {unit}/s, {left:.0} s left")
}

fn epoch_line(epoch: &Epoch) -> String {
    let measure = |name: &str, m: &Measure| {
        format!("{name} loss {:.3}, top-1 {:.1}%", m.loss, 100.0 * m.top1)
    };
    let validation = epoch
        .validation
        .map(|m| format!("; {}", measure("validation", &m)))
        .unwrap_or_default();
    format!(
        "epoch {}/{}: {}{validation}",
        epoch.epoch,
        epoch.of,
        measure("train", &epoch.train)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_rate_and_time_left_once_there_is_a_rate() {
        let text = |done, took| {
            progress_text(
                "decoding",
                done,
                2400,
                "images",
                Duration::from_millis(took),
            )
        };
        assert_eq!(
            text(1200, 2000),
            "decoding 1200/2400 images, 600 images/s, 2 s left"
        );
        assert_eq!(text(1200, 1), "decoding 1200/2400 images");
        assert_eq!(text(0, 2000), "decoding 0/2400 images");
    }

    #[test]
    fn a_plain_line_comes_after_a_second_and_then_at_intervals() {
        let mut running = Running::new("pixels", None);
        let at = |seconds| running.since + Duration::from_secs_f64(seconds);
        let (early, first, soon, later) = (at(0.5), at(1.1), at(5.0), at(11.2));
        assert!(!running.is_due(early) && running.is_due(first));
        running.said = Some(first);
        assert!(!running.is_due(soon) && running.is_due(later));
    }
}
