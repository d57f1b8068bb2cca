//! Steps of optimizers over lists of tensors: libtorch's fused kernels, one call for all parameters of a group.
//!
//! None of them waits for the device. Parameters without a gradient stand still, with their state.

use std::ffi::c_char;

use tch::Tensor;
use torch_sys::C_tensor;

use super::shim::{done, pointers};
use crate::error::Result;

type List = *const *mut C_tensor;

unsafe extern "C" {
    fn kfood_fused_sgd(
        params: List,
        momenta: List,
        n: usize,
        lr: *mut C_tensor,
        momentum: f64,
        weight_decay: f64,
        nesterov: bool,
    ) -> *mut c_char;
    fn kfood_fused_adam(
        params: List,
        means: List,
        squares: List,
        step: *mut C_tensor,
        n: usize,
        lr: *mut C_tensor,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        decoupled: bool,
    ) -> *mut c_char;
    fn kfood_rmsprop(
        params: List,
        squares: List,
        means: List,
        momenta: List,
        n: usize,
        lr: *mut C_tensor,
        alpha: f64,
        momentum: f64,
        weight_decay: f64,
        eps: f64,
    ) -> *mut c_char;
    fn kfood_lamb(
        params: List,
        means: List,
        squares: List,
        step: *mut C_tensor,
        n: usize,
        lr: *mut C_tensor,
        divisor: *mut C_tensor,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        trust_clip: bool,
        always_adapt: bool,
    ) -> *mut c_char;
    fn kfood_grad_norm(params: List, n: usize, to: *mut C_tensor) -> *mut c_char;
    fn kfood_clip_grad_norm(params: List, n: usize, max_norm: f64) -> *mut c_char;
    fn kfood_clip_grad_value(params: List, n: usize, value: f64) -> *mut c_char;
    fn kfood_lerp(to: List, from: List, n: usize, weight: f64) -> *mut c_char;
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

/// One step of RMSprop as in `torch.optim.RMSprop`.
#[derive(Clone, Copy, Debug)]
pub struct RmspropStep<'a> {
    /// Learning rate of this step, as in [`SgdStep`].
    pub lr: &'a Tensor,
    /// Decay of the running means.
    pub alpha: f64,
    /// Momentum of the steps.
    pub momentum: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// L2 penalty.
    pub weight_decay: f64,
}

/// One step of LAMB as in `timm.optim.Lamb`.
#[derive(Clone, Copy, Debug)]
pub struct LambStep<'a> {
    /// Learning rate of this step, as in [`SgdStep`].
    pub lr: &'a Tensor,
    /// Divides the gradients: a float scalar on the parameters' device.
    pub divisor: Option<&'a Tensor>,
    /// Decay of the running means.
    pub betas: [f64; 2],
    /// Added to the denominator.
    pub eps: f64,
    /// Penalty, added to the step before it is scaled.
    pub weight_decay: f64,
    /// Never scale a step up.
    pub trust_clip: bool,
    /// Scale also where the penalty is 0.
    pub always_adapt: bool,
}

