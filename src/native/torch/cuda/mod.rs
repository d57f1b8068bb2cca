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
    ffi::{CStr, c_char, c_int},
    sync::OnceLock,
};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LOCAL, RTLD_NOW};
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
    CUDA.get_or_init(|| match open(LIBRARY, RTLD_NOW | RTLD_GLOBAL) {
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
    type Init = extern "C" fn(u32) -> c_int;
    type Get = extern "C" fn(*mut c_int, c_int) -> c_int;
    type Name = extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
    type Attribute = extern "C" fn(*mut c_int, c_int, c_int) -> c_int;
    let driver = open("libcuda.so.1", RTLD_NOW | RTLD_LOCAL).ok()?;
    // SAFETY: the types are those that CUDA's driver API documents for these functions.
    let (init, get, name, attribute) = unsafe {
        (
            driver.get::<Init>(b"cuInit\0").ok()?,
            driver.get::<Get>(b"cuDeviceGet\0").ok()?,
            driver.get::<Name>(b"cuDeviceGetName\0").ok()?,
            driver.get::<Attribute>(b"cuDeviceGetAttribute\0").ok()?,
        )
    };

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

/// Loads a library for good: functions of it are kept, and CUDA does not like to be unloaded.
fn open(library: &str, flags: c_int) -> Result<&'static Library, String> {
    // SAFETY: CUDA's libraries and our own shim, whose initialisers ask for nothing; none is ever unloaded.
    let library = unsafe { Library::open(Some(library), flags) };
    let library = library.map_err(|error| error.to_string())?;
    Ok(Box::leak(Box::new(library)))
}
