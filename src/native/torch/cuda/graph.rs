//! A piece of work on the GPU, recorded once and started again in one go: small kernels cost more to start than to run.

use std::{
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::library::{RawGraph, library};
use crate::{
    error::{Error, Result},
    native::torch::shim::done,
};

/// A recorded CUDA graph.
pub struct CudaGraph {
    raw: RawGraph,
}

impl CudaGraph {
    /// An empty one.
    ///
    /// # Errors
    /// When CUDA or the shim is not there.
    pub fn new() -> Result<Self> {
        let mut raw = std::ptr::null_mut();
        // SAFETY: a valid place for a pointer.
        done(unsafe { (library()?.graph_new)(&raw mut raw) })?;
        Ok(Self { raw })
    }

    /// Does the work on the stream that will record it, so that libraries choose their kernels and workspaces before.
    ///
    /// # Errors
    /// Those of the work, and CUDA's.
    pub fn warm_up(&mut self, work: impl FnMut() -> Result<()>) -> Result<()> {
        self.on_stream(false, work)
    }

    /// Records the work without doing it. Its tensors keep their places: before a [`CudaGraph::replay`] inputs are copied
    /// into the same tensors, and results read from the same ones.
    ///
    /// # Errors
    /// Those of the work, and CUDA's: work that waits for the device cannot be recorded.
    pub fn capture(&mut self, work: impl FnMut() -> Result<()>) -> Result<()> {
        self.on_stream(true, work)
    }

    /// Does the recorded work; it is started, not waited for.
    ///
    /// # Errors
    /// When CUDA refuses.
    pub fn replay(&self) -> Result<()> {
        // SAFETY: a graph that lives.
        done(unsafe { (library()?.graph_replay)(self.raw) })
    }

    fn on_stream<F: FnMut() -> Result<()>>(&mut self, capture: bool, work: F) -> Result<()> {
        let mut task = Task {
            work,
            result: Ok(()),
        };
        // SAFETY: the task outlives the call, and `run` gets back what it is given here.
        let status = done(unsafe {
            (library()?.graph_on_stream)(
                self.raw,
                capture,
                run::<F>,
                (&raw mut task).cast::<c_void>(),
            )
        });
        task.result?;
        status
    }
}

impl Drop for CudaGraph {
    fn drop(&mut self) {
        if let Ok(library) = library() {
            // SAFETY: made by `graph_new`, freed once.
            unsafe { (library.graph_free)(self.raw) };
        }
    }
}

struct Task<F> {
    work: F,
    result: Result<()>,
}

/// # Safety
/// `data` is a `Task<F>` that nothing else uses meanwhile.
unsafe extern "C" fn run<F: FnMut() -> Result<()>>(data: *mut c_void) -> bool {
    // SAFETY: promised by the caller.
    let task = unsafe { &mut *data.cast::<Task<F>>() };
    // tch panics where libtorch throws; a panic must not cross C++.
    task.result = catch_unwind(AssertUnwindSafe(&mut task.work)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        Err(Error::failed(text.unwrap_or_else(|| {
            "the step failed while it was recorded".to_owned()
        })))
    });
    task.result.is_ok()
}
