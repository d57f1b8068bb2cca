//! Hue, by way of hue, saturation and value.

use tch::Tensor;

use crate::error::Result;

/// torchvision's `adjust_hue`: the same colours as its way through [0, 1) hues, in fewer steps. With the chroma `c` and the largest
/// channel `v`, channel `n` (5 for red, 3 for green, 1 for blue) is `v - c * clamp(2 - |k - 2|, 0, 1)` where
/// `k = (n + 6 h) mod 6` (Smith, 1978, as one formula).
///
/// # Errors
/// When libtorch refuses.
pub(super) fn shift_hue(images: &Tensor, amount: &Tensor) -> Result<Tensor> {
    let channel = |c| images.f_narrow(1, c, 1);
    let (r, g, b) = (channel(0)?, channel(1)?, channel(2)?);
    let most = r.f_maximum(&g)?.f_maximum(&b)?;
    let chroma = most.f_sub(&r.f_minimum(&g)?.f_minimum(&b)?)?;
    // A grey has no hue: any will do where the chroma is 0.
    let divisor = chroma.f_masked_fill(&chroma.f_eq(0.0)?, 1.0)?;
    let sixth = |a: &Tensor, b: &Tensor, first: f64| -> Result<Tensor> {
        Ok(a.f_sub(b)?.f_div_(&divisor)?.f_add_scalar_(first)?)
    };
    let (red, green, blue) = (
        sixth(&g, &b, 0.0)?,
        sixth(&b, &r, 2.0)?,
        sixth(&r, &g, 4.0)?,
    );
    let hue = green.f_where_self(&most.f_eq_tensor(&g)?, &blue)?;
    let mut hue = red.f_where_self(&most.f_eq_tensor(&r)?, &hue)?;
    hue = hue.f_add_(&amount.f_mul_scalar(6.0)?)?;
    let out = images.f_empty_like()?;
    for (c, n) in [(0, 5.0), (1, 3.0), (2, 1.0)] {
        let k = hue.f_add_scalar(n)?.f_remainder_(6.0)?;
        let near = k
            .f_sub_scalar(2.0)?
            .f_abs_()?
            .f_neg_()?
            .f_add_scalar_(2.0)?;
        let drop = near.f_clamp(0.0, 1.0)?.f_mul_(&chroma)?;
        out.f_narrow(1, c, 1)?.f_copy_(&most.f_sub(&drop)?)?;
    }
    Ok(out)
}
