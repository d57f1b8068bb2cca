//! Geometry and normalisation of a batch in one kernel, from u8 pixels that lie on the GPU.

use tch::Tensor;

use super::library::library;
use crate::{
    error::Result,
    native::torch::shim::{done, pointer},
};

/// How images are sampled.
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'a> {
    /// Which images, i64 of shape `[n]`.
    pub rows: &'a Tensor,
    /// f32 of shape `[n, 1 + 10 * pieces]`: for each image the samples along a side of a pixel of the result, then for each step from the
    /// result to the source a matrix (2 x 2), an offset (2), and lower and upper limits (2 + 2); in pixels from the centres.
    pub numbers: &'a Tensor,
    /// Steps.
    pub pieces: usize,
    /// Of the result.
    pub height: usize,
    /// Of the result.
    pub width: usize,
    /// What a byte is multiplied with, by channel.
    pub scale: [f32; 3],
    /// What is added then.
    pub shift: [f32; 3],
}

/// `pixels` u8 [images, height, width, 3] to f32 [n, 3, height', width'] in channels_last order: bilinear, black outside.
///
/// # Errors
/// When the kernel cannot be started.
pub fn sample_pixels(pixels: &Tensor, sampling: &Sampling<'_>) -> Result<Tensor> {
    let mut out = std::ptr::null_mut();
    // SAFETY: live tensors, two lists of three, and a valid place for the result.
    done(unsafe {
        (library()?.sample)(
            pointer(pixels),
            pointer(sampling.rows),
            pointer(sampling.numbers),
            sampling.pieces as i32,
            sampling.height as i32,
            sampling.width as i32,
            sampling.scale.as_ptr(),
            sampling.shift.as_ptr(),
            &raw mut out,
        )
    })?;
    // SAFETY: the shim made a tensor for us to own.
    Ok(unsafe { Tensor::from_ptr(out) })
}
