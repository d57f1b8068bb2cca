//! Standard output and standard error: nothing that is printed here steers a terminal.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use serde::Serialize;

use super::terminal::{self, folded};
use crate::{
    config::Pipeline,
    error::{Error, Result},
    text::{json_safe, safe_lines},
};

/// A result for people or scripts, with a final newline. A closed pipe (`kfood … | head`) is not an error.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn out(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let text = safe_lines(text);
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(stdout, "{text}{newline}").and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write to standard output").because(e))
        }
        _ => Ok(()),
    }
}

/// A result for people, as [`out`]; in a terminal a line that is too long goes on in a new one between two words.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn told(text: &str) -> Result<()> {
    match width() {
        Some(columns) => out(&folded(text, usize::from(columns))),
        None => out(text),
    }
}

/// The columns of the terminal that standard output is; `None` where a file or a program reads it.
pub(super) fn width() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
}

/// A result as indented JSON.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::failed("cannot write JSON").because(e))?;
    out(&json_safe(&text))
}

/// A line about the course of things; in a terminal it goes on in a new one between two words.
pub(super) fn say(text: &str) {
    let text = safe_lines(text);
    as_it_is(&match io::stderr().is_terminal() {
        true => folded(&text, terminal::columns()),
        false => text,
    });
}

fn as_it_is(text: &str) {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

/// What is to be known of a pipeline before anything is done.
pub(super) fn notes(pipeline: &Pipeline) {
    for note in &pipeline.notes {
        say(&format!("note: {note}"));
    }
}

/// An error with its causes and its way out.
pub(super) fn error(error: &Error) {
    // A message with its own heading needs none, and its lines stand below each other as they are.
    match error.is_placed() {
        true => as_it_is(&safe_lines(&error.to_string())),
        false => say(&format!("error: {error}")),
    }
    if let Some(help) = error.help_text() {
        say(&format!("help: {help}"));
    }
}

/// What is wrong with the arguments, or the help that was asked for; the exit code. Colours are left out where the words of
/// the command line could steer the terminal.
pub(super) fn arguments(told: &clap::Error) -> ExitCode {
    let text = told.render().to_string();
    let code = u8::try_from(told.exit_code()).unwrap_or(2);
    if !told.use_stderr() || safe_lines(&text) == text {
        // Nobody is left to be told when the stream is closed.
        let _ = told.print();
    } else {
        say(text.trim_end());
    }
    ExitCode::from(code)
}
