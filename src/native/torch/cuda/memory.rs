//! Memory of a GPU, and waiting for it.

use super::library::library;
use crate::{error::Result, native::torch::shim::done};

/// What tensors take of a GPU's memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CudaMemory {
    /// Held by tensors now.
    pub allocated: u64,
    /// Held by tensors at most, since the last [`reset_cuda_peak`].
    pub peak: u64,
    /// Taken from the device at most.
    pub reserved: u64,
}

/// The statistics of libtorch's allocator for GPU `index`.
///
/// # Errors
/// When CUDA or the shim is not there.
pub fn cuda_memory(index: usize) -> Result<CudaMemory> {
    let (mut now, mut peak, mut reserved) = (0, 0, 0);
    // SAFETY: three valid places.
    done(unsafe {
        (library()?.memory)(index as i32, &raw mut now, &raw mut peak, &raw mut reserved)
    })?;
    let bytes = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(CudaMemory {
        allocated: bytes(now),
        peak: bytes(peak),
        reserved: bytes(reserved),
    })
}

/// Starts the peaks of [`cuda_memory`] anew.
///
/// # Errors
/// As [`cuda_memory`].
pub fn reset_cuda_peak(index: usize) -> Result<()> {
    // SAFETY: takes a number.
    done(unsafe { (library()?.reset_peak)(index as i32) })
}

/// Free bytes and all bytes of the current GPU.
///
/// # Errors
/// As [`cuda_memory`].
pub fn cuda_device_memory() -> Result<(u64, u64)> {
    let (mut free, mut total) = (0, 0);
    // SAFETY: two valid places.
    done(unsafe { (library()?.device_memory)(&raw mut free, &raw mut total) })?;
    Ok((free as u64, total as u64))
}

/// Gives memory that no tensor holds back to the device.
///
/// # Errors
/// As [`cuda_memory`].
pub fn empty_cuda_cache() -> Result<()> {
    // SAFETY: takes nothing.
    done(unsafe { (library()?.empty_cache)() })
}
