//! The part of the shim that needs CUDA: a shared library that this program carries within itself.

use std::{
    ffi::{c_char, c_int, c_void},
    io::Write,
    os::fd::{AsRawFd, FromRawFd},
    sync::OnceLock,
};

use libloading::os::unix::{Library as Loaded, RTLD_LOCAL, RTLD_NOW};
use torch_sys::C_tensor;

use super::{super::shim::done, Cuda, cuda, open};
use crate::error::{Error, Result};

/// Empty where CUDA's headers were missing when this program was built.
static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kfood_cuda.so"));
static KERNELS: &str = include_str!("kernels.cu");

/// A message from the shim, or null.
type Message = *mut c_char;
/// A recorded graph.
pub(super) type RawGraph = *mut c_void;

/// The functions of `shim.cpp`, by its names without the prefix.
#[derive(Clone, Copy)]
pub(super) struct Library {
    pub(super) norm_act: unsafe extern "C" fn(
        *mut C_tensor,
        *mut C_tensor,
        *mut C_tensor,
        *mut C_tensor,
        *mut C_tensor,
        *mut C_tensor,
        bool,
        f64,
        f64,
        *mut bool,
        *mut *mut C_tensor,
    ) -> Message,
    pub(super) max_pool:
        unsafe extern "C" fn(*mut C_tensor, *mut bool, *mut *mut C_tensor) -> Message,
    pub(super) sample: unsafe extern "C" fn(
        *mut C_tensor,
        *mut C_tensor,
        *mut C_tensor,
        c_int,
        c_int,
        c_int,
        *const f32,
        *const f32,
        *mut *mut C_tensor,
    ) -> Message,
    pub(super) graph_new: unsafe extern "C" fn(*mut RawGraph) -> Message,
    pub(super) graph_free: unsafe extern "C" fn(RawGraph),
    pub(super) graph_on_stream: unsafe extern "C" fn(
        RawGraph,
        bool,
        unsafe extern "C" fn(*mut c_void) -> bool,
        *mut c_void,
    ) -> Message,
    pub(super) graph_replay: unsafe extern "C" fn(RawGraph) -> Message,
    pub(super) memory: unsafe extern "C" fn(c_int, *mut i64, *mut i64, *mut i64) -> Message,
    pub(super) reset_peak: unsafe extern "C" fn(c_int) -> Message,
    pub(super) device_memory: unsafe extern "C" fn(*mut usize, *mut usize) -> Message,
    pub(super) empty_cache: unsafe extern "C" fn() -> Message,
}

static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();

/// The library, loaded and its kernels compiled for the current GPU at the first call.
///
/// # Errors
/// Why there is none.
pub(super) fn library() -> Result<&'static Library> {
    LIBRARY
        .get_or_init(|| load().map_err(|error| error.message().to_owned()))
        .as_ref()
        .map_err(|reason| Error::failed(reason.clone()))
}

/// Whether own kernels and graphs serve the GPU: `None`, or why not.
#[must_use]
pub fn accelerated() -> Option<String> {
    library().err().map(|error| error.message().to_owned())
}

fn load() -> Result<Library> {
    type Source = unsafe extern "C" fn(*const c_char, usize);
    type Ready = unsafe extern "C" fn() -> Message;
    if let Cuda::Missing(reason) = cuda() {
        return Err(Error::failed(reason));
    }
    if BYTES.is_empty() {
        return Err(Error::failed(
            "this program was built without CUDA's headers (the wheel nvidia-cuda-crt, or CUDA_HOME)",
        ));
    }
    let shim = open_bytes()?;
    // SAFETY: `shim.cpp` declares both so; it copies the text, and `ready` takes nothing.
    unsafe {
        let source: Source = function(shim, "kfood_cuda_source")?;
        source(KERNELS.as_ptr().cast(), KERNELS.len());
        let ready: Ready = function(shim, "kfood_cuda_ready")?;
        done(ready())?;
    }
    // SAFETY: the types are those of `Library`, which are those of `shim.cpp`.
    unsafe {
        Ok(Library {
            norm_act: function(shim, "kfood_cuda_norm_act")?,
            max_pool: function(shim, "kfood_cuda_max_pool")?,
            sample: function(shim, "kfood_cuda_sample")?,
            graph_new: function(shim, "kfood_cuda_graph_new")?,
            graph_free: function(shim, "kfood_cuda_graph_free")?,
            graph_on_stream: function(shim, "kfood_cuda_graph_on_stream")?,
            graph_replay: function(shim, "kfood_cuda_graph_replay")?,
            memory: function(shim, "kfood_cuda_memory")?,
            reset_peak: function(shim, "kfood_cuda_reset_peak")?,
            device_memory: function(shim, "kfood_cuda_device_memory")?,
            empty_cache: function(shim, "kfood_cuda_empty_cache")?,
        })
    }
}

/// A function of the shim.
///
/// # Safety
/// `F` is its type.
unsafe fn function<F: Copy>(shim: &Loaded, name: &str) -> Result<F> {
    // SAFETY: promised by the caller; the shim stays loaded for good.
    let found = unsafe { shim.get::<F>(name.as_bytes()) };
    let missing = |_| Error::failed(format!("there is no `{name}` in the CUDA shim"));
    found.map(|function| *function).map_err(missing)
}

/// From memory, so that no file lies about.
fn open_bytes() -> Result<&'static Loaded> {
    // SAFETY: a C string and flags; the descriptor is checked before it is owned.
    let descriptor = unsafe { libc::memfd_create(c"kfood_cuda".as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        let error = std::io::Error::last_os_error();
        return Err(Error::failed(format!(
            "no memory for the CUDA shim: {error}"
        )));
    }
    // SAFETY: just made, and owned by nothing else.
    let mut file = unsafe { std::fs::File::from_raw_fd(descriptor) };
    file.write_all(BYTES)
        .map_err(|e| Error::failed(format!("no memory for the CUDA shim: {e}")))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    open(&path, RTLD_NOW | RTLD_LOCAL).map_err(Error::failed)
}
