//! The one error type: what happened, where, and one way out; its class decides the exit code.

use std::{error, fmt, path::Path};

use crate::{
    space::{self, Needed},
    text::{bounded, shown_path},
};

/// A result whose error a person can read.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose move it is after a failure; the exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The run failed: exit code 1.
    Failed,
    /// Your file or your arguments: exit code 2.
    Usage,
    /// Interrupted by Ctrl-C or a termination signal: exit code 130.
    Interrupted,
}

impl Class {
    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Interrupted => 130,
        }
    }
}

/// A failure: a lower-case sentence with names in backticks, an optional cause and an optional way out.
#[derive(Debug)]
pub struct Error {
    class: Class,
    message: String,
    /// Whether the message is a whole text with heading, place and caret.
    placed: bool,
    help: Option<String>,
    cause: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    /// The run failed (exit code 1).
    pub fn failed(message: impl Into<String>) -> Self {
        Self::of(Class::Failed, message)
    }

    /// Your pipeline file or arguments are at fault (exit code 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::of(Class::Usage, message)
    }

    /// Stopped on request (exit code 130).
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::of(Class::Interrupted, message)
    }

    /// A mistake at a place in a pipeline file (exit code 2), rendered with heading, source line, caret and way out.
    pub fn placed(rendered: impl Into<String>) -> Self {
        Self {
            placed: true,
            ..Self::usage(rendered)
        }
    }

    /// Several mistakes at places, told at once and each once; one is itself, none is no error.
    #[must_use]
    pub fn joined(mut errors: Vec<Self>) -> Option<Self> {
        if errors.len() < 2 {
            return errors.pop();
        }
        let mut texts: Vec<_> = Vec::new();
        for text in errors.iter().map(Self::message) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        Some(Self::placed(texts.join("\n\n")))
    }

    /// An input or output failure on a path: "cannot read `data/x.jpg`"; a full disk with its way out.
    #[must_use]
    pub fn io(doing: &str, path: &Path, cause: std::io::Error) -> Self {
        let help = space::help(path, &cause, Needed::Unknown).or_else(|| in_the_way(&cause));
        let error = Self::failed(format!("cannot {doing} `{}`", shown_path(path))).because(cause);
        Self { help, ..error }
    }

    fn of(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            placed: false,
            help: None,
            cause: None,
        }
    }

    /// Adds the one way out, printed as `help: …`.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the cause, printed after the message.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Puts what was being done before the message: `"stage `x`: …"`; not before one that names its place.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        if self.placed {
            return self;
        }
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Whose move it is.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// Whether the message comes with its own heading and place.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        self.placed
    }

    /// The message without cause and help.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The way out, if there is one.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// The way out where something of another kind stands in the place of a file or folder.
fn in_the_way(cause: &std::io::Error) -> Option<String> {
    let (found, wanted) = match cause.kind() {
        std::io::ErrorKind::IsADirectory => ("folder", "file"),
        // What is made is a folder: a file is written over, or published beside.
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists => ("file", "folder"),
        _ => return None,
    };
    Some(format!(
        "a {found} stands where a {wanted} belongs: move it away"
    ))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = error::Error::source(self);
        while let Some(inner) = cause {
            // A parser quotes what it found, however long that is.
            write!(f, ": {}", bounded(&inner.to_string()))?;
            cause = inner.source();
        }
        Ok(())
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.cause.as_ref().map(|c| c.as_ref() as _)
    }
}
