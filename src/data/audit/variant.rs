//! The changes that a copy may have gone through, as the audit tries them on each image: cut at the borders, turned a little.

use std::sync::LazyLock;

use super::{
    coefficients::{Axis, Coefficients, FREQUENCIES},
    fingerprint::SIDE,
};

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
    /// Sampled; what lies outside of the picture gets this grey.
    Turned(f32),
}

/// All variants; the image itself is the first.
pub(super) struct Variants {
    axes: Vec<Axis>,
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
        for turn in TURNS.into_iter().flat_map(|t| [t, -t]) {
            let (sin, cos) = turn.to_radians().sin_cos();
            // The largest upright square inside the turned one; or the whole frame with black or white corners.
            let inside = 1.0 / (cos + sin.abs());
            for (scale, fill) in [(inside, 0.0), (1.0, 0.0), (1.0, 255.0)] {
                let (c, s) = (scale * cos, scale * sin);
                let map = [0.0, c, -s, 0.0, s, c];
                let how = How::Turned(fill);
                all.push(Variant { map, how });
            }
        }
        let axes = windows.iter().map(|(_, from, to)| Axis::new(*from, *to));
        Self {
            axes: axes.collect(),
            all,
        }
    }

    /// The coefficients of an unchanged picture.
    pub(super) fn plain(&self, picture: &[f32; SIDE * SIDE]) -> Coefficients {
        self.axes[0].across(&self.axes[0].down(picture))
    }

    /// The coefficients of every variant, in order.
    pub(super) fn of(&self, picture: &[f32; SIDE * SIDE]) -> Vec<Coefficients> {
        let down: Vec<[[f32; SIDE]; FREQUENCIES]> =
            self.axes.iter().map(|axis| axis.down(picture)).collect();
        let one = |variant: &Variant| match variant.how {
            How::Cut(across, from) => self.axes[across].across(&down[from]),
            How::Turned(fill) => self.plain(&warped(picture, &variant.map, fill)),
        };
        self.all.iter().map(one).collect()
    }
}

/// A point's place in cells, 0 being the middle of the first.
pub(super) fn cell(at: f64) -> f64 {
    (at + 1.0) * (SIDE as f64 / 2.0) - 0.5
}

/// The middle of a cell as a point.
pub(super) fn point(cell: usize) -> f64 {
    (cell as f64 + 0.5) * (2.0 / SIDE as f64) - 1.0
}

/// A picture seen through a map, bilinear; `fill` outside.
fn warped(picture: &[f32; SIDE * SIDE], map: &Map, fill: f32) -> [f32; SIDE * SIDE] {
    let mut found = [fill; SIDE * SIDE];
    for (i, found) in found.iter_mut().enumerate() {
        let (x, y) = (point(i % SIDE), point(i / SIDE));
        let at_x = cell(map[0] + map[1] * x + map[2] * y);
        let at_y = cell(map[3] + map[4] * x + map[5] * y);
        if let Some([value, ..]) = sample(picture, at_x, at_y) {
            *found = value;
        }
    }
    found
}

/// The bilinear value at a place in cells, with its slopes across and down; `None` outside of the picture.
pub(super) fn sample(picture: &[f32; SIDE * SIDE], x: f64, y: f64) -> Option<[f32; 3]> {
    const LAST: f64 = SIDE as f64 - 1.0;
    // Up to half a cell beyond the outermost middles there still is picture.
    if !(-0.5..=LAST + 0.5).contains(&x) || !(-0.5..=LAST + 0.5).contains(&y) {
        return None;
    }
    let (x, y) = (x.clamp(0.0, LAST) as f32, y.clamp(0.0, LAST) as f32);
    let (i, j) = ((x as usize).min(SIDE - 2), (y as usize).min(SIDE - 2));
    let (u, v) = (x - i as f32, y - j as f32);
    let at = |i: usize, j: usize| picture[j * SIDE + i];
    let (a, b, c, d) = (at(i, j), at(i + 1, j), at(i, j + 1), at(i + 1, j + 1));
    let (top, bottom) = (a + u * (b - a), c + u * (d - c));
    Some([
        top + v * (bottom - top),
        (b - a) + v * ((d - c) - (b - a)),
        bottom - top,
    ])
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
        let picture = std::array::from_fn(|i| (i * 7 % 251) as f32);
        let seen = warped(&picture, &VARIANTS.all[0].map, 0.0);
        let far = picture
            .iter()
            .zip(&seen)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(far < 1e-2, "{far}");
    }
}
