//! The process itself: its signals, its environment, its end; and the processes that it started.

use std::{
    collections::BTreeSet,
    io,
    process::Child,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Children that stop and go on with this process, each the leader of a process group of its own.
static CHILDREN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn children() -> MutexGuard<'static, BTreeSet<i32>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child that stops and goes on with this process, until this is dropped.
#[derive(Debug)]
pub struct Listed(i32);

impl Drop for Listed {
    fn drop(&mut self) {
        children().remove(&self.0);
    }
}

/// Starts a child that leads a process group of its own and still stops and goes on with this process.
///
/// # Errors
/// As `spawn` says.
pub fn start_child(spawn: impl FnOnce() -> io::Result<Child>) -> io::Result<(Child, Listed)> {
    // Held until it is listed, so that none is left out of a stop.
    let mut children = children();
    let child = spawn()?;
    let id = i32::try_from(child.id()).unwrap_or_default();
    children.insert(id);
    Ok((child, Listed(id)))
}

/// Stops the children, then this process; returns when it goes on.
pub fn pause() {
    tell_children(libc::SIGSTOP);
    // SAFETY: a signal to this process.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGSTOP);
    }
}

/// Lets the children go on.
pub fn continue_children() {
    tell_children(libc::SIGCONT);
}

fn tell_children(signal: i32) {
    for id in children().iter().filter(|id| **id > 0) {
        // SAFETY: a signal to a group that this process started and still waits for; one that has just ended hears nothing.
        unsafe {
            libc::kill(-id, signal);
        }
    }
}

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
