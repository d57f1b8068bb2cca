//! Own kernels for what a ResNet spends most of its time with beside convolutions.

use tch::Tensor;

use super::library::{Library, library};
use crate::{
    error::Result,
    native::torch::shim::{done, pointer, pointer_or_null},
};

/// BatchNorm by the batch's statistics, `residual` added, rectified where `rectify`: what libtorch does in up to eight passes over
/// memory in five. bf16 [n, c, h, w] in and out, with a gradient; `running_mean` and `running_var` move. `None` where the kernels
/// do not serve: not on a GPU, not bf16, or a number of channels that is no power of two from 8 to 2048; then nothing was done.
///
/// # Errors
/// When a kernel cannot be started.
pub fn norm_act(
    x: &Tensor,
    [weight, bias, running_mean, running_var]: [&Tensor; 4],
    residual: Option<&Tensor>,
    rectify: bool,
    momentum: f64,
    epsilon: f64,
) -> Result<Option<Tensor>> {
    let Some(library) = serving(x) else {
        return Ok(None);
    };
    let (mut taken, mut out) = (false, std::ptr::null_mut());
    // SAFETY: live tensors, or null for the residual; both results are valid places.
    done(unsafe {
        (library.norm_act)(
            pointer(x),
            pointer(weight),
            pointer(bias),
            pointer(running_mean),
            pointer(running_var),
            pointer_or_null(residual),
            rectify,
            momentum,
            epsilon,
            &raw mut taken,
            &raw mut out,
        )
    })?;
    // SAFETY: where `taken`, the shim made a tensor for us to own.
    Ok(taken.then(|| unsafe { Tensor::from_ptr(out) }))
}

/// The largest of 3 x 3 with stride 2 and padding 1, with a gradient; `None` as for [`norm_act`].
///
/// # Errors
/// When a kernel cannot be started.
pub fn max_pool(x: &Tensor) -> Result<Option<Tensor>> {
    let Some(library) = serving(x) else {
        return Ok(None);
    };
    let (mut taken, mut out) = (false, std::ptr::null_mut());
    // SAFETY: a live tensor and two valid places.
    done(unsafe { (library.max_pool)(pointer(x), &raw mut taken, &raw mut out) })?;
    // SAFETY: as above.
    Ok(taken.then(|| unsafe { Tensor::from_ptr(out) }))
}

fn serving(x: &Tensor) -> Option<&'static Library> {
    if !x.device().is_cuda() || x.kind() != tch::Kind::BFloat16 {
        return None;
    }
    library().ok()
}
