//! Geometry and normalisation in one pass over an image: from u8 pixels to the floats that a model sees.
//!
//! On the CPU each image is sampled by a thread of its own, straight from the memory-mapped pack. On a GPU a kernel does the same
//! by the same numbers ([`numbers`]). Bilinear, black outside, as torchvision's `InterpolationMode.BILINEAR` without antialias;
//! images that shrink below half size take several samples a pixel, or they would alias.

#[cfg(test)]
mod tests;

use std::borrow::{Borrow, Cow};

use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use super::{
    affine::{Affine, Shift, Size},
    geometry::{Clip, Geometry, Piece},
};
use crate::{
    error::{Error, Result},
    native::{Bilinear, POINTS, Vectorised, floats_mut},
    settings::MeanStd,
};

/// From a byte to a float: `value / 255`, minus the mean, over the standard deviation.
#[derive(Clone, Copy)]
pub(crate) struct Levels {
    /// By channel: what a byte is multiplied with, and what is added then.
    pub(crate) scale: [f32; 3],
    pub(crate) shift: [f32; 3],
    normalize: MeanStd,
}

impl Levels {
    pub(crate) fn of(normalize: &MeanStd) -> Self {
        let scale = normalize.std.map(|std| (1.0 / (255.0 * std)) as f32);
        let shift = std::array::from_fn(|c| (-normalize.mean[c] / normalize.std[c]) as f32);
        Self {
            scale,
            shift,
            normalize: *normalize,
        }
    }

    /// Normalises values from 0 to 1 of f32 [n, 3, height, width] in place.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn normalize(&self, images: &Tensor) -> Result<()> {
        if self.normalize == MeanStd::IDENTITY {
            return Ok(());
        }
        for (channel, (mean, std)) in
            (0..).zip(self.normalize.mean.into_iter().zip(self.normalize.std))
        {
            let mut plane = images.f_select(1, channel)?;
            let _ = plane.f_sub_scalar_(mean)?.f_div_scalar_(std)?;
        }
        Ok(())
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
/// channels_last order. `levels` says for each image what its bytes become.
///
/// # Errors
/// When libtorch has no memory left.
///
/// # Panics
/// When an image has another length than `source` says.
pub(crate) fn sample<'a>(
    images: impl Fn(usize) -> Result<Cow<'a, [u8]>> + Sync,
    source: Size,
    geometry: &[impl Borrow<Geometry> + Sync],
    levels: impl Fn(usize) -> Levels + Sync,
) -> Result<Tensor> {
    let result = geometry.first().map_or(source, |g| g.borrow().result());
    let shape = [
        geometry.len() as i64,
        result.height as i64,
        result.width as i64,
        3,
    ];
    let mut out = Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?;
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
            let geometry = geometry.borrow();
            match geometry.shift(source) {
                Some(shift) => moved(&pixels, source, result, shift, &levels(i).table(), out),
                None => {
                    let sampling = Sampled {
                        pixels: &pixels,
                        source,
                        result,
                        geometry,
                        levels: levels(i),
                        out,
                    };
                    sampling.vectorised();
                }
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

/// One image, interpolated.
struct Sampled<'a> {
    pixels: &'a [u8],
    source: Size,
    result: Size,
    geometry: &'a Geometry,
    levels: Levels,
    out: &'a mut [f32],
}

impl Vectorised for Sampled<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        sampled(self);
    }
}

#[inline(always)]
fn sampled(work: Sampled<'_>) {
    let steps = backwards(work.geometry);
    let finer = work.geometry.samples() as usize;
    let way = Way {
        finer,
        // The usual case, a single step that holds nothing back, goes along a line of the source.
        line: match steps.as_slice() {
            [step] if finer == 1 && step.low[0] == f32::NEG_INFINITY => Some(step),
            _ => None,
        },
        steps: &steps,
        half: [
            work.result.width as f32 / 2.0,
            work.result.height as f32 / 2.0,
        ],
        origin: [
            work.source.width as f32 / 2.0 - 0.5,
            work.source.height as f32 / 2.0 - 0.5,
        ],
    };
    let (pixels, levels) = (work.pixels, work.levels);
    let wide = Bilinear::new(pixels, work.source.width, work.source.height);
    let share = 1.0 / (finer * finer) as f32;
    for (y, row) in work.out.chunks_exact_mut(3 * work.result.width).enumerate() {
        let first = way.first(y);
        for (group, pixels_out) in row.chunks_mut(3 * POINTS).enumerate() {
            let xs: [f32; POINTS] = std::array::from_fn(|i| (POINTS * group + i) as f32);
            let mut sums = [[0.0_f32; 4]; POINTS];
            for i in 0..finer * finer {
                let [px, py] = way.points(xs, y, i, first);
                if !wide.is_some_and(|wide| wide.add(&px, &py, &mut sums)) {
                    let used = pixels_out.len() / 3;
                    for (sum, point) in sums.iter_mut().zip(px.into_iter().zip(py)).take(used) {
                        let value = bilinear(pixels, work.source, [point.0, point.1]);
                        *sum = std::array::from_fn(|c| sum[c] + value[c]);
                    }
                }
            }
            for (pixel, sum) in pixels_out.as_chunks_mut::<3>().0.iter_mut().zip(&sums) {
                // An exact product and sum of its own: a fused one is a call where the processor is not known to have it.
                *pixel =
                    std::array::from_fn(|c| sum[c] * share * levels.scale[c] + levels.shift[c]);
            }
        }
    }
}

