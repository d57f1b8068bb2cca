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
    let mut seen = Seen::new(original, &map);
    let mut best = seen.measure(copy)?;
    if best.whole < least {
        return None;
    }
    let mut map = map;
    for _ in 0..STEPS {
        let Some(next) = seen.step(copy, &map) else {
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
        seen = Seen::new(original, &map);
        let Some(found) = seen.measure(copy) else {
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

/// A picture through a map, with its slopes; all 0 where nothing is shown.
struct Seen {
    value: Picture,
    slopes: [Picture; 2],
    /// 1 where something is shown.
    shown: Picture,
}

/// Cells of a picture with a border of one cell around it.
const WIDE: usize = SIDE + 2;
type Bordered = [[f32; WIDE]; WIDE];

impl Seen {
    fn new(original: &Picture, map: &Map) -> Self {
        let mut seen = Self {
            value: [0.0; SIDE * SIDE],
            slopes: [[0.0; SIDE * SIDE]; 2],
            shown: [0.0; SIDE * SIDE],
        };
        for i in 0..SIDE * SIDE {
            let (x, y) = (point(i % SIDE), point(i / SIDE));
            let at_x = cell(map[0] + map[1] * x + map[2] * y);
            let at_y = cell(map[3] + map[4] * x + map[5] * y);
            if let Some([value, dx, dy]) = sample(original, at_x, at_y) {
                seen.value[i] = value;
                seen.slopes[0][i] = dx;
                seen.slopes[1][i] = dy;
                seen.shown[i] = 1.0;
            }
        }
        seen
    }

    fn cells(&self) -> impl Iterator<Item = usize> {
        (0..SIDE * SIDE).filter(|i| self.shown[*i] > 0.0)
    }

    /// One Gauss-Newton step of the map.
    fn step(&self, copy: &Picture, map: &Map) -> Option<Map> {
        let (gain, offset) = self.tone(copy);
        const N: usize = 8;
        let mut normal = [[0.0_f32; N]; N];
        let mut right = [0.0_f32; N];
        // Slopes are per cell, the map is in halves of the picture.
        let half = gain * (SIDE as f32 / 2.0);
        for i in self.cells() {
            let (value, dx, dy) = (
                self.value[i],
                self.slopes[0][i] * half,
                self.slopes[1][i] * half,
            );
            let (x, y) = (point(i % SIDE) as f32, point(i / SIDE) as f32);
            let slopes = [dx, dx * x, dx * y, dy, dy * x, dy * y, value, 1.0];
            let error = copy[i] - (gain * value + offset);
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

    /// Contrast and brightness that bring what is seen nearest to `copy`.
    fn tone(&self, copy: &Picture) -> (f32, f32) {
        let mut sums = Sums::default();
        for i in self.cells() {
            sums.add(self.value[i], copy[i]);
        }
        let gain = sums.covariance() / sums.variance_a().max(1e-6);
        let offset = sums.b / sums.n - gain * sums.a / sums.n;
        (gain as f32, offset as f32)
    }

    /// Both correlations; `None` where too little is shown by both.
    fn measure(&self, copy: &Picture) -> Option<Agreement> {
        if (self.cells().count() as f64) < SHOWN * (SIDE * SIDE) as f64 {
            return None;
        }
        let masked = std::array::from_fn(|i| copy[i] * self.shown[i]);
        let count = around(&self.shown);
        let mut details = [around(&self.value), around(&masked)];
        for (details, of) in details.iter_mut().zip([&self.value, copy]) {
            for ((detail, value), count) in details.iter_mut().zip(of).zip(&count) {
                *detail = squashed(value - *detail / count.max(1.0));
            }
        }
        let (mut whole, mut detail) = (Sums::default(), Sums::default());
        for i in self.cells() {
            whole.add(self.value[i], copy[i]);
            detail.add(details[0][i], details[1][i]);
        }
        Some(Agreement {
            whole: whole.correlation(),
            detail: detail.correlation(),
        })
    }
}

/// The sums of a cell and its up to eight neighbours.
fn around(picture: &Picture) -> Picture {
    let mut wide: Bordered = [[0.0; WIDE]; WIDE];
    for (wide, row) in wide[1..].iter_mut().zip(picture.as_chunks::<SIDE>().0) {
        wide[1..=SIDE].copy_from_slice(row);
    }
    let mut sums = [0.0; SIDE * SIDE];
    for (rows, sums) in wide.windows(3).zip(sums.as_chunks_mut::<SIDE>().0) {
        for row in rows {
            for shift in 0..3 {
                for (sum, value) in sums.iter_mut().zip(&row[shift..]) {
                    *sum += value;
                }
            }
        }
    }
    sums
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
