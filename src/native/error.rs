//! libtorch's exceptions as our errors.

use tch::TchError;

use crate::error::Error;

impl From<TchError> for Error {
    fn from(error: TchError) -> Self {
        torch_error(&error.to_string())
    }
}

/// An error with libtorch's message: its first sentences, without the C++ backtrace.
#[must_use]
pub fn torch_error(message: &str) -> Error {
    let text = message
        .split("\nException raised from")
        .next()
        .unwrap_or(message);
    let error = Error::failed(format!("libtorch: {}", text.trim_end()));
    if text.contains("out of memory") || text.contains("not enough memory") {
        return error.help("lower `batch_size`, or use a smaller `resize`");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtrace_is_left_out_and_full_memory_has_a_way_out() {
        let error = torch_error("CUDA out of memory.\nException raised from malloc at x.cpp:1");
        assert_eq!(error.message(), "libtorch: CUDA out of memory.");
        assert!(error.help_text().is_some());
    }
}
