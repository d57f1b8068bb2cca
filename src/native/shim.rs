//! The C++ shim as safe functions: every C++ exception is an [`Error`].

use std::ffi::{CStr, c_char};

use tch::Tensor;
use torch_sys::C_tensor;

use super::torch_error;
use crate::error::Result;

unsafe extern "C" {
    fn kfood_free(message: *mut c_char);
    fn kfood_fused_sgd(
        params: *const *mut C_tensor,
        momenta: *const *mut C_tensor,
        n: usize,
        lr: *mut C_tensor,
        momentum: f64,
        weight_decay: f64,
        nesterov: bool,
    ) -> *mut c_char;
    fn kfood_fused_adam(
        params: *const *mut C_tensor,
        means: *const *mut C_tensor,
        squares: *const *mut C_tensor,
        step: *mut C_tensor,
        n: usize,
        lr: *mut C_tensor,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        decoupled: bool,
    ) -> *mut c_char;
    fn kfood_set_grad(param: *mut C_tensor, grad: *mut C_tensor) -> *mut c_char;
    fn kfood_autocast_enter(cuda: bool) -> *mut c_char;
    fn kfood_autocast_leave(cuda: bool) -> *mut c_char;
    fn kfood_deterministic() -> *mut c_char;
    fn kfood_cpu_capability(text: *mut *mut c_char) -> *mut c_char;
}

/// One step of SGD as in `torch.optim.SGD` without dampening.
#[derive(Clone, Copy, Debug)]
pub struct SgdStep<'a> {
    /// Learning rate of this step, a float scalar on the parameters' device (double on the CPU).
    pub lr: &'a Tensor,
    /// Momentum; 0 for none.
    pub momentum: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// Nesterov momentum.
    pub nesterov: bool,
}

/// One step of Adam as in `torch.optim.Adam`, or of AdamW.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep<'a> {
    /// Learning rate of this step, as in [`SgdStep`].
    pub lr: &'a Tensor,
    /// Decay of the running means.
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub eps: f64,
    /// Penalty: L2, or decoupled.
    pub weight_decay: f64,
    /// Whether the penalty is decoupled (AdamW).
    pub decoupled: bool,
}

/// Moves all parameters that have a gradient by one step. `momenta` is empty without momentum, and otherwise holds a buffer
/// for each parameter that starts with zeros.
///
/// # Errors
/// When libtorch refuses.
pub fn fused_sgd(params: &[Tensor], momenta: &[Tensor], step: SgdStep<'_>) -> Result<()> {
    debug_assert!(momenta.is_empty() || momenta.len() == params.len());
    let (params, momenta) = (pointers(params), pointers(momenta));
    let state = if momenta.is_empty() {
        std::ptr::null()
    } else {
        momenta.as_ptr()
    };
    // SAFETY: both lists live through the call and hold `params.len()` live tensors, or the second is null.
    done(unsafe {
        kfood_fused_sgd(
            params.as_ptr(),
            state,
            params.len(),
            step.lr.as_ptr().cast_mut(),
            step.momentum,
            step.weight_decay,
            step.nesterov,
        )
    })
}

/// Moves all parameters that have a gradient by one step. `means` and `squares` hold a buffer for each parameter; `count` is a
/// float scalar on the same device, the number of steps so far.
///
/// # Errors
/// When libtorch refuses.
pub fn fused_adam(
    params: &[Tensor],
    means: &[Tensor],
    squares: &[Tensor],
    count: &Tensor,
    step: AdamStep<'_>,
) -> Result<()> {
    debug_assert!(means.len() == params.len() && squares.len() == params.len());
    let (params, means, squares) = (pointers(params), pointers(means), pointers(squares));
    // SAFETY: the three lists live through the call and hold `params.len()` live tensors each.
    done(unsafe {
        kfood_fused_adam(
            params.as_ptr(),
            means.as_ptr(),
            squares.as_ptr(),
            count.as_ptr().cast_mut(),
            params.len(),
            step.lr.as_ptr().cast_mut(),
            step.betas[0],
            step.betas[1],
            step.weight_decay,
            step.eps,
            step.decoupled,
        )
    })
}

/// Sets the gradient of a parameter, or clears it: the next backward pass then stores instead of adding.
///
/// # Errors
/// When the gradient does not fit the parameter.
pub fn set_grad(param: &Tensor, grad: Option<&Tensor>) -> Result<()> {
    let grad = grad.map_or(std::ptr::null_mut(), |g| g.as_ptr().cast_mut());
    // SAFETY: `param` is a live tensor, and `grad` is one or null; the shim keeps a counted reference of its own.
    done(unsafe { kfood_set_grad(param.as_ptr().cast_mut(), grad) })
}

/// Deterministic kernels of cuDNN, no benchmarking of them, and no TF32: equal inputs give equal bits.
///
/// # Errors
/// When libtorch refuses.
pub fn make_deterministic() -> Result<()> {
    // SAFETY: takes nothing and sets flags of libtorch's global context.
    done(unsafe { kfood_deterministic() })
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

fn pointers(tensors: &[Tensor]) -> Vec<*mut C_tensor> {
    tensors.iter().map(|t| t.as_ptr().cast_mut()).collect()
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
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn an_exception_in_cpp_is_an_error() {
        let param = Tensor::zeros([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let grad = Tensor::zeros([3], (Kind::Float, Device::Cpu));
        set_grad(&param, Some(&grad)).unwrap();
        let step = SgdStep {
            lr: &Tensor::from(0.1),
            momentum: 0.0,
            weight_decay: 0.0,
            nesterov: false,
        };
        let error = fused_sgd(&[param], &[], step).unwrap_err();
        assert!(error.message().starts_with("libtorch: "), "{error}");
    }

    #[test]
    fn the_cpu_has_a_capability() {
        assert!(!cpu_capability().unwrap().is_empty());
    }
}
