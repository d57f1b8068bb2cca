//! Low frequencies of a picture as a hash of 64 bits, and the hashes of its eight turned and mirrored forms.
//!
//! A bit is the sign of one coefficient of the discrete cosine transform (after the perceptual hash of Zauner, 2010). Signs
//! do not depend on brightness and contrast; mirroring flips those of odd frequencies, turning swaps the two axes, so one
//! transform gives all eight hashes.

use std::{f64::consts::PI, sync::LazyLock};

use super::{fingerprint::SIDE, picture::Picture};

/// Frequencies of an axis: 0 to 10.
pub(super) const FREQUENCIES: usize = 11;
/// [`FREQUENCIES`] rounded up to whole vectors.
const PADDED: usize = 12;
/// Frequencies across of one vector.
const LOW: usize = 8;

/// Coefficients by frequency down and across.
pub(super) type Coefficients = [[f32; PADDED]; FREQUENCIES];

/// The cosines of one axis over a window of it, from the thumbnail's cells: [frequency][cell] and the other way round.
pub(super) struct Axis {
    by_frequency: [[f32; SIDE]; FREQUENCIES],
    by_cell: [[f32; PADDED]; SIDE],
}

impl Axis {
    /// The transform of the part from `from` to `to` of an axis from 0 to 1: integrals over cells, so that a window may begin
    /// and end inside a cell and needs no resampling.
    pub(super) fn new(from: f64, to: f64) -> Self {
        let mut axis = Self {
            by_frequency: [[0.0; SIDE]; FREQUENCIES],
            by_cell: [[0.0; PADDED]; SIDE],
        };
        for cell in 0..SIDE {
            let inside = |t: f64| (t / SIDE as f64).clamp(from, to);
            let (left, right) = (inside(cell as f64), inside(cell as f64 + 1.0));
            for frequency in 0..FREQUENCIES {
                let at = |t: f64| (t - from) / (to - from);
                let value = match frequency {
                    0 => at(right) - at(left),
                    f => {
                        let f = PI * f as f64;
                        ((f * at(right)).sin() - (f * at(left)).sin()) / f
                    }
                } as f32;
                axis.by_frequency[frequency][cell] = value;
                axis.by_cell[cell][frequency] = value;
            }
        }
        axis
    }

    /// The transform of a picture with this window on both axes.
    #[inline(always)]
    pub(super) fn of(&self, picture: &Picture<SIDE>) -> Coefficients {
        self.across(&self.down(picture))
    }

    /// The transform down the columns: [frequency][column].
    #[inline(always)]
    pub(super) fn down(&self, picture: &Picture<SIDE>) -> [[f32; SIDE]; FREQUENCIES] {
        let mut all = [[0.0; SIDE]; FREQUENCIES];
        for (weights, found) in self.by_frequency.iter().zip(&mut all) {
            // Of its own, so that it stays in registers. Cells outside of the window count 0.
            let mut sums = [0.0_f32; SIDE];
            for (weight, row) in weights.iter().zip(picture) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += weight * value;
                }
            }
            *found = sums;
        }
        all
    }

    /// The transform across, of what [`Axis::down`] gives; only of frequencies whose sum is one of a hash, 0 for others.
    #[inline(always)]
    pub(super) fn across(&self, down: &[[f32; SIDE]; FREQUENCIES]) -> Coefficients {
        // Frequencies across up to 7, and from 8 on, which only the lowest down go with: whole vectors, all sums side by side.
        let mut low = [[0.0_f32; LOW]; FREQUENCIES];
        let mut high = [[0.0_f32; PADDED - LOW]; FREQUENCIES - LOW];
        for (cell, weights) in self.by_cell.iter().enumerate() {
            for (sums, values) in low.iter_mut().zip(down) {
                for (sum, weight) in sums.iter_mut().zip(&weights[..LOW]) {
                    *sum += values[cell] * weight;
                }
            }
            for (sums, values) in high.iter_mut().zip(down) {
                for (sum, weight) in sums.iter_mut().zip(&weights[LOW..]) {
                    *sum += values[cell] * weight;
                }
            }
        }
        let mut found = [[0.0; PADDED]; FREQUENCIES];
        for (found, sums) in found.iter_mut().zip(&low) {
            found[..LOW].copy_from_slice(sums);
        }
        for (found, sums) in found.iter_mut().zip(&high) {
            found[LOW..].copy_from_slice(sums);
        }
        found
    }
}

/// The 64 pairs of frequencies of a hash: those with a sum of 1 to 10, but for (5, 5).
fn chosen() -> impl Iterator<Item = (usize, usize)> {
    (1..FREQUENCIES)
        .flat_map(|sum| (0..=sum).map(move |down| (down, sum - down)))
        .filter(|pair| *pair != (5, 5))
}

/// The 64 pairs as a list, and the masks of bits with an odd frequency down and across.
struct Bits {
    pairs: Vec<(usize, usize)>,
    odd: [u64; 2],
}

