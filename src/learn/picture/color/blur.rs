//! Gaussian blur.

use tch::{Kind, Tensor};

use crate::error::Result;

/// torchvision's `gaussian_blur` with one standard deviation for both directions, [k, 1, 1, 1] in pixels; reflected at the edges.
/// The kernel is a product, so that it is applied along x and along y.
///
/// # Errors
/// When the kernel is too wide to be reflected, or libtorch refuses.
pub(super) fn gaussian_blur(images: &Tensor, side: i64, sigma: &Tensor) -> Result<Tensor> {
    let (k, channels, height, width) = images.size4()?;
    let planes = k * channels;
    let real = (Kind::Float, images.device());
    // torchvision's places of the weights: closer than a pixel apart by the root of 2, for exp(-x²) has no half before it.
    let limit = (side - 1) as f64 / (2.0 * 2.0_f64.sqrt());
    let places = Tensor::f_linspace(-limit, limit, side, real)?;
    let scaled = places
        .f_reshape([1, side])?
        .f_div(&sigma.f_reshape([k, 1])?)?;
    let weights = scaled.f_square()?.f_neg_()?.f_softmax(1, Kind::Float)?;
    let weights = weights.f_repeat_interleave_self_int(channels, 0, planes)?;
    let half = side / 2;
    let padded = images.f_reflection_pad2d([half, half, half, half])?;
    let padded = padded.f_reshape([1, planes, height + 2 * half, width + 2 * half])?;
    let along = |x: &Tensor, shape: [i64; 4]| {
        let weights = weights.f_reshape(shape)?;
        x.f_conv2d(&weights, None::<Tensor>, [1, 1], [0, 0], [1, 1], planes)
    };
    let rows = along(&padded, [planes, 1, 1, side])?;
    let both = along(&rows, [planes, 1, side, 1])?;
    Ok(both.f_reshape([k, channels, height, width])?)
}
