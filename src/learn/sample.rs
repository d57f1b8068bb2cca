//! Geometry and normalisation in one pass over an image: from u8 pixels to the floats that a model sees.
//!
//! On the CPU each image is sampled by a thread of its own, straight from the memory-mapped pack. On a GPU a kernel does the same
//! by the same numbers ([`numbers`]). Bilinear, black outside, as torchvision's `InterpolationMode.BILINEAR` without antialias;
//! images that shrink below half size take several samples a pixel, or they would alias.

use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use super::{
    affine::{Affine, Shift, Size},
    geometry::{Clip, Geometry, Piece},
};
use crate::{
    error::{Error, Result},
    native::floats_mut,
    settings::MeanStd,
};

/// From a byte to a float: `value / 255`, minus the mean, over the standard deviation.
#[derive(Clone, Copy)]
pub(super) struct Levels {
    /// By channel: what a byte is multiplied with, and what is added then.
    pub(super) scale: [f32; 3],
    pub(super) shift: [f32; 3],
    normalize: MeanStd,
}

impl Levels {
    pub(super) fn of(normalize: &MeanStd) -> Self {
        let scale = normalize.std.map(|std| (1.0 / (255.0 * std)) as f32);
        let shift = std::array::from_fn(|c| (-normalize.mean[c] / normalize.std[c]) as f32);
        Self {
            scale,
            shift,
            normalize: *normalize,
        }
    }

    /// Every byte's float, rounded at each step as tensor arithmetic rounds.
    fn table(&self) -> [[f32; 256]; 3] {
        std::array::from_fn(|c| {
            let (mean, std) = (self.normalize.mean[c] as f32, self.normalize.std[c] as f32);
            std::array::from_fn(|v| {
                let value = v as f32 / 255.0;
                if self.normalize == MeanStd::IDENTITY {
                    value
                } else {
                    (value - mean) / std
                }
            })
        })
    }
}

/// Samples images on the CPU: `images` hold height x width x 3 bytes each, the result is f32 [n, 3, height', width'] in
/// channels_last order.
///
/// # Errors
/// When libtorch has no memory left.
///
/// # Panics
/// When an image has another length than `source` says.
pub(super) fn sample<'a>(
    images: impl Fn(usize) -> Result<std::borrow::Cow<'a, [u8]>> + Sync,
    source: Size,
    geometry: &[Geometry],
    levels: Levels,
) -> Result<Tensor> {
    let result = geometry.first().map_or(source, Geometry::result);
    let shape = [
        geometry.len() as i64,
        result.height as i64,
        result.width as i64,
        3,
    ];
    let mut out = Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?;
    let table = levels.table();
    let length = (3 * result.width * result.height).max(1);
    floats_mut(&mut out)?
        .par_chunks_exact_mut(length)
        .zip(geometry)
        .enumerate()
        .try_for_each(|(i, (out, geometry))| {
            let pixels = images(i)?;
            assert_eq!(
                pixels.len(),
                3 * source.width * source.height,
                "length of an image"
            );
            match geometry.shift(source) {
                Some(shift) => moved(&pixels, source, result, shift, &table, out),
                None => sampled(&pixels, source, result, geometry, levels, out),
            }
            Ok::<_, Error>(())
        })?;
    Ok(out.f_permute([0, 3, 1, 2])?)
}

/// Moves whole pixels: no interpolation, exact.
fn moved(
    pixels: &[u8],
    source: Size,
    result: Size,
    shift: Shift,
    table: &[[f32; 256]; 3],
    out: &mut [f32],
) {
    for (y, row) in out.chunks_exact_mut(3 * result.width).enumerate() {
        let from = shift.place(1, y, source.height);
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let at = from.zip(shift.place(0, x, source.width));
            let at = at.map(|(y, x)| 3 * (y * source.width + x));
            for (c, value) in pixel.iter_mut().enumerate() {
                *value = table[c][at.map_or(0, |at| pixels[at + c] as usize)];
            }
        }
    }
}

/// A step from the result back towards the source, as floats.
#[derive(Clone, Copy)]
struct Back {
    linear: [[f32; 2]; 2],
    offset: [f32; 2],
    /// Where coordinates are held once this step is done.
    low: [f32; 2],
    high: [f32; 2],
}

/// The pieces from the last to the first, each with the clip in front of it. A first piece that does nothing is left out.
fn backwards(geometry: &Geometry) -> Vec<Back> {
    let back = |affine: &Affine, clip: Option<&Clip>| Back {
        linear: affine.linear.map(|row| row.map(|v| v as f32)),
        offset: affine.offset.map(|v| v as f32),
        low: clip.map_or([f32::NEG_INFINITY; 2], |c| c.low.map(|v| v as f32)),
        high: clip.map_or([f32::INFINITY; 2], |c| c.high.map(|v| v as f32)),
    };
    let Piece { affine, .. } = &geometry.first;
    let first =
        (*affine != Affine::IDENTITY || geometry.later.is_empty()).then(|| back(affine, None));
    let later = geometry.later.iter().rev();
    later
        .map(|(clip, piece)| back(&piece.affine, Some(clip)))
        .chain(first)
        .collect()
}

