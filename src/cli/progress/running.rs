//! What is drawn of a stage that runs: in a terminal one line that fits, else a line now and then.

use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr;

use crate::{
    record::{Epoch, Measure},
    report::curve,
    text::{fixed, shortened},
};

/// Work shorter than this draws nothing.
const QUIET: Duration = Duration::from_secs(1);
/// A rate over less time than this says nothing.
pub(super) const RATE: Duration = Duration::from_millis(200);
/// Time between two plain lines of one stage.
const INTERVAL: Duration = Duration::from_secs(10);
/// Characters of a bar with its brackets, those that are kept free for the text behind it, and those of a curve.
const BAR: usize = 22;
const TEXT: usize = 56;
const CURVE: usize = 12;

/// What is known of a running stage.
pub(super) struct Running {
    id: String,
    since: Instant,
    /// The part of its work that is drawn, and when it began.
    part: (String, Instant),
    /// When the last plain line was written.
    said: Option<Instant>,
    /// What it is at, in words, and the share of that which is done.
    at: Option<(String, f64)>,
    epochs: Vec<Epoch>,
}

impl Running {
    pub(super) fn new(id: &str) -> Self {
        let now = Instant::now();
        Self {
            id: id.to_owned(),
            since: now,
            part: (String::new(), now),
            said: None,
            at: None,
            epochs: Vec::new(),
        }
    }

    /// Takes note of how far a part of the work is; says that in words, once there is a rate.
    pub(super) fn progress(
        &mut self,
        what: &str,
        done: u64,
        total: u64,
        unit: &str,
    ) -> Option<String> {
        let now = Instant::now();
        if self.part.0 != what {
            self.part = (what.to_owned(), now);
        }
        let took = now - self.part.1;
        let text = progress_text(what, done, total, unit, took);
        let share = if total > 0 {
            done as f64 / total as f64
        } else {
            0.0
        };
        self.at = Some((text.clone(), share.min(1.0)));
        (took >= RATE).then_some(text)
    }

    /// Takes note of an epoch that ended.
    pub(super) fn epoch(&mut self, epoch: &Epoch) {
        self.epochs.push(*epoch);
    }

    /// The seconds that are left of a training, by the epochs that it has made since it was started; `None` before the first.
    pub(super) fn seconds_left(&self, now: Instant) -> Option<f64> {
        let last = self.epochs.last()?;
        let an_epoch = (now - self.since).as_secs_f64() / self.epochs.len() as f64;
        Some(an_epoch * f64::from(last.of.saturating_sub(last.epoch)))
    }

    /// Whether a plain line is due: after a second, and then at intervals. It counts as written then.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = now - self.since >= QUIET && self.said.is_none_or(|said| now - said >= INTERVAL);
        if due {
            self.said = Some(now);
        }
        due
    }

    /// Its line in so many columns: as many of its pieces as fit.
    pub(super) fn line(&self, columns: usize, ascii: bool) -> String {
        // The figures of a training need more room than a bar.
        let share = if self.epochs.is_empty() { 2 } else { 3 };
        let mut line = shortened(&self.id, (columns / share).max(8));
        let mut pieces = Vec::new();
        if let Some(last) = self.epochs.last() {
            pieces.push(format!("epoch {}/{}", last.epoch, last.of));
        }
        pieces.extend(course(&self.epochs, ascii));
        if let Some((text, share)) = &self.at {
            if self.epochs.is_empty() {
                // A bar that came and went with the length of the text would be in the way.
                let room = columns.saturating_sub(line.width() + 2 + TEXT.max(text.width()));
                if room > BAR {
                    line += &bar(*share);
                }
            }
            pieces.extend(text.split(", ").map(str::to_owned));
        }
        let mut between = ": ";
        for piece in pieces {
            // A figure that does not fit is left out whole; the first piece may be cut.
            let room = columns.saturating_sub(line.width() + between.width());
            if piece.width() > room && between != ": " {
                break;
            }
            line += between;
            line += &shortened(&piece, room);
            between = ", ";
        }
        line
    }

    /// What its epochs came to: `, loss 0.812, top-1 71.3% ▁▃▅▆`.
    pub(super) fn outcome(&self, ascii: bool) -> String {
        let pieces = course(&self.epochs, ascii);
        pieces.iter().map(|piece| format!(", {piece}")).collect()
    }
}

/// Loss and top-1 of the last epoch, with the course of top-1: of validation where there is one. Nothing before the first epoch.
fn course(epochs: &[Epoch], ascii: bool) -> Vec<String> {
    let Some(last) = epochs.last() else {
        return Vec::new();
    };
    let measured = |epoch: &Epoch| epoch.validation.unwrap_or(epoch.train);
    let name = match last.validation {
        Some(_) => "",
        None => "train ",
    };
    let Measure { loss, top1 } = measured(last);
    let values: Vec<f64> = epochs.iter().map(|epoch| measured(epoch).top1).collect();
    let drawn = match values.len() {
        1 => String::new(),
        _ => format!(" {}", curve(&values, CURVE, ascii)),
    };
    vec![
        format!("{name}loss {}", fixed(loss, 3)),
        format!("{name}top-1 {:.1}%{drawn}", 100.0 * top1),
    ]
}

fn bar(share: f64) -> String {
    let all = BAR - 3;
    let done = (share * all as f64).round() as usize;
    format!(" [{}{}]", "#".repeat(done), "-".repeat(all - done))
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
        let mut running = Running::new("pixels");
        let since = running.since;
        let mut due = |seconds| running.is_due(since + Duration::from_secs_f64(seconds));
        assert!(!due(0.5) && due(1.1) && !due(5.0) && due(11.2));
    }

    #[test]
    fn a_training_shows_its_course_and_no_line_is_wider_than_the_terminal() {
        let training = |id| {
            let mut running = Running::new(id);
            running.progress("epoch 5/9", 3, 10, "batches");
            for epoch in 1..=4 {
                let measure = |loss, top1| Measure { loss, top1 };
                running.epoch(&Epoch {
                    epoch,
                    of: 9,
                    lr: 0.1,
                    train: measure(2.0, 0.3),
                    validation: Some(measure(1.25, f64::from(epoch) / 10.0)),
                });
            }
            running
        };
        let running = training("net[seed=3]");
        assert_eq!(
            running.line(60, false),
            "net[seed=3]: epoch 4/9, loss 1.250, top-1 40.0% ▁▃▆█"
        );
        assert_eq!(running.outcome(true), ", loss 1.250, top-1 40.0% _,+#");
        let running = training("deeper[arch=resnet50,lr=0.001,seed=3]");
        for columns in 30..120 {
            assert!(running.line(columns, false).width() <= columns);
        }
    }
}
