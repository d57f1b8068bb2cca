//! Standard output and standard error.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::{Error, Result};

/// A result for people or scripts, with a final newline. A closed pipe (`kfood … | head`) is not an error.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn out(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(stdout, "{text}{newline}").and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write to standard output").because(e))
        }
        _ => Ok(()),
    }
}

/// A result as indented JSON.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::failed("cannot write JSON").because(e))?;
    out(&text)
}

/// A line about the course of things.
pub(super) fn say(text: &str) {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

/// An error with its causes and its way out.
pub(super) fn error(error: &Error) {
    // A message with its own heading needs none.
    let heading = if error.is_placed() { "" } else { "error: " };
    say(&format!("{heading}{error}"));
    if let Some(help) = error.help_text() {
        say(&format!("help: {help}"));
    }
}
