//! CUDA's half of libtorch, loaded at run time: one worker program serves machines with and without a GPU.

mod graph;
#[cfg(test)]
mod host;
mod library;
mod memory;
mod norm_act;
mod sample;

pub use graph::CudaGraph;
#[cfg(test)]
pub(crate) use host::kernels_on_host;
pub use library::accelerated;
pub use memory::{CudaMemory, cuda_device_memory, cuda_memory, empty_cuda_cache, reset_cuda_peak};
pub use norm_act::{max_pool, norm_act};
pub use sample::{Sampling, sample_pixels};

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    sync::OnceLock,
};

use serde::Serialize;

/// Whether CUDA's half of libtorch is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cuda {
    /// The library that was loaded.
    Loaded(String),
    /// Why none was.
    Missing(String),
}

const LIBRARY: &str = "libtorch_cuda.so";

static CUDA: OnceLock<Cuda> = OnceLock::new();

/// Loads CUDA's half of libtorch, once. Call it first thing in `main`: libtorch remembers the answer to its first question
/// about CUDA, so a library loaded later is ignored.
pub fn load_cuda() -> &'static Cuda {
    CUDA.get_or_init(|| match open(LIBRARY, libc::RTLD_NOW | libc::RTLD_GLOBAL) {
        Ok(_) => Cuda::Loaded(LIBRARY.to_owned()),
        Err(reason) => Cuda::Missing(reason),
    })
}

/// What [`load_cuda`] found; it is not called from here.
pub fn cuda() -> Cuda {
    let found = CUDA.get().cloned();
    found.unwrap_or_else(|| Cuda::Missing("this program does not load it".to_owned()))
}

/// The name of a GPU and its compute capability as `[major, minor]`, from the driver.
pub(in crate::native::torch) fn gpu(index: usize) -> Option<(String, [i32; 2])> {
    let driver = open("libcuda.so.1", libc::RTLD_NOW).ok()?;
    let init: extern "C" fn(u32) -> c_int = symbol(driver, c"cuInit")?;
    let get: extern "C" fn(*mut c_int, c_int) -> c_int = symbol(driver, c"cuDeviceGet")?;
    let name: extern "C" fn(*mut c_char, c_int, c_int) -> c_int =
        symbol(driver, c"cuDeviceGetName")?;
    let attribute: extern "C" fn(*mut c_int, c_int, c_int) -> c_int =
        symbol(driver, c"cuDeviceGetAttribute")?;

    let (mut device, mut text) = (0, [0; 256]);
    if init(0) != 0 || get(&raw mut device, c_int::try_from(index).ok()?) != 0 {
        return None;
    }
    if name(text.as_mut_ptr(), 255, device) != 0 {
        return None;
    }
    // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR.
    let mut capability = [0; 2];
    for (place, number) in capability.iter_mut().zip([75, 76]) {
        if attribute(place, number, device) != 0 {
            return None;
        }
    }
    // SAFETY: the buffer is longer than what the driver was allowed to write, so it ends in zero.
    let name = unsafe { CStr::from_ptr(text.as_ptr()) };
    Some((name.to_string_lossy().into_owned(), capability))
}

fn open(library: &str, flags: c_int) -> Result<*mut c_void, String> {
    let name = CString::new(library).map_err(|e| e.to_string())?;
    // SAFETY: a C string and flags; the library stays loaded for good.
    let handle = unsafe { libc::dlopen(name.as_ptr(), flags) };
    if !handle.is_null() {
        return Ok(handle);
    }
    // SAFETY: after a failed dlopen() this is a C string, or null.
    let reason = unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            library.to_owned()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    };
    Err(reason)
}

/// A function of a library. `F` is a function pointer of the right type.
fn symbol<F: Copy>(library: *mut c_void, name: &CStr) -> Option<F> {
    assert_eq!(size_of::<F>(), size_of::<*mut c_void>());
    // SAFETY: `library` came from dlopen() and is never closed.
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    // SAFETY: as long as a pointer, not null, and every caller names the type that CUDA's driver API documents.
    (!found.is_null()).then(|| unsafe { std::mem::transmute_copy(&found) })
}
