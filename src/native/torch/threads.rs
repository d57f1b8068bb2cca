//! How many threads one tensor operation uses.

use std::{cell::Cell, ffi::c_int};

use libloading::os::unix::Library;

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// From now on, a tensor operation of this thread runs on this thread alone: for a thread of a pool that is as large as the
/// machine already. Other threads keep theirs.
pub fn use_one_thread() {
    if ALONE.replace(true) {
        return;
    }
    // libtorch sets this thread's number at its first question, once.
    let _ = tch::get_num_threads();
    let loaded = Library::this();
    // SAFETY: OpenMP's function of this name takes an int, sets it for the calling thread, and gives nothing back.
    let function = unsafe { loaded.get::<unsafe extern "C" fn(c_int)>(b"omp_set_num_threads\0") };
    if let Ok(set) = function {
        // SAFETY: as above.
        unsafe { set(1) };
    }
}
