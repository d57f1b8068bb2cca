//! The two pipes to the parent.

use std::{
    io::{self, BufRead, Write},
    thread,
};

use crate::{error::Class, event::StageEvent, native::exit_now, stop::Stop};

/// Watches standard input from a thread of its own: a line `stop` is a request to stop, its end is the end of the parent.
pub(super) fn watch(stop: &Stop) {
    let stop = stop.clone();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            match line {
                Ok(line) if line.trim() == "stop" => stop.request(),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        exit_now(Class::Interrupted.exit_code());
    });
}

/// Writes one event as one line. A parent that cannot read it is gone.
pub(super) fn tell(event: &StageEvent) {
    let Ok(mut line) = serde_json::to_vec(event) else {
        return;
    };
    line.push(b'\n');
    let mut out = io::stdout().lock();
    if out.write_all(&line).and_then(|()| out.flush()).is_err() {
        exit_now(Class::Interrupted.exit_code());
    }
}
