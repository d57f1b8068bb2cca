//! The last resort: a panic is an error with its message, never a backtrace on a person's terminal.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    sync::Mutex,
};

use crate::{
    error::{Error, Result},
    native::{shortage, torch_error},
};

static MESSAGE: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Runs work whose panics become errors. tch panics where libtorch throws, unless its fallible functions are used.
pub(super) fn guarded(work: impl FnOnce() -> Result<()>) -> Result<()> {
    set_hook(Box::new(|info| {
        let message = info
            .payload_as_str()
            .unwrap_or("a panic without a message")
            .to_owned();
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        if let Ok(mut first) = MESSAGE.lock() {
            first.get_or_insert((message, place));
        }
    }));
    // Nothing of the work is used after a panic: the process ends.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let found = MESSAGE.lock().ok().and_then(|mut m| m.take());
        let (message, place) = found.unwrap_or_default();
        Err(explained(&message, &place))
    })
}

fn explained(message: &str, place: &str) -> Error {
    if let Some(torch) = message.split_once("Torch(\"") {
        return torch_error(&torch.1.replace("\\n", "\n").replace("\\\"", "\""));
    }
    if let Some(error) = shortage(message) {
        return error;
    }
    Error::failed(format!("a fault in kfood itself: {message} ({place})"))
        .help("please report it with the pipeline file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_of_libtorch_reads_as_its_first_sentence() {
        let text = r#"called `Result::unwrap()` on an `Err` value: Torch("size mismatch\nException raised from x")"#;
        let error = explained(text, "a.rs:1");
        assert_eq!(error.message(), "libtorch: size mismatch");
    }
}