/// Coordinates of several neighbours in a row.
type Points = [[f32; POINTS]; 2];

/// The way from a pixel of the result to its samples in the source.
struct Way<'a> {
    steps: &'a [Back],
    line: Option<&'a Back>,
    /// Samples along a side of a pixel.
    finer: usize,
    /// The centre of the result.
    half: [f32; 2],
    /// From the centre of the source to the number of a pixel, whose centre lies half a pixel inside.
    origin: [f32; 2],
}

impl Way<'_> {
    /// What all pixels of a row have in common on a line.
    #[inline(always)]
    fn first(&self, y: usize) -> [f32; 2] {
        self.line.map_or([0.0; 2], |step| {
            let y = y as f32 + 0.5 - self.half[1];
            std::array::from_fn(|k| step.linear[k][1] * y + step.offset[k] + self.origin[k])
        })
    }

    /// Sample `i` of the pixels `xs` of row `y`.
    #[inline(always)]
    fn points(&self, xs: [f32; POINTS], y: usize, i: usize, first: [f32; 2]) -> Points {
        let Some(step) = self.line else {
            let within = |i: usize| (i as f32 + 0.5) / self.finer as f32;
            let (dx, y) = (within(i % self.finer), y as f32 + within(i / self.finer));
            return self.back(xs.map(|x| x + dx), y);
        };
        std::array::from_fn(|k| xs.map(|x| step.linear[k][0] * (x + 0.5 - self.half[0]) + first[k]))
    }

    /// All steps, one behind the other.
    #[inline(always)]
    fn back(&self, x: [f32; POINTS], y: f32) -> Points {
        let mut points = [x.map(|x| x - self.half[0]), [y - self.half[1]; POINTS]];
        for step in self.steps {
            let [xs, ys] = points;
            points = std::array::from_fn(|k| {
                let [a, b] = step.linear[k];
                // Not `clamp`, which looks for NaN.
                std::array::from_fn(|i| {
                    (a * xs[i] + b * ys[i] + step.offset[k])
                        .max(step.low[k])
                        .min(step.high[k])
                })
            });
        }
        let [x, y] = points;
        [x.map(|x| x + self.origin[0]), y.map(|y| y + self.origin[1])]
    }
}

/// The value at (x, y), in pixels from the centre of the first one; black outside. The fourth number means nothing.
#[inline(always)]
fn bilinear(pixels: &[u8], size: Size, [x, y]: [f32; 2]) -> [f32; 4] {
    // `floor` is a call where the processor is not known to have it; far outside nothing depends on it.
    let floor = |v: f32| {
        let whole = v as i32;
        whole - i32::from(v < whole as f32)
    };
    let (left, top) = (floor(x), floor(y));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let (right, bottom) = (size.width as i32 - 1, size.height as i32 - 1);
    let stride = 3 * size.width;
    if (0..right).contains(&left) && (0..bottom).contains(&top) {
        let at = 3 * left as usize + stride * top as usize;
        // Eight bytes from the left neighbour on: both neighbours and two bytes that are not used. In the last two pixels of
        // the image they would lie beyond its end.
        let pair = |at: usize| Some(pixels.get(at..at + 8)?.as_chunks::<8>().0[0]);
        if let (Some(upper), Some(lower)) = (pair(at), pair(at + stride)) {
            return std::array::from_fn(|c| {
                let mix = |pair: [u8; 8]| {
                    let (l, r) = (f32::from(pair[c]), f32::from(pair[c + 3]));
                    l + fx * (r - l)
                };
                let (upper, lower) = (mix(upper), mix(lower));
                upper + fy * (lower - upper)
            });
        }
    }
    if left < -1 || left > right || top < -1 || top > bottom {
        return [0.0; 4];
    }
    let corner = |x: i32, y: i32, c: usize| {
        let inside = (0..=right).contains(&x) && (0..=bottom).contains(&y);
        inside.then(|| f32::from(pixels[3 * x as usize + stride * y as usize + c]))
    };
    let value = |c: usize| {
        let mix = |y: i32| {
            let pair = [left, left + 1].map(|x| corner(x, y, c).unwrap_or(0.0));
            pair[0] + fx * (pair[1] - pair[0])
        };
        let (upper, lower) = (mix(top), mix(top + 1));
        upper + fy * (lower - upper)
    };
    [value(0), value(1), value(2), 0.0]
}

/// The numbers by which a kernel samples: for every image the samples along a side of a pixel, then for each of `pieces` steps
/// from the result to the source its matrix (2 x 2), offset (2), and lower and upper limits (2 + 2). All images of a batch have as
/// many steps; one that has fewer is filled up with steps that do nothing.
pub(crate) fn numbers(geometry: &[impl Borrow<Geometry>]) -> (Vec<f32>, usize) {
    let all: Vec<_> = geometry.iter().map(|g| backwards(g.borrow())).collect();
    let pieces = all.iter().map(Vec::len).max().unwrap_or(1);
    let nothing = Back {
        linear: [[1.0, 0.0], [0.0, 1.0]],
        offset: [0.0; 2],
        low: [f32::NEG_INFINITY; 2],
        high: [f32::INFINITY; 2],
    };
    let mut numbers = Vec::with_capacity(geometry.len() * (1 + 10 * pieces));
    for (geometry, steps) in geometry.iter().zip(all) {
        numbers.push(geometry.borrow().samples() as f32);
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
