//! Whether a candidate is a copy: both pictures are laid onto each other and compared cell by cell.
//!
//! The map is refined by Gauss-Newton steps over all six numbers of an affine map and the two of contrast and brightness (Lucas
//! and Kanade, 1981), then two correlations are taken over what both show: of the pictures, and of their *detail*, the
//! difference from the mean of the neighbourhood. Two dishes on like plates correlate well as pictures, but not in detail.

use super::{
    fingerprint::SIDE,
    variant::{Map, cell, point, sample},
};

const STEPS: usize = 12;
/// How far one number of the map may move in all, in halves of the picture.
const REACH: f64 = 0.16;
/// The share of cells that both pictures must show.
const SHOWN: f64 = 0.6;

/// How well two pictures agree, each from -1 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Agreement {
    /// Of the pictures.
    pub(super) whole: f32,
    /// Of their detail.
    pub(super) detail: f32,
}

type Picture = [f32; SIDE * SIDE];

/// How well `copy` agrees with what `original` shows through a map near `map`; `None` where no such map is found, or they
/// agree too little from the start (`least`).
pub(super) fn agreement(
    original: &Picture,
    copy: &Picture,
    map: Map,
    least: f32,
) -> Option<Agreement> {
    let start = map;
    let mut best = measure(original, copy, &map)?;
    if best.whole < least {
        return None;
    }
    let mut map = map;
    for _ in 0..STEPS {
        let Some(next) = step(original, copy, &map) else {
            break;
        };
        if next.iter().zip(&start).any(|(a, b)| (a - b).abs() > REACH) {
            break;
        }
        let moved = next
            .iter()
            .zip(&map)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        map = next;
        let Some(found) = measure(original, copy, &map) else {
            break;
        };
        if found.detail > best.detail {
            best = found;
        }
        if moved < 1e-3 {
            break;
        }
    }
    Some(best)
}

/// One Gauss-Newton step of the map.
fn step(original: &Picture, copy: &Picture, map: &Map) -> Option<Map> {
    let (gain, offset) = tone(original, copy, map)?;
    const N: usize = 8;
    let mut normal = [[0.0_f32; N]; N];
    let mut right = [0.0_f32; N];
    for (i, wanted) in copy.iter().enumerate() {
        let (x, y) = (point(i % SIDE), point(i / SIDE));
        let Some([value, dx, dy]) = seen(original, map, x, y) else {
            continue;
        };
        // Slopes are per cell, the map is in halves of the picture.
        let half = gain * (SIDE as f32 / 2.0);
        let (dx, dy) = (dx * half, dy * half);
        let (x, y) = (x as f32, y as f32);
        let slopes = [dx, dx * x, dx * y, dy, dy * x, dy * y, value, 1.0];
        let error = wanted - (gain * value + offset);
        for a in 0..N {
            for b in 0..N {
                normal[a][b] += slopes[a] * slopes[b];
            }
            right[a] += slopes[a] * error;
        }
    }
    let normal = normal.map(|row| row.map(f64::from));
    let change = solve(normal, right.map(f64::from))?;
    Some(std::array::from_fn(|i| map[i] + change[i]))
}

/// Contrast and brightness that bring `original` nearest to `copy`.
fn tone(original: &Picture, copy: &Picture, map: &Map) -> Option<(f32, f32)> {
    let mut sums = Sums::default();
    for (i, wanted) in copy.iter().enumerate() {
        if let Some([value, ..]) = seen(original, map, point(i % SIDE), point(i / SIDE)) {
            sums.add(value, *wanted);
        }
    }
    let gain = sums.covariance() / sums.variance_a().max(1e-6);
    Some((
        gain as f32,
        (sums.b / sums.n - gain * sums.a / sums.n) as f32,
    ))
}

fn seen(original: &Picture, map: &Map, x: f64, y: f64) -> Option<[f32; 3]> {
    let at_x = cell(map[0] + map[1] * x + map[2] * y);
    let at_y = cell(map[3] + map[4] * x + map[5] * y);
    sample(original, at_x, at_y)
}

/// Both correlations under a map; `None` where too little is shown by both.
fn measure(original: &Picture, copy: &Picture, map: &Map) -> Option<Agreement> {
    let mut through = [0.0; SIDE * SIDE];
    let mut shown = [false; SIDE * SIDE];
    let mut count = 0;
    for i in 0..SIDE * SIDE {
        if let Some([value, ..]) = seen(original, map, point(i % SIDE), point(i / SIDE)) {
            through[i] = value;
            shown[i] = true;
            count += 1;
        }
    }
    if (count as f64) < SHOWN * (SIDE * SIDE) as f64 {
        return None;
    }
    let (mut whole, mut detail) = (Sums::default(), Sums::default());
    for y in 0..SIDE {
        for x in 0..SIDE {
            let i = y * SIDE + x;
            if !shown[i] {
                continue;
            }
            whole.add(through[i], copy[i]);
            let (mut a, mut b, mut n) = (0.0, 0.0, 0.0_f32);
            for y in y.saturating_sub(1)..(y + 2).min(SIDE) {
                for x in x.saturating_sub(1)..(x + 2).min(SIDE) {
                    let i = y * SIDE + x;
                    if shown[i] {
                        a += through[i];
                        b += copy[i];
                        n += 1.0;
                    }
                }
            }
            detail.add(squashed(through[i] - a / n), squashed(copy[i] - b / n));
        }
    }
    Some(Agreement {
        whole: whole.correlation(),
        detail: detail.correlation(),
    })
}

/// Between -1 and 1: a strong edge, such as that of a plate, counts little more than fine texture.
fn squashed(difference: f32) -> f32 {
    difference / (difference.abs() + 4.0)
}

/// Running sums of two series.
#[derive(Default)]
struct Sums {
    n: f64,
    a: f64,
    b: f64,
    aa: f64,
    bb: f64,
    ab: f64,
}

impl Sums {
    fn add(&mut self, a: f32, b: f32) {
        let (a, b) = (f64::from(a), f64::from(b));
        self.n += 1.0;
        self.a += a;
        self.b += b;
        self.aa += a * a;
        self.bb += b * b;
        self.ab += a * b;
    }

    fn covariance(&self) -> f64 {
        self.ab - self.a * self.b / self.n
    }

    fn variance_a(&self) -> f64 {
        self.aa - self.a * self.a / self.n
    }

    fn correlation(&self) -> f32 {
        let both = self.variance_a() * (self.bb - self.b * self.b / self.n);
        if both > 1e-6 {
            (self.covariance() / both.sqrt()) as f32
        } else {
            0.0
        }
    }
}

/// Gauss elimination with pivots; `None` for a singular matrix.
fn solve<const N: usize>(mut m: [[f64; N]; N], mut v: [f64; N]) -> Option<[f64; N]> {
    for i in 0..N {
        let pivot = (i..N).max_by(|a, b| m[*a][i].abs().total_cmp(&m[*b][i].abs()))?;
        m.swap(i, pivot);
        v.swap(i, pivot);
        if m[i][i].abs() < 1e-9 {
            return None;
        }
        for row in i + 1..N {
            let factor = m[row][i] / m[i][i];
            let above = m[i];
            for (value, above) in m[row].iter_mut().zip(above).skip(i) {
                *value -= factor * above;
            }
            v[row] -= factor * v[i];
        }
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|j| m[i][j] * v[j]).sum();
        v[i] = (v[i] - known) / m[i][i];
    }
    v.iter().all(|value| value.is_finite()).then_some(v)
}
