//! How much of a picture is needed, and how far it may be scaled down while decoding.

use crate::settings::Quality;

/// A box in pixels, with fractions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::data) struct Area {
    pub(in crate::data) x: f64,
    pub(in crate::data) y: f64,
    pub(in crate::data) width: f64,
    pub(in crate::data) height: f64,
}

/// A part of the stored picture and the size it will be brought to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::data) struct Want {
    /// In pixels of the stored picture.
    pub(in crate::data) from: Area,
    /// Width after the resize.
    pub(in crate::data) width: u32,
    /// Height after the resize.
    pub(in crate::data) height: u32,
    /// How far from a pixel of the result the filter reaches, in pixels of the result.
    pub(in crate::data) reach: f64,
    /// Whether it may be scaled down while decoding.
    pub(in crate::data) quality: Quality,
}

/// How many times larger than the result a picture that was scaled down while decoding must be at least, in width and in
/// height: the scaling of JPEG averages blocks, which a resize of less than about 1.6 lets through as aliasing.
#[cfg_attr(
    not(feature = "libjpeg-turbo"),
    allow(dead_code, reason = "the other decoder gives everything at full size")
)]
const LEAST: f64 = 1.65;

/// So many pixels of an axis are few.
#[cfg_attr(
    not(feature = "libjpeg-turbo"),
    allow(dead_code, reason = "the other decoder gives everything at full size")
)]
const FEW: f64 = 32.0;

#[cfg_attr(
    not(feature = "libjpeg-turbo"),
    allow(dead_code, reason = "the other decoder gives everything at full size")
)]
impl Want {
    /// Everything at full size.
    pub(in crate::data) fn all(width: u32, height: u32) -> Self {
        Self {
            from: Area {
                x: 0.0,
                y: 0.0,
                width: f64::from(width),
                height: f64::from(height),
            },
            width,
            height,
            reach: 0.0,
            quality: Quality::Exact,
        }
    }

    /// The largest of 8, 4, 2 and 1 by which the picture may be divided while decoding.
    ///
    /// Fast against exact at 224 x 224, bilinear: 24 photographs of 1024x768 mean 50.8 dB, worst 48.1; 12 of 4000x3000 mean
    /// 51.2, worst 47.6. At 17 sides from 48 to 384 (55 photographs, 463 results that were scaled at all) mean 52.8, worst
    /// 44.1, the few below 45 dB nearly all at a side of 48. With twice instead of 1.65 times nothing of 1024x768 would be scaled;
    /// with once the mean is 43 to 46 dB near the limit, and the worst 37. (Of rows resized as colours; resized as components they differ
    /// from these by some tenths of a decibel, see benches/README.md.)
    pub(super) fn shrink(&self) -> u32 {
        if self.quality == Quality::Exact {
            return 1;
        }
        let fits = |shrink: &u32| {
            let least = LEAST * f64::from(*shrink);
            self.from.width >= least * f64::from(self.width)
                && self.from.height >= least * f64::from(self.height)
        };
        [8, 4, 2].into_iter().find(fits).unwrap_or(1)
    }

    /// Whether a pixel of the result is made of few pixels of the picture at 1 / `shrink` of its size, on each axis. The sums of
    /// components are rounded pixel by pixel, by 1 / 128 of a step at most.
    pub(super) fn sums_few(&self, shrink: u32) -> bool {
        let few =
            |from: f64, to: u32| 2.0 * self.reach * from <= FEW * f64::from(shrink) * f64::from(to);
        few(self.from.width, self.width) && few(self.from.height, self.height)
    }

    /// The part that the resize looks at, in whole pixels at 1 / `shrink` of the size: left, top, right, bottom; `left` is a
    /// multiple of `block`.
    pub(super) fn region(&self, shrink: u32, width: u32, height: u32, block: u32) -> [u32; 4] {
        let span = |from: f64, length: f64, to: u32, limit: u32| {
            let (from, length) = (from / f64::from(shrink), length / f64::from(shrink));
            // Two more for the smoothing of colour, which looks at its neighbours.
            let margin = self.reach * (length / f64::from(to)).max(1.0) + 2.0;
            let first = (from - margin).floor().max(0.0) as u32;
            let last = (from + length + margin).ceil().min(f64::from(limit)) as u32;
            (first.min(limit.saturating_sub(1)), last)
        };
        let (left, right) = span(self.from.x, self.from.width, self.width, width);
        let (top, bottom) = span(self.from.y, self.from.height, self.height, height);
        [left - left % block.max(1), top, right, bottom]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(width: f64, height: f64) -> Want {
        Want {
            from: Area {
                x: 100.0,
                y: 50.0,
                width,
                height,
            },
            width: 224,
            height: 224,
            reach: 1.0,
            quality: Quality::Fast,
        }
    }

    #[test]
    fn both_sides_stay_as_large_as_the_result() {
        assert_eq!(want(1024.0, 768.0).shrink(), 2);
        assert_eq!(want(4000.0, 3000.0).shrink(), 8);
        assert_eq!(want(4000.0, 300.0).shrink(), 1);
        let exact = Want {
            quality: Quality::Exact,
            ..want(4000.0, 3000.0)
        };
        assert_eq!(exact.shrink(), 1);
    }

    #[test]
    fn a_resize_by_much_sums_many_pixels() {
        assert!(want(448.0, 3500.0).sums_few(1));
        assert!(!want(448.0, 3700.0).sums_few(1));
        assert!(want(448.0, 3700.0).sums_few(2));
        assert!(!want(4000.0, 3.0).sums_few(1));
    }

    #[test]
    fn a_region_holds_what_the_filter_reaches() {
        let wanted = want(448.0, 448.0);
        assert_eq!(wanted.region(1, 1000, 520, 16), [96, 46, 552, 502]);
        assert_eq!(wanted.region(1, 500, 400, 16), [96, 46, 500, 400]);
    }
}
