//! Whether two pictures that are laid onto each other are one photograph, or two of one scene.
//!
//! A copy that was cut, turned or compressed lies on its original everywhere once one affine map is found. Between two photographs
//! of one scene the camera moved, so near and far things moved by different amounts: what is left are shifts that vary over the
//! picture. They are measured block by block (Lucas and Kanade, 1981).

use super::{
    align::{Seen, agreement, around, solve},
    picture::Picture,
    variant::Map,
};
use crate::native::Vectorised;

/// Blocks along a side.
const BLOCKS: usize = 8;
/// Blocks that must tell something.
const ENOUGH: usize = 4;
/// The least square of slopes in any direction that a block must have for each of its cells: less is too flat to tell a shift.
const TEXTURE: f64 = 1.0;
/// Grey values that tell something.
const TOLD: std::ops::Range<f32> = 4.0..235.0;

/// The shift, in cells, that three quarters of the blocks stay below after both pictures are laid onto each other, starting from a map
/// that does so roughly; `None` where too little can be told.
pub(super) fn parallax<const S: usize>(
    original: &Picture<S>,
    copy: &Picture<S>,
    map: Map,
) -> Option<f64> {
    let (_, map) = agreement(original, copy, map, 0.0)?;
    let shifts = Shifts {
        original,
        copy,
        map,
    };
    shifts.vectorised()
}

struct Shifts<'a, const S: usize> {
    original: &'a Picture<S>,
    copy: &'a Picture<S>,
    map: Map,
}

impl<const S: usize> Vectorised for Shifts<'_, S> {
    type Output = Option<f64>;

    #[inline(always)]
    fn run(self) -> Option<f64> {
        shifts(self.original, self.copy, &self.map)
    }
}

#[inline(always)]
fn shifts<const S: usize>(original: &Picture<S>, copy: &Picture<S>, map: &Map) -> Option<f64> {
    let seen = Seen::new(original, map);
    // Smoothed twice, so that slopes are those of edges and not of noise or of how a copy was compressed.
    let (there, here) = (smoothed(&seen.value), smoothed(copy));
    // What is black or white may have been cut off, and no contrast and brightness undo that.
    let mut told = seen.shown;
    let values = seen.value.as_flattened().iter().zip(copy.as_flattened());
    for (told, (a, b)) in told.as_flattened_mut().iter_mut().zip(values) {
        if !TOLD.contains(a) || !TOLD.contains(b) {
            *told = 0.0;
        }
    }
    // A spoilt picture has too small slopes, and with those too large shifts: the other one's are right.
    let (from, back) = (among(&there, &here, &told), among(&here, &there, &told));
    from.into_iter().chain(back).min_by(f64::total_cmp)
}

/// The shift that three quarters of the blocks stay below, by the slopes of the first.
#[inline(always)]
fn among<const S: usize>(there: &Picture<S>, here: &Picture<S>, told: &Picture<S>) -> Option<f64> {
    let n = S / BLOCKS;
    let mut found = Vec::with_capacity(BLOCKS * BLOCKS);
    for top in (0..S).step_by(n) {
        for left in (0..S).step_by(n) {
            found.extend(shift(there, here, told, [top, left], n));
        }
    }
    if found.len() < ENOUGH {
        return None;
    }
    found.sort_unstable_by(f64::total_cmp);
    Some(found[found.len() * 3 / 4])
}

/// A mean over neighbours, of a mean over neighbours; too small in the two outermost cells.
#[inline(always)]
fn smoothed<const S: usize>(picture: &Picture<S>) -> Box<Picture<S>> {
    let mut sums = around(&around(picture));
    for value in sums.as_flattened_mut() {
        *value /= 81.0;
    }
    sums
}

/// By how many cells one block is shifted; `None` where that cannot be told. Pictures are smoothed ones.
#[inline(always)]
fn shift<const S: usize>(
    there: &Picture<S>,
    here: &Picture<S>,
    told: &Picture<S>,
    [top, left]: [usize; 2],
    n: usize,
) -> Option<f64> {
    // Near the border, and near what tells nothing, slopes are wrong.
    let (rows, columns) = (
        top.max(3)..(top + n).min(S - 3),
        left.max(3)..(left + n).min(S - 3),
    );
    const N: usize = 4;
    let mut normal = [[0.0_f64; N]; N];
    let mut right = [0.0_f64; N];
    let mut cells = 0;
    for j in rows.clone() {
        for i in columns.clone() {
            if told[j - 3..=j + 3]
                .iter()
                .any(|row| row[i - 3..=i + 3].contains(&0.0))
            {
                continue;
            }
            let value = there[j][i];
            cells += 1;
            // Two shifts, contrast and brightness.
            let slopes = [
                f64::from(there[j][i + 1] - there[j][i - 1]) / 2.0,
                f64::from(there[j + 1][i] - there[j - 1][i]) / 2.0,
                f64::from(value),
                1.0,
            ];
            let error = f64::from(here[j][i] - value);
            for a in 0..N {
                for b in 0..N {
                    normal[a][b] += slopes[a] * slopes[b];
                }
                right[a] += slopes[a] * error;
            }
        }
    }
    if 3 * cells < n * n {
        return None;
    }
    let (xx, yy, xy) = (normal[0][0], normal[1][1], normal[0][1]);
    let least = (xx + yy) / 2.0 - ((xx - yy) / 2.0).hypot(xy);
    if least < TEXTURE * f64::from(cells as u32) {
        return None;
    }
    solve(normal, right).map(|found| found[0].hypot(found[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: usize = 64;
    const AS_IT_IS: Map = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0];

    /// Waves of several lengths, moved by some cells that may differ from place to place.
    fn scene(moved: impl Fn(f64, f64) -> f64) -> Picture<S> {
        std::array::from_fn(|j| {
            std::array::from_fn(|i| {
                let (x, y) = (i as f64 - moved(i as f64, j as f64), j as f64);
                let waves = (0.5 * x + 0.2 * y).sin() + (0.3 * y - 0.4 * x).sin() + (0.7 * y).cos();
                (120.0 + 25.0 * waves) as f32
            })
        })
    }

    #[test]
    fn a_copy_that_was_moved_as_a_whole_has_none() {
        let found = parallax(&scene(|_, _| 0.0), &scene(|_, _| 0.7), AS_IT_IS).unwrap();
        assert!(found < 0.05, "{found}");
    }

    #[test]
    fn what_moved_by_different_amounts_has_some() {
        let bowl = |x: f64, y: f64| {
            if (x - 32.0).hypot(y - 32.0) < 18.0 {
                1.2
            } else {
                0.0
            }
        };
        let found = parallax(&scene(|_, _| 0.0), &scene(bowl), AS_IT_IS).unwrap();
        assert!(found > 0.3, "{found}");
    }

    #[test]
    fn a_flat_picture_tells_nothing() {
        let flat = [[100.0; S]; S];
        assert_eq!(parallax(&flat, &flat, AS_IT_IS), None);
    }
}
