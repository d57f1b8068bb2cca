//! The operations and their arithmetic.

use tch::{Kind, Tensor};

use super::{blur::gaussian_blur, equalize::equalize, hue::shift_hue};
use crate::error::Result;

/// A change of colour, with torchvision's meaning of its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// `adjust_brightness` by a factor.
    Brightness,
    /// `adjust_contrast` by a factor.
    Contrast,
    /// `adjust_saturation` by a factor.
    Saturation,
    /// `adjust_hue` by a share of the colour wheel.
    Hue,
    /// `adjust_sharpness` by a factor.
    Sharpness,
    /// `posterize` to a number of bits.
    Posterize,
    /// `solarize` from a threshold on.
    Solarize,
    /// `autocontrast`; the amount means nothing, as in the next three.
    Autocontrast,
    /// `equalize`.
    Equalize,
    /// `invert`.
    Invert,
    /// `rgb_to_grayscale` in three channels.
    Grayscale,
    /// `gaussian_blur` with a kernel of this side, by a standard deviation in pixels.
    GaussianBlur(u32),
}

impl Operation {
    /// The amount as [`Operation::act`] takes it.
    pub(crate) fn number(self, amount: f64) -> f32 {
        match self {
            Self::Posterize => amount.exp2() as f32,
            _ => amount as f32,
        }
    }

    /// Changes images of f32 [k, 3, height, width], contiguous, values from 0 to 1, by amounts of f32 [k, 1, 1, 1].
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn act(self, mut images: Tensor, amount: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Brightness => images.f_mul_(amount)?.f_clamp_(0.0, 1.0)?,
            Self::Contrast => {
                let mean = gray(&images)?.f_mean_dim([1, 2, 3].as_slice(), true, Kind::Float)?;
                blend(images, &mean, amount)?
            }
            Self::Saturation => {
                let gray = gray(&images)?;
                blend(images, &gray, amount)?
            }
            Self::Hue => shift_hue(&images, amount)?,
            Self::Sharpness => sharpen(images, amount)?,
            Self::Posterize => {
                let most = amount.f_sub_scalar(1.0)?;
                let mut level = images.f_mul_(amount)?.f_floor_()?;
                level.f_clamp_max_tensor_(&most)?.f_div_(amount)?
            }
            Self::Solarize => {
                let inverted = images.f_neg()?.f_add_scalar_(1.0)?;
                inverted.f_where_self(&images.f_ge_tensor(amount)?, &images)?
            }
            Self::Autocontrast => stretch(images)?,
            Self::Equalize => equalize(&images)?,
            Self::Invert => images.f_neg_()?.f_add_scalar_(1.0)?,
            Self::Grayscale => {
                let gray = gray(&images)?;
                images.f_copy_(&gray)?;
                images
            }
            Self::GaussianBlur(side) => gaussian_blur(&images, i64::from(side), amount)?,
        })
    }
}

/// Luma, [k, 1, height, width], with torchvision's weights.
fn gray(images: &Tensor) -> Result<Tensor> {
    let channel = |c| images.f_narrow(1, c, 1);
    let mut gray = channel(0)?.f_mul_scalar(0.2989)?;
    gray = gray.f_add_(&channel(1)?.f_mul_scalar(0.587)?)?;
    Ok(gray.f_add_(&channel(2)?.f_mul_scalar(0.114)?)?)
}

/// `images * amount + other * (1 - amount)`, from 0 to 1.
fn blend(mut images: Tensor, other: &Tensor, amount: &Tensor) -> Result<Tensor> {
    let rest = amount.f_neg()?.f_add_scalar_(1.0)?;
    let other = other.f_mul(&rest)?;
    Ok(images.f_mul_(amount)?.f_add_(&other)?.f_clamp_(0.0, 1.0)?)
}

/// A blend with the mean over 3 x 3 pixels in which the middle counts five times; the outermost pixels stay.
fn sharpen(mut images: Tensor, amount: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = images.size4()?;
    if height <= 2 || width <= 2 {
        return Ok(images);
    }
    let part = |t: &Tensor, dim, first| {
        let len = if dim == 2 { height } else { width };
        t.f_narrow(dim, first, len - 2)
    };
    let mut rows = part(&images, 3, 0)?.f_add(&part(&images, 3, 1)?)?;
    rows = rows.f_add_(&part(&images, 3, 2)?)?;
    let mut mean = part(&rows, 2, 0)?.f_add(&part(&rows, 2, 1)?)?;
    mean = mean.f_add_(&part(&rows, 2, 2)?)?;
    let mut inner = part(&part(&images, 2, 1)?, 3, 1)?;
    mean = mean
        .f_add_(&inner.f_mul_scalar(4.0)?)?
        .f_div_scalar_(13.0)?;
    let rest = amount.f_neg()?.f_add_scalar_(1.0)?;
    // A view: the images themselves change.
    let _ = inner.f_add_(&mean.f_sub_(&inner)?.f_mul_(&rest)?)?;
    Ok(images.f_clamp_(0.0, 1.0)?)
}

/// Each channel from its smallest to its largest value; a channel of one value stays.
fn stretch(mut images: Tensor) -> Result<Tensor> {
    let low = images.f_amin([2, 3].as_slice(), true)?;
    let range = images.f_amax([2, 3].as_slice(), true)?.f_sub_(&low)?;
    let flat = range.f_eq(0.0)?;
    let low = low.f_masked_fill(&flat, 0.0)?;
    let range = range.f_masked_fill(&flat, 1.0)?;
    Ok(images.f_sub_(&low)?.f_div_(&range)?.f_clamp_(0.0, 1.0)?)
}
