//! Steps of optimizers over flat tensors, by libtorch's fused kernels where it has them.
//!
//! Parameters, gradients and state lie in tensors of one dimension, equally long, and take one call for all. The fused kernels take
//! them in stretches. None of these functions waits for the device.

use std::{ffi::c_char, ptr};

use tch::Tensor;
use torch_sys::C_tensor;

use super::shim::{done, pointer, pointer_or_null, pointers};
use crate::error::Result;

type List = *const *mut C_tensor;

unsafe extern "C" {
    fn kfood_collect_gradients(leaves: List, to: List, n: usize, add: bool) -> *mut c_char;
    fn kfood_fused_sgd(
        params: List,
        grads: List,
        momenta: List,
        n: usize,
        lr: *mut C_tensor,
        momentum: f64,
        weight_decay: f64,
        nesterov: bool,
    ) -> *mut c_char;
    fn kfood_fused_adam(
        params: List,
        grads: List,
        means: List,
        squares: List,
        n: usize,
        step: *mut C_tensor,
        lr: *mut C_tensor,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        decoupled: bool,
    ) -> *mut c_char;
    fn kfood_rmsprop(
        params: *mut C_tensor,
        grads: *mut C_tensor,
        squares: *mut C_tensor,
        means: *mut C_tensor,
        momenta: *mut C_tensor,
        lr: *mut C_tensor,
        alpha: f64,
        momentum: f64,
        weight_decay: f64,
        eps: f64,
    ) -> *mut c_char;
    fn kfood_lamb(
        params: List,
        grads: List,
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
    fn kfood_grad_norm(grads: List, n: usize, to: *mut C_tensor) -> *mut c_char;
    fn kfood_clip_grad_norm(grads: List, n: usize, max_norm: f64) -> *mut c_char;
    fn kfood_clip_grad_value(grads: *mut C_tensor, value: f64) -> *mut c_char;
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

/// Brings the gradients that a backward pass left with `leaves` into the tensors of `to`, or adds them to those, and takes them
/// from the leaves, so that the next pass leaves new ones. Each becomes of the element type and memory order of its place.
///
/// # Errors
/// When a leaf has no gradient or libtorch refuses.
pub fn collect_gradients(leaves: &[Tensor], to: &[Tensor], add: bool) -> Result<()> {
    assert!(leaves.len() == to.len());
    let (leaves, to) = (pointers(leaves), pointers(to));
    // SAFETY: both lists live through the call and hold `to.len()` live tensors.
    done(unsafe { kfood_collect_gradients(leaves.as_ptr(), to.as_ptr(), to.len(), add) })
}

/// Moves parameters by one step, stretch by stretch. `momenta` are there where the step has momentum, and start with zeros.
///
/// # Errors
/// When libtorch refuses, or the tensors of a stretch differ in length.
pub fn fused_sgd(
    params: &[Tensor],
    grads: &[Tensor],
    momenta: Option<&[Tensor]>,
    step: SgdStep<'_>,
) -> Result<()> {
    let n = params.len();
    assert!(grads.len() == n && momenta.is_none_or(|momenta| momenta.len() == n));
    let [params, grads] = [params, grads].map(pointers);
    let momenta = momenta.map(pointers);
    // SAFETY: the lists live through the call and hold `n` live tensors each, or that of momenta is null.
    done(unsafe {
        kfood_fused_sgd(
            params.as_ptr(),
            grads.as_ptr(),
            momenta.as_ref().map_or(ptr::null(), Vec::as_ptr),
            n,
            pointer(step.lr),
            step.momentum,
            step.weight_decay,
            step.nesterov,
        )
    })
}

/// Moves parameters by one step, stretch by stretch; `count` is a float scalar on the same device, the number of steps so far.
///
/// # Errors
/// As [`fused_sgd`].
pub fn fused_adam(
    params: &[Tensor],
    grads: &[Tensor],
    means: &[Tensor],
    squares: &[Tensor],
    count: &Tensor,
    step: AdamStep<'_>,
) -> Result<()> {
    let n = params.len();
    assert!(grads.len() == n && means.len() == n && squares.len() == n);
    let [params, grads, means, squares] = [params, grads, means, squares].map(pointers);
    // SAFETY: the lists live through the call and hold `n` live tensors each.
    done(unsafe {
        kfood_fused_adam(
            params.as_ptr(),
            grads.as_ptr(),
            means.as_ptr(),
            squares.as_ptr(),
            n,
            pointer(count),
            pointer(step.lr),
            step.betas[0],
            step.betas[1],
            step.weight_decay,
            step.eps,
            step.decoupled,
        )
    })
}

/// Moves parameters by one step; `means` are there where the step is centered, and `momenta` where it has momentum.
///
/// # Errors
/// As [`fused_sgd`].
pub fn rmsprop(
    params: &Tensor,
    grads: &Tensor,
    squares: &Tensor,
    means: Option<&Tensor>,
    momenta: Option<&Tensor>,
    step: RmspropStep<'_>,
) -> Result<()> {
    // SAFETY: live tensors, or null where the shim allows it.
    done(unsafe {
        kfood_rmsprop(
            pointer(params),
            pointer(grads),
            pointer(squares),
            pointer_or_null(means),
            pointer_or_null(momenta),
            pointer(step.lr),
            step.alpha,
            step.momentum,
            step.weight_decay,
            step.eps,
        )
    })
}

/// Moves parameters by one step, a tensor for each of them in all lists: each takes a step of its own length. `count` as in
/// [`fused_adam`].
///
/// # Errors
/// When libtorch refuses.
pub fn lamb(
    params: &[Tensor],
    grads: &[Tensor],
    means: &[Tensor],
    squares: &[Tensor],
    count: &Tensor,
    step: LambStep<'_>,
) -> Result<()> {
    let n = params.len();
    assert!(grads.len() == n && means.len() == n && squares.len() == n);
    let [params, grads, means, squares] = [params, grads, means, squares].map(pointers);
    // SAFETY: the lists live through the call and hold `n` live tensors each; the divisor lives or is null.
    done(unsafe {
        kfood_lamb(
            params.as_ptr(),
            grads.as_ptr(),
            means.as_ptr(),
            squares.as_ptr(),
            pointer(count),
            n,
            pointer(step.lr),
            pointer_or_null(step.divisor),
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
pub fn grad_norm(grads: &[Tensor], to: &Tensor) -> Result<()> {
    let grads = pointers(grads);
    // SAFETY: the list lives through the call and holds `grads.len()` live tensors.
    done(unsafe { kfood_grad_norm(grads.as_ptr(), grads.len(), pointer(to)) })
}

/// Scales all gradients down so that their norm as one vector is at most `max_norm` (`torch.nn.utils.clip_grad_norm_`).
///
/// # Errors
/// When libtorch refuses.
pub fn clip_grad_norm(grads: &[Tensor], max_norm: f64) -> Result<()> {
    let grads = pointers(grads);
    // SAFETY: the list lives through the call and holds `grads.len()` live tensors.
    done(unsafe { kfood_clip_grad_norm(grads.as_ptr(), grads.len(), max_norm) })
}

/// Brings every element of the gradients into ±`value` (`torch.nn.utils.clip_grad_value_`).
///
/// # Errors
/// When libtorch refuses.
pub fn clip_grad_value(grads: &Tensor, value: f64) -> Result<()> {
    // SAFETY: a live tensor.
    done(unsafe { kfood_clip_grad_value(pointer(grads), value) })
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

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    fn sgd(lr: &Tensor) -> SgdStep<'_> {
        SgdStep {
            lr,
            momentum: 0.9,
            weight_decay: 0.01,
            nesterov: false,
        }
    }

    #[test]
    fn an_exception_in_cpp_is_an_error() {
        let [param, grad] = [2, 3].map(|n| Tensor::zeros([n], (Kind::Float, Device::Cpu)));
        let lr = Tensor::from(0.1);
        let (param, grad) = ([param], [grad]);
        let error = fused_sgd(&param, &grad, None, sgd(&lr)).unwrap_err();
        assert!(error.message().starts_with("libtorch: "), "{error}");
        let error = collect_gradients(&param, &grad, false).unwrap_err();
        assert!(error.message().contains("no gradient"), "{error}");
    }

    #[test]
    fn gradients_move_to_their_places_and_add_up_there() {
        let leaf = Tensor::ones([2, 3], (Kind::BFloat16, Device::Cpu)).set_requires_grad(true);
        let flat = Tensor::full([6], 7.0, (Kind::Float, Device::Cpu));
        // In another memory order than the leaf.
        let place = [flat.as_strided([2, 3], [1, 2], None)];
        let leaves = [leaf.shallow_clone()];
        for (add, wanted) in [(false, 0.5), (true, 1.0), (false, 0.5)] {
            (&leaf * 0.5).sum(Kind::Float).backward();
            collect_gradients(&leaves, &place, add).unwrap();
            assert!(!leaf.grad().defined());
            assert!(flat.equal(&flat.full_like(wanted)), "{flat:?}");
        }
    }
}
