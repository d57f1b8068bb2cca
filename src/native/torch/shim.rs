//! The C++ shim as safe functions: every C++ exception is an [`Error`].

use std::ffi::{CStr, c_char};

use tch::{Device, Tensor};
use torch_sys::C_tensor;

use super::torch_error;
use crate::error::Result;

unsafe extern "C" {
    fn kfood_free(message: *mut c_char);
    fn kfood_set_grad(param: *mut C_tensor, grad: *mut C_tensor) -> *mut c_char;
    fn kfood_autocast_enter(cuda: bool) -> *mut c_char;
    fn kfood_autocast_leave(cuda: bool) -> *mut c_char;
    fn kfood_deterministic() -> *mut c_char;
    fn kfood_training(cuda: bool, deterministic: bool, tf32: bool) -> *mut c_char;
    fn kfood_cpu_capability(text: *mut *mut c_char) -> *mut c_char;
}

/// Sets the gradient of a parameter, or clears it: the next backward pass then stores instead of adding.
///
/// # Errors
/// When the gradient does not fit the parameter.
pub fn set_grad(param: &Tensor, grad: Option<&Tensor>) -> Result<()> {
    // SAFETY: `param` is a live tensor, and `grad` is one or null; the shim keeps a counted reference of its own.
    done(unsafe { kfood_set_grad(pointer(param), pointer_or_null(grad)) })
}

/// Deterministic kernels of cuDNN, no benchmarking of them, and no TF32: equal inputs give equal bits.
///
/// # Errors
/// When libtorch refuses.
pub fn make_deterministic() -> Result<()> {
    // SAFETY: takes nothing and sets flags of libtorch's global context.
    done(unsafe { kfood_deterministic() })
}

/// How a training computes on a device: with deterministic algorithms (equal inputs give equal bits) or with whatever is fastest,
/// and on a GPU with TF32 for f32 or without it. For the whole process, before anything is computed.
///
/// # Errors
/// When libtorch refuses.
pub fn set_training(device: Device, deterministic: bool, allow_tf32: bool) -> Result<()> {
    // SAFETY: takes plain values and sets flags of libtorch's global context.
    done(unsafe { kfood_training(device.is_cuda(), deterministic, allow_tf32) })
}

/// libtorch's vector instructions in effect, such as `AVX2`.
///
/// # Errors
/// When libtorch cannot tell.
pub fn cpu_capability() -> Result<String> {
    let mut text = std::ptr::null_mut();
    // SAFETY: `text` is a valid place for a pointer.
    done(unsafe { kfood_cpu_capability(&raw mut text) })?;
    // SAFETY: the shim succeeded, so `text` is from strdup().
    Ok(unsafe { take(text) })
}

pub(super) fn autocast_enter(cuda: bool) -> Result<()> {
    // SAFETY: sets thread-local state of libtorch.
    done(unsafe { kfood_autocast_enter(cuda) })
}

pub(super) fn autocast_leave(cuda: bool) -> Result<()> {
    // SAFETY: as above.
    done(unsafe { kfood_autocast_leave(cuda) })
}

pub(super) fn pointer(tensor: &Tensor) -> *mut C_tensor {
    tensor.as_ptr().cast_mut()
}

pub(super) fn pointer_or_null(tensor: Option<&Tensor>) -> *mut C_tensor {
    tensor.map_or(std::ptr::null_mut(), pointer)
}

pub(super) fn pointers(tensors: &[Tensor]) -> Vec<*mut C_tensor> {
    tensors.iter().map(pointer).collect()
}

pub(super) fn done(message: *mut c_char) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: a message that is not null is from strdup() and ours to free.
    let text = unsafe { take(message) };
    Err(torch_error(&text))
}

/// # Safety
/// `text` is a C string from strdup() that nothing else uses.
unsafe fn take(text: *mut c_char) -> String {
    // SAFETY: promised by the caller.
    unsafe {
        let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
        kfood_free(text);
        owned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_has_a_capability() {
        assert!(!cpu_capability().unwrap().is_empty());
    }
}
