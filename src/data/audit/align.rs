//! Whether a candidate is a copy: both pictures are laid onto each other and compared cell by cell.
//!
//! The map is refined by Gauss-Newton steps over all six numbers of an affine map and the two of contrast and brightness (Lucas
//! and Kanade, 1981), then two correlations are taken over what both show: of the pictures, and of their *detail*, the
//! difference from the mean of the neighbourhood. Two dishes on like plates correlate well as pictures, but not in detail.

use super::{
    picture::{Picture, black, cell, point, sample},
    variant::Map,
};
use crate::native::Vectorised;

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

/// How well `copy` agrees with what `original` shows through a map near `map`, and that map; `None` where no such map is found, or
/// they agree too little from the start (`least`).
pub(super) fn agreement<const S: usize>(
    original: &Picture<S>,
    copy: &Picture<S>,
    map: Map,
    least: f32,
) -> Option<(Agreement, Map)> {
    let laying = Laying {
        original,
        copy,
        map,
        least,
    };
    laying.vectorised()
}

struct Laying<'a, const S: usize> {
    original: &'a Picture<S>,
    copy: &'a Picture<S>,
    map: Map,
    least: f32,
}

impl<const S: usize> Vectorised for Laying<'_, S> {
    type Output = Option<(Agreement, Map)>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        laid_onto(self)
    }
}

#[inline(always)]
fn laid_onto<const S: usize>(laying: Laying<'_, S>) -> Option<(Agreement, Map)> {
    let Laying {
        original,
        copy,
        map,
        least,
    } = laying;
    let start = map;
    let mut seen = Seen::new(original, &map);
    let mut best = (seen.measure(copy)?, map);
    if best.0.whole < least {
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
        if found.detail > best.0.detail {
            best = (found, map);
        }
        if moved < 1e-3 {
            break;
        }
    }
    Some(best)
}

/// A picture through a map, with its slopes; all 0 where nothing is shown.
pub(super) struct Seen<const S: usize> {
    pub(super) value: Box<Picture<S>>,
    slopes: [Box<Picture<S>>; 2],
    /// 1 where something is shown.
    pub(super) shown: Box<Picture<S>>,
}

impl<const S: usize> Seen<S> {
    #[inline(always)]
    pub(super) fn new(original: &Picture<S>, map: &Map) -> Self {
        let mut seen = Self {
            value: black(),
            slopes: [black(), black()],
            shown: black(),
        };
        for j in 0..S {
            for i in 0..S {
                let (x, y) = (point::<S>(i), point::<S>(j));
                let at_x = cell::<S>(map[0] + map[1] * x + map[2] * y);
                let at_y = cell::<S>(map[3] + map[4] * x + map[5] * y);
                if let Some([value, dx, dy]) = sample(original, at_x, at_y) {
                    seen.value[j][i] = value;
                    seen.slopes[0][j][i] = dx;
                    seen.slopes[1][j][i] = dy;
                    seen.shown[j][i] = 1.0;
                }
            }
        }
        seen
    }

    fn cells(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..S)
            .flat_map(|j| (0..S).map(move |i| (j, i)))
            .filter(|(j, i)| self.shown[*j][*i] > 0.0)
    }

    /// One Gauss-Newton step of the map.
    #[inline(always)]
    fn step(&self, copy: &Picture<S>, map: &Map) -> Option<Map> {
        let (gain, offset) = self.tone(copy);
        const N: usize = 8;
        let mut normal = [[0.0_f32; N]; N];
        let mut right = [0.0_f32; N];
        // Slopes are per cell, the map is in halves of the picture.
        let half = gain * (S as f32 / 2.0);
        for (j, i) in self.cells() {
            let (value, dx, dy) = (
                self.value[j][i],
                self.slopes[0][j][i] * half,
                self.slopes[1][j][i] * half,
            );
            let (x, y) = (point::<S>(i) as f32, point::<S>(j) as f32);
            let slopes = [dx, dx * x, dx * y, dy, dy * x, dy * y, value, 1.0];
            let error = copy[j][i] - (gain * value + offset);
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
    #[inline(always)]
    fn tone(&self, copy: &Picture<S>) -> (f32, f32) {
        let mut sums = Sums::default();
        for (j, i) in self.cells() {
            sums.add(self.value[j][i], copy[j][i]);
        }
        let gain = sums.covariance() / sums.variance_a().max(1e-6);
        let offset = sums.b / sums.n - gain * sums.a / sums.n;
        (gain as f32, offset as f32)
    }

    /// Both correlations; `None` where too little is shown by both.
    #[inline(always)]
    fn measure(&self, copy: &Picture<S>) -> Option<Agreement> {
        if (self.cells().count() as f64) < SHOWN * (S * S) as f64 {
            return None;
        }
        let mut masked = black::<S>();
        let of = copy.as_flattened().iter().zip(self.shown.as_flattened());
        for (masked, (value, shown)) in masked.as_flattened_mut().iter_mut().zip(of) {
            *masked = value * shown;
        }
        let count = around(&self.shown);
        let mut details = [around(&self.value), around(&masked)];
        for (details, of) in details.iter_mut().zip([&*self.value, copy]) {
            let of = of.as_flattened().iter().zip(count.as_flattened());
            for (detail, (value, count)) in details.as_flattened_mut().iter_mut().zip(of) {
                *detail = squashed(value - *detail / count.max(1.0));
            }
        }
        let (mut whole, mut detail) = (Sums::default(), Sums::default());
        for (j, i) in self.cells() {
            whole.add(self.value[j][i], copy[j][i]);
            detail.add(details[0][j][i], details[1][j][i]);
        }
        Some(Agreement {
            whole: whole.correlation(),
            detail: detail.correlation(),
        })
    }
}

/// The sums of a cell and its up to eight neighbours.
#[inline(always)]
pub(super) fn around<const S: usize>(picture: &Picture<S>) -> Box<Picture<S>> {
    let mut sums = black::<S>();
    for (j, sums) in sums.iter_mut().enumerate() {
        for row in &picture[j.saturating_sub(1)..(j + 2).min(S)] {
            for (sum, value) in sums[1..].iter_mut().zip(row) {
                *sum += value;
            }
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
            for (sum, value) in sums.iter_mut().zip(&row[1..]) {
                *sum += value;
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
    #[inline(always)]
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
pub(super) fn solve<const N: usize>(mut m: [[f64; N]; N], mut v: [f64; N]) -> Option<[f64; N]> {
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
