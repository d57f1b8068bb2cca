//! Images as drawn: sampled, coloured, normalised, erased; on the CPU or by a GPU.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor};

use super::{
    affine::Size,
    augment::{Augmented, Rectangle},
    color::{self, Plan},
    sample::{Levels, numbers, sample},
};
use crate::{
    error::Result,
    native::{Sampling, sample_pixels},
    settings::MeanStd,
};

/// Images on the CPU. `images` hold height x width x 3 bytes each; the result is f32 [n, 3, height', width'] in channels_last order.
/// One that keeps its colours is normalised while it is sampled.
///
/// # Errors
/// Those of `images`, and when libtorch refuses.
pub(crate) fn render<'a>(
    images: impl Fn(usize) -> Result<Cow<'a, [u8]>> + Sync,
    source: Size,
    drawn: &[Augmented],
    levels: Levels,
) -> Result<Tensor> {
    let plain = Levels::of(&MeanStd::IDENTITY);
    let levels_of = |i: usize| {
        if drawn[i].colors.is_empty() {
            levels
        } else {
            plain
        }
    };
    let geometry: Vec<_> = drawn.iter().map(|d| &d.geometry).collect();
    let images = sample(images, source, &geometry, levels_of)?;
    let colors: Vec<_> = drawn.iter().map(|d| d.colors.as_slice()).collect();
    color::each(&images, &colors, |image| levels.normalize(image))?;
    erase(&images, &erased(drawn))?;
    Ok(images)
}

/// What a GPU needs to make the same; prepared ahead, on the host.
pub(crate) struct Recipe {
    numbers: Tensor,
    pieces: usize,
    result: Size,
    colors: Option<Plan>,
    erased: Vec<(i64, Rectangle)>,
}

impl Recipe {
    /// For images of one source size.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn new(drawn: &[Augmented], source: Size, device: Device) -> Result<Self> {
        let geometry: Vec<_> = drawn.iter().map(|d| &d.geometry).collect();
        let colors: Vec<_> = drawn.iter().map(|d| d.colors.as_slice()).collect();
        let (values, pieces) = numbers(&geometry);
        Ok(Self {
            numbers: Tensor::f_from_slice(&values)?,
            pieces,
            result: geometry.first().map_or(source, |g| g.result()),
            colors: Plan::new(&colors, device)?,
            erased: erased(drawn),
        })
    }

    /// The images `rows` (i64 [n]) of `pixels` (u8 [images, height, width, 3]), both on the GPU.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn render(&self, pixels: &Tensor, rows: &Tensor, levels: Levels) -> Result<Tensor> {
        // Colours come between sampling and normalisation.
        let sampled = match self.colors {
            Some(_) => Levels::of(&MeanStd::IDENTITY),
            None => levels,
        };
        let mut images = sample_pixels(
            pixels,
            &Sampling {
                rows,
                numbers: &self
                    .numbers
                    .f_to_device_(pixels.device(), Kind::Float, true, false)?,
                pieces: self.pieces,
                height: self.result.height,
                width: self.result.width,
                scale: sampled.scale,
                shift: sampled.shift,
            },
        )?;
        if let Some(colors) = &self.colors {
            colors.apply(&mut images)?;
            levels.normalize(&images)?;
        }
        erase(&images, &self.erased)?;
        Ok(images)
    }
}

fn erased(drawn: &[Augmented]) -> Vec<(i64, Rectangle)> {
    let all = (0..).zip(drawn);
    all.filter_map(|(i, d)| Some((i, d.erased.clone()?)))
        .collect()
}

fn erase(images: &Tensor, erased: &[(i64, Rectangle)]) -> Result<()> {
    let _guard = tch::no_grad_guard();
    for (i, rectangle) in erased {
        rectangle.erase(&images.f_narrow(0, *i, 1)?)?;
    }
    Ok(())
}