static BITS: LazyLock<Bits> = LazyLock::new(|| {
    let pairs: Vec<_> = chosen().collect();
    let mut odd = [0; 2];
    for (bit, (down, across)) in pairs.iter().enumerate() {
        odd[0] |= ((down % 2) as u64) << bit;
        odd[1] |= ((across % 2) as u64) << bit;
    }
    Bits { pairs, odd }
});

/// The hash of the picture itself.
pub(super) fn hash(coefficients: &Coefficients) -> u64 {
    let mut hash = 0;
    for (bit, (down, across)) in BITS.pairs.iter().enumerate() {
        hash |= u64::from(coefficients[*down][*across] > 0.0) << bit;
    }
    hash
}

/// The hashes of the eight forms; number `f` is mirrored left to right (`f & 1`), top to bottom (`f & 2`) and has its axes
/// swapped (`f & 4`) as [`form`] says.
pub(super) fn hashes(coefficients: &Coefficients) -> [u64; 8] {
    let Bits { pairs, odd } = &*BITS;
    let straight = hash(coefficients);
    let mut swapped = 0_u64;
    for (bit, (down, across)) in pairs.iter().enumerate() {
        swapped |= u64::from(coefficients[*across][*down] > 0.0) << bit;
    }
    std::array::from_fn(|form| {
        let mut hash = if form & 4 == 0 { straight } else { swapped };
        // With axes swapped, the picture's left-right lies along the form's top-bottom.
        let [down, across] = if form & 4 == 0 {
            *odd
        } else {
            [odd[1], odd[0]]
        };
        if form & 1 != 0 {
            hash ^= across;
        }
        if form & 2 != 0 {
            hash ^= down;
        }
        hash
    })
}

/// The form that undoes form `f`: a quarter turn is undone by the other one, everything else by itself.
pub(super) fn inverse(f: usize) -> usize {
    match f {
        5 => 6,
        6 => 5,
        f => f,
    }
}

/// Where a point of form `f` lies in the picture, both from -1 to 1.
pub(super) fn form(f: usize, [x, y]: [f64; 2]) -> [f64; 2] {
    let [x, y] = if f & 4 == 0 { [x, y] } else { [y, x] };
    [
        if f & 1 == 0 { x } else { -x },
        if f & 2 == 0 { y } else { -y },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(of: impl Fn(f64, f64) -> f64) -> Picture<SIDE> {
        let at = |i: usize| (i as f64 + 0.5) / SIDE as f64 * 2.0 - 1.0;
        std::array::from_fn(|j| std::array::from_fn(|i| of(at(i), at(j)) as f32))
    }

    fn scene(x: f64, y: f64) -> f64 {
        100.0
            + 40.0 * (3.1 * x + 0.7).sin() * (2.3 * y - 0.4).cos()
            + 25.0 * (5.0 * x - 4.0 * y + 1.0).sin()
            + 9.0 * (9.0 * y + 3.0 * x * y).sin()
            + 20.0 * x
            + 7.0 * y
    }

    fn coefficients(of: impl Fn(f64, f64) -> f64) -> Coefficients {
        let axis = Axis::new(0.0, 1.0);
        axis.across(&axis.down(&picture(of)))
    }

    #[test]
    fn there_are_64_bits() {
        assert_eq!(chosen().count(), 64);
    }

    #[test]
    fn one_transform_gives_the_hashes_of_all_eight_forms() {
        let all = hashes(&coefficients(scene));
        for (f, hash) in all.iter().enumerate() {
            let own = hashes(&coefficients(|x, y| {
                let [x, y] = form(f, [x, y]);
                scene(x, y)
            }))[0];
            assert_eq!(own, *hash, "form {f}");
        }
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 8);
        assert_eq!(hash(&coefficients(scene)), all[0]);
    }

    #[test]
    fn a_form_is_as_far_from_a_picture_as_that_from_the_inverse_form() {
        let other = |x: f64, y: f64| scene(0.8 * x + 0.1, 0.9 * y) + 30.0 * (4.0 * x * y).cos();
        let (one, other) = (hashes(&coefficients(scene)), hashes(&coefficients(other)));
        for f in 0..8 {
            let back = [0.3, -0.8];
            assert_eq!(form(inverse(f), form(f, back)), back, "form {f}");
            let [there, back] = [one[f] ^ other[0], one[0] ^ other[inverse(f)]];
            assert_eq!(there.count_ones(), back.count_ones(), "form {f}");
        }
    }

    #[test]
    fn brightness_and_contrast_change_no_sign_and_a_window_is_the_picture_cut_out() {
        let plain = hashes(&coefficients(scene))[0];
        assert_eq!(
            hashes(&coefficients(|x, y| 0.6 * scene(x, y) + 30.0))[0],
            plain
        );
        let (axis, other) = (Axis::new(0.0, 0.9), Axis::new(0.1, 1.0));
        let cut = hashes(&other.across(&axis.down(&picture(scene))))[0];
        let drawn = hashes(&coefficients(|x, y| scene(0.9 * x + 0.1, 0.9 * y - 0.1)))[0];
        assert!(
            (cut ^ drawn).count_ones() <= 4,
            "{}",
            (cut ^ drawn).count_ones()
        );
    }
}
