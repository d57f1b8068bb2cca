//! What Rust, OpenMP and the loader of programs say where the system gives no more threads or no more addresses, as an error with a
//! way out. Threads are started in many places, also within libraries that know no error for it but a panic.

use crate::error::Error;

/// The error that a text tells: the message of a panic, or the last lines of a program that has ended.
#[must_use]
pub fn shortage(said: &str) -> Option<Error> {
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    if says(&[
        "failed to spawn thread",
        "ThreadPoolBuildError",
        "Thread creation failed",
    ]) {
        let error = Error::failed("the system lets this program start no more threads");
        return Some(error.help(
            "raise the limit on processes (`ulimit -u`; the limit of a container on its pids), or end other programs; finished work is kept",
        ));
    }
    says(&[
        "failed to map segment",
        "cannot allocate memory in static TLS",
    ])
    .then(|| {
        let error = Error::failed("the system gives this program no memory to load libtorch into");
        error.help("raise the limit on addresses (`ulimit -v`): libtorch takes some 2 GB of them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libraries_say_of_threads_that_cannot_be_started_is_one_error() {
        for said in [
            "failed to spawn thread: Os { code: 11, kind: WouldBlock, message: \"Resource temporarily unavailable\" }",
            "The global thread pool has not been initialized.: ThreadPoolBuildError { kind: IOError(Os { code: 11 }) }",
            "\nlibgomp: Thread creation failed: Resource temporarily unavailable",
        ] {
            let error = shortage(said).unwrap();
            assert!(error.help_text().unwrap().contains("ulimit -u"), "{said}");
        }
        assert!(shortage("index out of bounds").is_none());
    }
}
