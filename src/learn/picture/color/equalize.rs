//! Equalisation of histograms.

use tch::{Kind, Tensor};

use crate::error::Result;

/// torchvision's `equalize`: a channel's 256 levels are spread so that each has about as many pixels (the rule of Pillow).
///
/// # Errors
/// When libtorch refuses.
pub(super) fn equalize(images: &Tensor) -> Result<Tensor> {
    let (k, channels, height, width) = images.size4()?;
    let (rows, pixels) = (k * channels, height * width);
    let integers = (Kind::Int64, images.device());
    // Bytes as torchvision makes them of floats. All rows lie behind one another, each with levels of its own.
    let levels = images.f_mul_scalar(255.999)?.f_to_kind(Kind::Int64)?;
    let levels = levels.f_reshape([rows, pixels])?;
    let first = Tensor::f_arange(rows, integers)?.f_mul_scalar(256)?;
    let levels = levels
        .f_add(&first.f_reshape([rows, 1])?)?
        .f_reshape([-1])?;
    let one = Tensor::f_ones([1], integers)?.f_expand_as(&levels)?;
    let counts = Tensor::f_zeros([rows * 256], integers)?.f_scatter_add_(0, &levels, &one)?;
    let counts = counts.f_reshape([rows, 256])?;
    let sums = counts.f_cumsum(1, Kind::Int64)?;
    // The brightest level that occurs is the first at which the sum is whole.
    let brightest = counts.f_gather(1, &sums.f_argmax(1, true)?, false)?;
    let step = brightest.f_neg()?.f_add_scalar_(pixels)?;
    let step = step.f_div_scalar_mode(255, "floor")?;
    let divisor = step.f_clamp_min(1)?;
    let half = divisor.f_div_scalar_mode(2, "floor")?;
    let below = sums.f_sub(&counts)?;
    let spread = below.f_add(&half)?.f_div_tensor_mode(&divisor, "floor")?;
    let spread = spread.f_clamp(0, 255)?;
    // A channel with too few pixels off its brightest level stays.
    let same = Tensor::f_arange(256, integers)?;
    let table = same.f_where_self(&step.f_eq(0)?, &spread)?;
    let table = table.f_to_kind(Kind::Float)?.f_div_scalar_(255.0)?;
    let table = table.f_reshape([-1])?;
    Ok(table
        .f_index_select(0, &levels)?
        .f_reshape([k, channels, height, width])?)
}
