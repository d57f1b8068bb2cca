//! A terminal that does not write what is pressed with Ctrl.

#[cfg(target_os = "linux")]
use std::{
    io::stderr,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[cfg(target_os = "linux")]
use rustix::{
    process::getpgrp,
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

/// Keeps the terminal from writing `^C` where a key is pressed, which would stand behind the lines that move and leave one of them behind.
/// Undone when dropped, and by [`as_before`].
pub(super) struct QuietKeys(());

/// How the terminal was before.
#[cfg(target_os = "linux")]
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

impl QuietKeys {
    /// `None` where standard error is no terminal, or is another's: who is in the background would be stopped for it.
    #[cfg(target_os = "linux")]
    pub(super) fn new() -> Option<Self> {
        let found = tcgetattr(stderr()).ok()?;
        let mut quiet = found.clone();
        quiet.local_modes.remove(LocalModes::ECHOCTL);
        let mut before = before();
        // What another one has made quiet is not how it was.
        if before.is_some() || !set(&quiet) {
            return None;
        }
        *before = Some(found);
        Some(Self(()))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn new() -> Option<Self> {
        None
    }
}

impl Drop for QuietKeys {
    fn drop(&mut self) {
        as_before();
    }
}

/// Makes the terminal what it was, for who ends without dropping anything.
pub(super) fn as_before() {
    #[cfg(target_os = "linux")]
    if let Some(modes) = before().take() {
        set(&modes);
    }
}

#[cfg(target_os = "linux")]
fn before() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets what the terminal does, where that is this program's to say.
#[cfg(target_os = "linux")]
fn set(modes: &Termios) -> bool {
    let terminal = stderr();
    let is_in_front = tcgetpgrp(&terminal).is_ok_and(|front| front == getpgrp());
    is_in_front && tcsetattr(&terminal, OptionalActions::Now, modes).is_ok()
}