/// Moves all parameters that have a gradient by one step. `momenta` is empty without momentum, and otherwise holds a buffer
/// for each parameter that starts with zeros.
///
/// # Errors
/// When libtorch refuses.
pub fn fused_sgd(params: &[Tensor], momenta: &[Tensor], step: SgdStep<'_>) -> Result<()> {
    let (momenta, params) = (State::of(momenta, params), pointers(params));
    // SAFETY: both lists live through the call and hold `params.len()` live tensors, or the second is null.
    done(unsafe {
        kfood_fused_sgd(
            params.as_ptr(),
            momenta.list(),
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
    assert!(means.len() == params.len() && squares.len() == params.len());
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

/// Moves all parameters that have a gradient by one step. `squares` hold a buffer for each parameter; `means` too where the step
/// is centered, and `momenta` where it has momentum; they are empty elsewhere.
///
/// # Errors
/// When libtorch refuses.
pub fn rmsprop(
    params: &[Tensor],
    squares: &[Tensor],
    means: &[Tensor],
    momenta: &[Tensor],
    step: RmspropStep<'_>,
) -> Result<()> {
    assert!(squares.len() == params.len());
    let [squares, means, momenta] = [squares, means, momenta].map(|list| State::of(list, params));
    let params = pointers(params);
    // SAFETY: the lists live through the call and hold `params.len()` live tensors, or are null where the shim allows it.
    done(unsafe {
        kfood_rmsprop(
            params.as_ptr(),
            squares.list(),
            means.list(),
            momenta.list(),
            params.len(),
            step.lr.as_ptr().cast_mut(),
            step.alpha,
            step.momentum,
            step.weight_decay,
            step.eps,
        )
    })
}

/// Moves all parameters that have a gradient by one step; lists and `count` as in [`fused_adam`].
///
/// # Errors
/// When libtorch refuses.
pub fn lamb(
    params: &[Tensor],
    means: &[Tensor],
    squares: &[Tensor],
    count: &Tensor,
    step: LambStep<'_>,
) -> Result<()> {
    assert!(means.len() == params.len() && squares.len() == params.len());
    let (params, means, squares) = (pointers(params), pointers(means), pointers(squares));
    let divisor = step
        .divisor
        .map_or(std::ptr::null_mut(), |t| t.as_ptr().cast_mut());
    // SAFETY: the three lists live through the call and hold `params.len()` live tensors each; the divisor lives or is null.
    done(unsafe {
        kfood_lamb(
            params.as_ptr(),
            means.as_ptr(),
            squares.as_ptr(),
            count.as_ptr().cast_mut(),
            params.len(),
            step.lr.as_ptr().cast_mut(),
            divisor,
            step.betas[0],
            step.betas[1],
            step.weight_decay,
            step.eps,
            step.trust_clip,
            step.always_adapt,
        )
    })
}

/// Puts the norm of all gradients as one vector into `to`, a float scalar on their device.
///
/// # Errors
/// When libtorch refuses.
pub fn grad_norm(params: &[Tensor], to: &Tensor) -> Result<()> {
    let params = pointers(params);
    // SAFETY: the list lives through the call and holds `params.len()` live tensors.
    done(unsafe { kfood_grad_norm(params.as_ptr(), params.len(), to.as_ptr().cast_mut()) })
}

/// Scales all gradients down so that their norm as one vector is at most `max_norm` (`torch.nn.utils.clip_grad_norm_`).
///
/// # Errors
/// When libtorch refuses.
pub fn clip_grad_norm(params: &[Tensor], max_norm: f64) -> Result<()> {
    let params = pointers(params);
    // SAFETY: the list lives through the call and holds `params.len()` live tensors.
    done(unsafe { kfood_clip_grad_norm(params.as_ptr(), params.len(), max_norm) })
}

/// Brings every element of all gradients into ±`value` (`torch.nn.utils.clip_grad_value_`).
///
/// # Errors
/// When libtorch refuses.
pub fn clip_grad_value(params: &[Tensor], value: f64) -> Result<()> {
    let params = pointers(params);
    // SAFETY: the list lives through the call and holds `params.len()` live tensors.
    done(unsafe { kfood_clip_grad_value(params.as_ptr(), params.len(), value) })
}

/// Moves each tensor of `to` by the share `weight` of the way to its partner in `from`.
///
/// # Errors
/// When libtorch refuses, such as at tensors of different shapes.
pub fn lerp(to: &[Tensor], from: &[Tensor], weight: f64) -> Result<()> {
    assert!(to.len() == from.len());
    let (to, from) = (pointers(to), pointers(from));
    // SAFETY: both lists live through the call and hold `to.len()` live tensors.
    done(unsafe { kfood_lerp(to.as_ptr(), from.as_ptr(), to.len(), weight) })
}

/// A buffer for each parameter, or none at all.
struct State(Vec<*mut C_tensor>);

impl State {
    fn of(tensors: &[Tensor], params: &[Tensor]) -> Self {
        assert!(tensors.is_empty() || tensors.len() == params.len());
        Self(pointers(tensors))
    }

    /// Null where there is none.
    fn list(&self) -> List {
        if self.0.is_empty() {
            std::ptr::null()
        } else {
            self.0.as_ptr()
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::{super::set_grad, *};

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
}
