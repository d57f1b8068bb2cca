//! Draws events on stderr: in a terminal a line for each stage that runs and one for the whole run below them, plain lines otherwise.

mod overall;
mod running;

use std::{
    collections::HashMap,
    io::{IsTerminal, Write, stderr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

pub(super) use self::overall::why;
use self::{overall::Overall, running::Running};
use super::{quiet_keys::QuietKeys, terminal};
use crate::{
    event::{Event, Observer, StageEvent},
    record::{Epoch, Measure},
    report::{bytes, duration, percent},
    text::{fixed, safe_lines, shortened, shown},
};

/// Lines that move in a terminal, plain lines otherwise.
pub(super) struct Progress {
    screen: Option<MultiProgress>,
    /// Whether the terminal has ASCII alone.
    ascii: bool,
    /// While lines move.
    _quiet: Option<QuietKeys>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stages: HashMap<String, (Running, Option<ProgressBar>)>,
    run: Overall,
    /// The line of the whole run, below the others.
    bottom: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let screen = stderr().is_terminal().then(MultiProgress::new);
        Self {
            ascii: screen.is_some() && terminal::is_ascii(),
            _quiet: screen.as_ref().and_then(|_| QuietKeys::new()),
            screen,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line that stays, above those that move.
    fn line(&self, text: &str) {
        let text = &safe_lines(text);
        match &self.screen {
            Some(screen) => {
                // A terminal that is gone cannot be told anything.
                let _ = screen.println(terminal::folded(text, terminal::columns()));
            }
            None => {
                let _ = writeln!(stderr(), "{text}");
            }
        }
    }

    /// The name of a stage within a line that stays.
    fn named(&self, id: &str) -> String {
        match &self.screen {
            Some(_) => shortened(id, (terminal::columns() / 2).max(8)),
            None => id.to_owned(),
        }
    }

    /// What stands before a line, where the terminal has it.
    fn mark(&self, mark: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { mark }
    }

    fn started(&self, id: &str, reason: &str) {
        let dot = self.mark("·", "-");
        self.line(&format!("{dot} {}: {reason}", self.named(id)));
        // What was drawn before it started (hashing its inputs) is over.
        self.end(id);
        let mut state = self.state();
        state.run.started(id, Instant::now());
        self.draw(&mut state, id, |_| {});
    }

    /// Takes note of something about a running stage, and draws its line.
    fn draw<T>(&self, state: &mut State, id: &str, note: impl FnOnce(&mut Running) -> T) -> T {
        let bottom = state.bottom.clone();
        let new = || (Running::new(id), self.bar(bottom.as_ref()));
        let (running, bar) = state.stages.entry(id.to_owned()).or_insert_with(new);
        let noted = note(running);
        if let Some(bar) = bar {
            // The sign of life in front takes two columns.
            let room = terminal::columns().saturating_sub(2);
            bar.set_message(safe_lines(&running.line(room, self.ascii)));
        }
        noted
    }

    fn bar(&self, bottom: Option<&ProgressBar>) -> Option<ProgressBar> {
        let screen = self.screen.as_ref()?;
        let bar = ProgressBar::new_spinner();
        let bar = match bottom {
            Some(bottom) => screen.insert_before(bottom, bar),
            None => screen.add(bar),
        };
        let style = style("{spinner} {wide_msg}");
        bar.set_style(if self.ascii {
            style.tick_chars("-\\|/ ")
        } else {
            style
        });
        bar.enable_steady_tick(Duration::from_millis(200));
        Some(bar)
    }

    fn begun(&self, run: Overall) {
        let mut state = self.state();
        state.run = run;
        if let Some(screen) = &self.screen {
            let bar = screen.add(ProgressBar::new_spinner());
            bar.set_style(style("{wide_msg}"));
            state.bottom = Some(bar);
        }
        Self::draw_bottom(&state);
    }

    fn draw_bottom(state: &State) {
        if let Some(bottom) = &state.bottom {
            let line = state.run.line(Instant::now());
            bottom.set_message(shortened(&line, terminal::columns()));
        }
    }

    fn progress(&self, id: &str, what: &str, done: u64, total: u64, unit: &str) {
        let mut state = self.state();
        let line = self.draw(&mut state, id, |running| {
            let text = running.progress(what, done, total, unit);
            text.filter(|_| self.screen.is_none() && running.is_due(Instant::now()))
        });
        drop(state);
        if let Some(text) = line {
            self.line(&format!("  {id}: {text}"));
        }
    }

    /// In a terminal the stage's own line shows it.
    fn epoch(&self, id: &str, epoch: &Epoch) {
        let now = Instant::now();
        let mut state = self.state();
        let left = self.draw(&mut state, id, |running| {
            running.epoch(epoch);
            running.seconds_left(now)
        });
        if let Some(left) = left {
            state.run.expects(id, left, now);
        }
        drop(state);
        if self.screen.is_none() {
            self.line(&format!("  {id}: {}", epoch_line(epoch)));
        }
    }

    fn finished(&self, id: &str, cached: bool, seconds: f64) {
        let running = self.take(id);
        self.state().run.finished(id, cached, seconds);
        let took = duration(seconds);
        let done = self.mark("✓", "+");
        let id = self.named(id);
        match (cached, &self.screen) {
            // There the line of the whole run counts them.
            (true, Some(_)) => {}
            (true, None) => self.line(&format!("{done} {id}: cached ({took} saved)")),
            (false, screen) => {
                let shows = running.filter(|_| screen.is_some());
                let outcome = shows.map(|running| running.outcome(self.ascii));
                self.line(&format!(
                    "{done} {id}: ran in {took}{}",
                    outcome.unwrap_or_default()
                ));
            }
        }
    }

    fn fetched(&self, id: &str, size: u64, seconds: f64) {
        self.end(id);
        self.state().run.finished(id, true, seconds);
        let (done, id) = (self.mark("✓", "+"), self.named(id));
        let saved = duration(seconds);
        self.line(&format!(
            "{done} {id}: fetched, {} ({saved} saved)",
            bytes(size)
        ));
    }

    fn pushed(&self, id: &str, size: u64) {
        self.end(id);
        // What was there says nothing new.
        if size > 0 {
            self.line(&format!("  {}: pushed, {}", self.named(id), bytes(size)));
        }
    }

    fn broke_off(&self, id: &str, how: &str) {
        self.end(id);
        self.state().run.left(id);
        let cross = self.mark("✗", "x");
        self.line(&format!("{cross} {}: {how}", self.named(id)));
    }

    /// Takes away what is drawn for a stage, or for other work of that name.
    pub(super) fn end(&self, id: &str) {
        self.take(id);
    }

    fn take(&self, id: &str) -> Option<Running> {
        let (running, bar) = self.state().stages.remove(id)?;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        Some(running)
    }

    fn stage(&self, id: &str, event: &StageEvent) {
        match event {
            StageEvent::Started { reason } => self.started(id, reason),
            StageEvent::Waiting => {
                let id = self.named(id);
                self.line(&format!("  {id}: another run is at it; waiting"));
            }
            StageEvent::Progress {
                what,
                done,
                total,
                unit,
            } => self.progress(id, what, *done, *total, unit),
            StageEvent::Epoch(epoch) => self.epoch(id, epoch),
            StageEvent::Note(text) => self.line(&format!("  {}: {text}", self.named(id))),
            StageEvent::Warning(text) => {
                self.line(&format!("  {}: warning: {text}", self.named(id)));
            }
            StageEvent::Finished { cached, seconds } => self.finished(id, *cached, *seconds),
            StageEvent::Fetched { bytes, seconds } => self.fetched(id, *bytes, *seconds),
            StageEvent::Pushed { bytes } => self.pushed(id, *bytes),
            StageEvent::Failed { .. } => self.broke_off(id, "failed"),
            StageEvent::Interrupted => self.broke_off(id, "interrupted"),
            StageEvent::Skipped { because } => self.state().run.skipped(id, because),
        }
        Self::draw_bottom(&self.state());
    }
}

impl Observer for Progress {
    fn observe(&self, event: &Event) {
        match event {
            Event::Planned { .. } => {}
            Event::Begun { stages } => self.begun(Overall::begun(stages)),
            Event::Stage { id, event } => self.stage(&shown(id), event),
        }
    }
}

/// What was not run is told at the end, all of it together.
impl Drop for Progress {
    fn drop(&mut self) {
        let bottom = self.state().bottom.take();
        if let Some(bottom) = bottom {
            bottom.finish_and_clear();
        }
        let dash = self.mark("–", "-");
        let room = match self.screen {
            Some(_) => terminal::columns().saturating_sub(2),
            None => usize::MAX,
        };
        let not_run = self.state().run.not_run(room);
        for line in not_run {
            self.line(&format!("{dash} {line}"));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn epoch_line(epoch: &Epoch) -> String {
    let measure = |name: &str, m: &Measure| {
        format!(
            "{name} loss {}, top-1 {}",
            fixed(m.loss, 3),
            percent(m.top1)
        )
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
