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
    if speaks_of_memory(text) {
        return error.help("lower `batch_size`, or use a smaller `resize`");
    }
    error
}

/// Whether an error of [`torch_error`] says that memory ran out, on a GPU or on the CPU.
#[must_use]
pub fn is_out_of_memory(error: &Error) -> bool {
    error.message().starts_with("libtorch: ") && speaks_of_memory(error.message())
}

fn speaks_of_memory(text: &str) -> bool {
    // CUDA's allocator, the CPU's (two wordings of its versions), and C++.
    let words = [
        "out of memory",
        "not enough memory",
        "can't allocate memory",
        "std::bad_alloc",
    ];
    // oneDNN, which has no page for the code of a kernel.
    let no_kernel = text.trim_end().ends_with("could not create a primitive");
    no_kernel || words.iter().any(|words| text.contains(words))
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

    #[test]
    fn the_cpu_s_own_words_for_full_memory_are_known() {
        // 8 PiB: more than any machine gives.
        let device = (tch::Kind::Float, tch::Device::Cpu);
        let error = Error::from(tch::Tensor::f_empty([1 << 51], device).unwrap_err());
        assert!(is_out_of_memory(&error), "{error}");
        assert!(!is_out_of_memory(&torch_error("shape mismatch")));
    }
}