fn sampled(
    pixels: &[u8],
    source: Size,
    result: Size,
    geometry: &Geometry,
    levels: Levels,
    out: &mut [f32],
) {
    let steps = backwards(geometry);
    let finer = geometry.samples() as usize;
    let half = [result.width as f32 / 2.0, result.height as f32 / 2.0];
    // From the centre of the source to the number of a pixel, whose centre lies half a pixel inside.
    let origin = [
        source.width as f32 / 2.0 - 0.5,
        source.height as f32 / 2.0 - 0.5,
    ];
    let within = |i: usize| (i as f32 + 0.5) / finer as f32;
    let share = 1.0 / (finer * finer) as f32;
    for (y, row) in out.chunks_exact_mut(3 * result.width).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let mut sum = [0.0; 3];
            for i in 0..finer * finer {
                let mut point = [
                    x as f32 + within(i % finer) - half[0],
                    y as f32 + within(i / finer) - half[1],
                ];
                for step in &steps {
                    point = std::array::from_fn(|k| {
                        let [a, b] = step.linear[k];
                        // Not `clamp`, which looks for NaN.
                        (a * point[0] + b * point[1] + step.offset[k])
                            .max(step.low[k])
                            .min(step.high[k])
                    });
                }
                let point = [point[0] + origin[0], point[1] + origin[1]];
                bilinear(pixels, source, point, &mut sum);
            }
            for (c, value) in pixel.iter_mut().enumerate() {
                *value = (sum[c] * share).mul_add(levels.scale[c], levels.shift[c]);
            }
        }
    }
}

/// Adds the value at (x, y), in pixels from the centre of the first one; black outside.
#[inline]
fn bilinear(pixels: &[u8], size: Size, [x, y]: [f32; 2], sum: &mut [f32; 3]) {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let weights = [
        (1.0 - fx) * (1.0 - fy),
        fx * (1.0 - fy),
        (1.0 - fx) * fy,
        fx * fy,
    ];
    let (left, top) = (left as i64, top as i64);
    let inside =
        left >= 0 && top >= 0 && left + 1 < size.width as i64 && top + 1 < size.height as i64;
    if inside {
        let at = 3 * (top as usize * size.width + left as usize);
        let upper = &pixels[at..at + 6];
        let lower = &pixels[at + 3 * size.width..at + 3 * size.width + 6];
        for c in 0..3 {
            sum[c] += weights[0] * f32::from(upper[c])
                + weights[1] * f32::from(upper[c + 3])
                + weights[2] * f32::from(lower[c])
                + weights[3] * f32::from(lower[c + 3]);
        }
        return;
    }
    for (corner, weight) in weights.into_iter().enumerate() {
        let (x, y) = (left + corner as i64 % 2, top + corner as i64 / 2);
        if x >= 0 && y >= 0 && x < size.width as i64 && y < size.height as i64 {
            let at = 3 * (y as usize * size.width + x as usize);
            for c in 0..3 {
                sum[c] += weight * f32::from(pixels[at + c]);
            }
        }
    }
}

/// The numbers by which a kernel samples: for every image the samples along a side of a pixel, then for each of `pieces` steps
/// from the result to the source its matrix (2 x 2), offset (2), and lower and upper limits (2 + 2). All images of a batch have as
/// many steps; one that has fewer is filled up with steps that do nothing.
pub(super) fn numbers(geometry: &[Geometry]) -> (Vec<f32>, usize) {
    let all: Vec<_> = geometry.iter().map(backwards).collect();
    let pieces = all.iter().map(Vec::len).max().unwrap_or(1);
    let nothing = Back {
        linear: [[1.0, 0.0], [0.0, 1.0]],
        offset: [0.0; 2],
        low: [f32::NEG_INFINITY; 2],
        high: [f32::INFINITY; 2],
    };
    let mut numbers = Vec::with_capacity(geometry.len() * (1 + 10 * pieces));
    for (geometry, steps) in geometry.iter().zip(all) {
        numbers.push(geometry.samples() as f32);
        for i in 0..pieces {
            let step = steps.get(i).unwrap_or(&nothing);
            numbers.extend(step.linear.as_flattened());
            numbers.extend(step.offset);
            numbers.extend(step.low);
            numbers.extend(step.high);
        }
    }
    (numbers, pieces)
}
