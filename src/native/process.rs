//! The process itself: its signals, its environment, its end.

/// Leaves Ctrl-C to the parent: a terminal sends it to both, and the parent then asks this process to stop.
pub fn ignore_interrupt() {
    // SAFETY: sets a disposition; no handler of ours runs.
    unsafe {
        libc::signal(libc::SIGINT, libc::SIG_IGN);
    }
}

/// Ends the process at once, without destructors: libtorch's may not run while another thread computes.
pub fn exit_now(code: u8) -> ! {
    // SAFETY: never returns.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Asks cuBLAS for workspaces with which its results repeat. To be called before other threads start and before CUDA is used;
/// a value that is set already stays.
pub fn prepare_cublas() {
    const NAME: &str = "CUBLAS_WORKSPACE_CONFIG";
    if std::env::var_os(NAME).is_none() {
        // SAFETY: called first thing in `main`, where no other thread reads the environment.
        unsafe { std::env::set_var(NAME, ":4096:8") };
    }
}

/// The largest resident memory of this process so far, in bytes; 0 where the system does not tell.
#[must_use]
pub fn peak_memory() -> u64 {
    // SAFETY: zeros are a valid `rusage`, which the call fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        if libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) != 0 {
            return 0;
        }
        usage
    };
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit
}
