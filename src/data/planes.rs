//! The components of a JPEG to a row: each is resized at its own size, and only the result is made red, green and blue.
//!
//! A resize and the upsampling of colour before it are weighted sums both, so the two are one weighted sum of the samples as they are
//! stored. What differs from decoding to colours and resizing those is rounding, and that nothing is cut off at black and white
//! before the resize.

use std::sync::Arc;

use super::decode::Want;
use crate::{
    native::{GREY, JpegPlane, JpegPlanes, WEIGHT_BITS, WeightedSums, weighted_rows, ycc_to_rgb},
    settings::Filter,
};

/// Axes that are remembered.
const REMEMBERED: usize = 8;

/// Makes rows of components; keeps weights and buffers from one picture to the next.
pub(super) struct PlaneResizer {
    filter: Filter,
    /// Those used last in front.
    axes: Vec<(Axis, Arc<Weights>)>,
    stacked: [Vec<i16>; 3],
    lines: [Vec<i16>; 3],
}

/// One axis of the resize of one component.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    /// Where the wanted part begins, in pixels of the decoded picture.
    from: f64,
    /// Its length.
    length: f64,
    /// The length that it is brought to.
    to: u32,
    /// The picture's length.
    whole: usize,
    /// The component's length.
    samples: usize,
    /// Pixels that a sample stands for.
    each: usize,
    /// See [`JpegPlane::smooth`].
    smooth: bool,
}

/// The samples that make up each result, as a stack of rows and along a row.
struct Weights {
    each: Vec<(usize, Vec<i16>)>,
    along: WeightedSums,
}

impl PlaneResizer {
    pub(super) fn new(filter: Filter) -> Self {
        Self {
            filter,
            axes: Vec::new(),
            stacked: Default::default(),
            lines: Default::default(),
        }
    }

    /// Resizes to `want.width` x `want.height` pixels of red, green, blue. `sides` are those of the decoded picture, and `spans` the
    /// wanted part of it, from left to right and from top to bottom: where it begins, and its length.
    pub(super) fn resize(
        &mut self,
        planes: &JpegPlanes<'_>,
        sides: (u32, u32),
        spans: [(f64, f64); 2],
        want: &Want,
    ) -> Vec<u8> {
        let planes: &[JpegPlane<'_>] = match planes {
            JpegPlanes::Grey(luma) => std::slice::from_ref(luma),
            JpegPlanes::Colour(planes) => planes,
        };
        let weights: Vec<_> = planes
            .iter()
            .map(|plane| {
                let mut weights = |(from, length), to, whole: u32, samples, each: u32| {
                    self.weights(Axis {
                        from,
                        length,
                        to,
                        whole: whole as usize,
                        samples,
                        each: each as usize,
                        smooth: plane.smooth(),
                    })
                };
                let [across, down] = spans;
                (
                    weights(across, want.width, sides.0, plane.width(), plane.across),
                    weights(down, want.height, sides.1, plane.height(), plane.down),
                )
            })
            .collect();
        let width = want.width as usize;
        for line in &mut self.lines {
            line.clear();
            line.resize(width.next_multiple_of(8), GREY);
        }
        for ((plane, (across, _)), stacked) in planes.iter().zip(&weights).zip(&mut self.stacked) {
            let needed = plane.width().max(across.along.needed());
            if stacked.len() < needed {
                stacked.resize(needed, 0);
            }
        }
        let mut row = vec![0; 3 * width * want.height as usize];
        for (y, out) in row.chunks_exact_mut(3 * width).enumerate() {
            // All rows first: a processor takes a moment until what was written can be read at other bounds.
            for ((plane, (_, down)), stacked) in planes.iter().zip(&weights).zip(&mut self.stacked)
            {
                let (top, weights) = &down.each[y];
                weighted_rows(plane, *top, weights, &mut stacked[..plane.width()]);
            }
            for (((across, _), stacked), line) in
                weights.iter().zip(&self.stacked).zip(&mut self.lines)
            {
                across.along.of(stacked, line);
            }
            ycc_to_rgb(self.lines.each_ref().map(Vec::as_slice), out);
        }
        row
    }

