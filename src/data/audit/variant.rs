//! The changes that a copy may have gone through, as the audit tries them on each image: cut at the borders, turned a little.

use std::sync::LazyLock;

use super::{
    coefficients::{Axis, Coefficients},
    fingerprint::SIDE,
    picture::{Picture, Spot, cell, point},
};
use crate::native::Vectorised;

/// How much is cut off an axis in all, in steps of one twentieth.
const CUTS: usize = 4;
const STEP: f64 = 0.05;
/// Degrees, each both ways.
const TURNS: [f64; 3] = [5.0, 10.0, 15.0];

/// An affine map from the points of a copy to those of its original, all from -1 to 1:
/// x' = `m[0]` + `m[1]` x + `m[2]` y, and y' likewise from `m[3]`.
pub(super) type Map = [f64; 6];

/// One change of an image.
pub(super) struct Variant {
    pub(super) map: Map,
    how: How,
}

enum How {
    /// Windows of both axes, across and down, by number: no resampling.
    Cut(usize, usize),
    /// Sampled, by number of the sampling; what lies outside of the picture gets this grey.
    Turned(usize, f32),
}

/// Where the cells of a turned picture come from.
struct Sampling {
    spots: Vec<Option<Spot>>,
    /// The coefficients of what lies outside of the picture, at a grey of 1.
    outside: Coefficients,
}

/// All variants; the image itself is the first.
pub(super) struct Variants {
    axes: Vec<Axis>,
    samplings: Vec<Sampling>,
    pub(super) all: Vec<Variant>,
}

/// Made once.
pub(super) static VARIANTS: LazyLock<Variants> = LazyLock::new(Variants::new);

impl Variants {
    fn new() -> Self {
        let mut windows = Vec::new();
        for cut in 0..=CUTS {
            for before in 0..=cut {
                let from = STEP * before as f64;
                windows.push((cut, from, 1.0 - STEP * (cut - before) as f64));
            }
        }
        let mut all = Vec::new();
        for (j, (down, top, bottom)) in windows.iter().enumerate() {
            for (i, (across, left, right)) in windows.iter().enumerate() {
                if down == across {
                    let map = [
                        left + right - 1.0,
                        right - left,
                        0.0,
                        top + bottom - 1.0,
                        0.0,
                        bottom - top,
                    ];
                    let how = How::Cut(i, j);
                    all.push(Variant { map, how });
                }
            }
        }
        let mut maps = Vec::new();
        for turn in TURNS.into_iter().flat_map(|t| [t, -t]) {
            let (sin, cos) = turn.to_radians().sin_cos();
            // The largest upright square inside the turned one; or the whole frame with black or white corners.
            let inside = 1.0 / (cos + sin.abs());
            for (scale, fills) in [(inside, &[0.0][..]), (1.0, &[0.0, 255.0])] {
                let (c, s) = (scale * cos, scale * sin);
                let map = [0.0, c, -s, 0.0, s, c];
                for fill in fills {
                    let how = How::Turned(maps.len(), *fill);
                    all.push(Variant { map, how });
                }
                maps.push(map);
            }
        }
        let axes: Vec<_> = windows
            .iter()
            .map(|(_, from, to)| Axis::new(*from, *to))
            .collect();
        Self {
            samplings: maps
                .iter()
                .map(|map| Sampling::new(map, &axes[0]))
                .collect(),
            axes,
            all,
        }
    }

    /// The coefficients of an unchanged picture.
    #[inline(always)]
    pub(super) fn plain(&self, picture: &Picture<SIDE>) -> Coefficients {
        self.axes[0].of(picture)
    }

    /// The coefficients of every variant, in order.
    pub(super) fn of(&self, picture: &Picture<SIDE>) -> Vec<Coefficients> {
        let all = AllOf {
            variants: self,
            picture,
        };
        all.vectorised()
    }

    #[inline(always)]
    fn each(&self, picture: &Picture<SIDE>) -> Vec<Coefficients> {
        // Loops, as the closures of iterators would be compiled without the vector instructions.
        let mut down = Vec::with_capacity(self.axes.len());
        for axis in &self.axes {
            down.push(axis.down(picture));
        }
        let mut turned = Vec::with_capacity(self.samplings.len());
        for sampling in &self.samplings {
            turned.push(self.plain(&sampling.through(picture)));
        }
        let mut all = Vec::with_capacity(self.all.len());
        for variant in &self.all {
            all.push(match variant.how {
                How::Cut(across, from) => self.axes[across].across(&down[from]),
                How::Turned(at, fill) => self.samplings[at].filled(turned[at], fill),
            });
        }
        all
    }
}

/// The coefficients of every variant of a picture.
struct AllOf<'a> {
    variants: &'a Variants,
    picture: &'a Picture<SIDE>,
}

impl Vectorised for AllOf<'_> {
    type Output = Vec<Coefficients>;

    #[inline(always)]
    fn run(self) -> Vec<Coefficients> {
        self.variants.each(self.picture)
    }
}

impl Sampling {
    /// Through a map.
    fn new(map: &Map, axis: &Axis) -> Self {
        let spot = |i: usize| {
            let (x, y) = (point::<SIDE>(i % SIDE), point::<SIDE>(i / SIDE));
            Spot::new::<SIDE>(
                cell::<SIDE>(map[0] + map[1] * x + map[2] * y),
                cell::<SIDE>(map[3] + map[4] * x + map[5] * y),
            )
        };
        let spots: Vec<_> = (0..SIDE * SIDE).map(spot).collect();
        let mut outside = [[0.0; SIDE]; SIDE];
        for (outside, spot) in outside.as_flattened_mut().iter_mut().zip(&spots) {
            *outside = f32::from(u8::from(spot.is_none()));
        }
        Self {
            spots,
            outside: axis.of(&outside),
        }
    }

    /// A picture, bilinear; black outside.
    #[inline(always)]
    fn through(&self, picture: &Picture<SIDE>) -> Picture<SIDE> {
        let mut found = [[0.0; SIDE]; SIDE];
        for (found, spot) in found.as_flattened_mut().iter_mut().zip(&self.spots) {
            if let Some(spot) = spot {
                *found = spot.look(picture)[0];
            }
        }
        found
    }

    /// The coefficients of what it shows with another grey outside: the transform of a sum is the sum of the transforms.
    #[inline(always)]
    fn filled(&self, mut black: Coefficients, fill: f32) -> Coefficients {
        let outside = self.outside.as_flattened();
        for (value, outside) in black.as_flattened_mut().iter_mut().zip(outside) {
            *value += fill * outside;
        }
        black
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variant_is_the_image_itself() {
        assert_eq!(VARIANTS.all[0].map, [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(VARIANTS.all.len(), 1 + 4 + 9 + 16 + 25 + 18);
    }

    #[test]
    fn the_identity_changes_nothing() {
        let picture =
            std::array::from_fn(|j| std::array::from_fn(|i| ((j * SIDE + i) * 7 % 251) as f32));
        let sampling = Sampling::new(&VARIANTS.all[0].map, &VARIANTS.axes[0]);
        let seen = sampling.through(&picture);
        let far = picture
            .as_flattened()
            .iter()
            .zip(seen.as_flattened())
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(far < 1e-2, "{far}");
    }
}