    fn weights(&mut self, axis: Axis) -> Arc<Weights> {
        let found = self.axes.iter().position(|(known, _)| *known == axis);
        let known = match found {
            Some(at) => self.axes.remove(at),
            None => (axis, Arc::new(Weights::new(&axis, self.filter))),
        };
        let weights = known.1.clone();
        self.axes.insert(0, known);
        self.axes.truncate(REMEMBERED);
        weights
    }
}

impl Weights {
    fn new(axis: &Axis, filter: Filter) -> Self {
        let each: Vec<_> = (0..axis.to)
            .map(|i| {
                let (first, weights) = axis.of_pixels(i, filter);
                let (first, weights) = axis.of_samples(first, &weights);
                in_steps(first, &weights)
            })
            .collect();
        let along = WeightedSums::new(&each);
        Self { each, along }
    }
}

impl Axis {
    /// The first pixel of result `i` and the weights from there on, antialiased as Pillow has it (`precompute_coeffs`).
    fn of_pixels(&self, i: u32, filter: Filter) -> (usize, Vec<f64>) {
        let scale = self.length / f64::from(self.to);
        let wide = scale.max(1.0);
        let middle = self.from + (f64::from(i) + 0.5) * scale;
        let reach = filter.reach() * wide;
        let last = self.whole.saturating_sub(1);
        let first = ((middle - reach).floor().max(0.0) as usize).min(last);
        let end = ((middle + reach).ceil().max(0.0) as usize).clamp(first + 1, last + 1);
        let weights: Vec<f64> = (first..end)
            .map(|x| kernel(filter, (x as f64 + 0.5 - middle) / wide))
            .collect();
        let sum: f64 = weights.iter().sum();
        if sum == 0.0 {
            return (first, vec![1.0]);
        }
        (first, weights.iter().map(|w| w / sum).collect())
    }

    /// The same for the samples from which the pixels come.
    fn of_samples(&self, first: usize, weights: &[f64]) -> (usize, Vec<f64>) {
        if self.each == 1 {
            return (first, weights.to_vec());
        }
        let last = self.samples.saturating_sub(1);
        let start = (first / self.each).saturating_sub(1).min(last);
        let mut sums = vec![0.0; weights.len() / self.each + 4];
        for (x, weight) in (first..).zip(weights) {
            let near = x / self.each;
            let mut add = |sample: usize, share: f64| {
                sums[sample.min(last).saturating_sub(start)] += share * weight;
            };
            if self.smooth && self.each == 2 {
                let far = if x % 2 == 0 {
                    near.saturating_sub(1)
                } else {
                    near + 1
                };
                add(near, 0.75);
                add(far, 0.25);
            } else {
                add(near, 1.0);
            }
        }
        (start, sums)
    }
}

/// Weights as whole numbers that make up 1 together, without zeros around them.
fn in_steps(first: usize, weights: &[f64]) -> (usize, Vec<i16>) {
    let one = f64::from(1 << WEIGHT_BITS);
    let mut steps: Vec<i16> = weights.iter().map(|w| (w * one).round() as i16).collect();
    let sum: i32 = steps.iter().map(|w| i32::from(*w)).sum();
    if let Some(largest) = steps.iter_mut().max() {
        *largest = largest.saturating_add((1 << WEIGHT_BITS) - sum as i16);
    }
    let zeros = steps.iter().take_while(|w| **w == 0).count();
    while steps.last() == Some(&0) {
        steps.pop();
    }
    (first + zeros, steps.split_off(zeros.min(steps.len())))
}

/// The filters of Pillow at a distance of `x`.
fn kernel(filter: Filter, x: f64) -> f64 {
    let x = x.abs();
    if x >= filter.reach() {
        return 0.0;
    }
    match filter {
        Filter::Bilinear => 1.0 - x,
        // Catmull-Rom: Keys' cubic with a = -1/2.
        Filter::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        Filter::Bicubic => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
        Filter::Lanczos if x == 0.0 => 1.0,
        Filter::Lanczos => {
            let sinc = |x: f64| (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x);
            sinc(x) * sinc(x / 3.0)
        }
    }
}
