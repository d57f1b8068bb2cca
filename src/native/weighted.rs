//! Weighted sums of neighbours: one axis of a resize, down a column or along a row.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi16, _mm256_add_epi32, _mm256_castsi128_si256,
    _mm256_castsi256_si128, _mm256_cvtepu8_epi16, _mm256_hadd_epi32, _mm256_inserti128_si256,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_mulhrs_epi16, _mm256_packs_epi32,
    _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_slli_epi16, _mm256_srai_epi32, _mm256_storeu_si256, _mm512_add_epi32,
    _mm512_cvtsepi32_epi16, _mm512_loadu_si512, _mm512_madd_epi16, _mm512_permutex2var_epi16,
    _mm512_set1_epi32, _mm512_srai_epi32,
};

use super::JpegPlane;

/// Bits behind the point of the values: 64 is one step of 255.
pub(super) const VALUE_BITS: u32 = 6;
/// Values that are summed at a time.
const GROUP: usize = 8;
/// Results at a time.
const BLOCK: usize = 8;
/// Bits behind the point of a weight: 16384 is 1.
pub const WEIGHT_BITS: u32 = 14;

/// A product, rounded, of which 15 bits are dropped: one instruction of most processors.
#[inline(always)]
pub(super) fn times(a: i16, b: i16) -> i16 {
    let product = i32::from(a).wrapping_mul(i32::from(b)) >> 14;
    (product.wrapping_add(1) >> 1) as i16
}

/// A sample in units of 1 / 128.
const SAMPLE_BITS: u32 = 7;
/// Columns at a time.
#[cfg(target_arch = "x86_64")]
const COLUMNS: usize = 32;

/// The sums of rows of a plane, from `top` on a row for each weight (in units of 1 / 16384), in units of 1 / 64. They must fit into 16
/// bits.
///
/// # Panics
/// Where the plane has not so many rows, or is not as wide as `out`.
pub fn weighted_rows(plane: &JpegPlane<'_>, top: usize, weights: &[i16], out: &mut [i16]) {
    assert_eq!(out.len(), plane.width(), "columns");
    assert!(top + weights.len() <= plane.height(), "rows");
    #[cfg(target_arch = "x86_64")]
    if out.len() >= COLUMNS && std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has these instructions; rows and columns were compared above.
        unsafe { rows_avx2(plane, top, weights, out) };
        return;
    }
    rows_plain(plane, top, weights, out);
}

fn rows_plain(plane: &JpegPlane<'_>, top: usize, weights: &[i16], out: &mut [i16]) {
    out.fill(0);
    for (y, weight) in (top..).zip(weights) {
        for (sum, value) in out.iter_mut().zip(plane.row(y)) {
            *sum = sum.wrapping_add(times(i16::from(*value) << SAMPLE_BITS, *weight));
        }
    }
}

/// The plane must have these rows and the columns of `out`, of which there is a block at least.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn rows_avx2(plane: &JpegPlane<'_>, top: usize, weights: &[i16], out: &mut [i16]) {
    let last = out.len() - COLUMNS;
    for block in 0..out.len().div_ceil(COLUMNS) {
        // The last one may begin within the one before.
        let x = (block * COLUMNS).min(last);
        let [mut low, mut high] = [_mm256_setzero_si256(); 2];
        for (y, weight) in (top..).zip(weights) {
            let row = plane.row(y).as_ptr();
            let weight = _mm256_set1_epi16(*weight);
            let part = |x: usize| {
                // SAFETY: a block from its beginning on lies within the row.
                let bytes = unsafe { _mm_loadu_si128(row.add(x).cast()) };
                let values = _mm256_cvtepu8_epi16(bytes);
                let values = _mm256_slli_epi16::<{ SAMPLE_BITS as i32 }>(values);
                _mm256_mulhrs_epi16(values, weight)
            };
            low = _mm256_add_epi16(low, part(x));
            high = _mm256_add_epi16(high, part(x.wrapping_add(16)));
        }
        // SAFETY: a block from `x` on lies within `out`.
        unsafe {
            let to = out.as_mut_ptr().add(x);
            _mm256_storeu_si256(to.cast(), low);
            _mm256_storeu_si256(to.add(16).cast(), high);
        }
    }
}

/// For each result, where in a row its values begin, and a weight for each.
#[derive(Clone, Debug)]
pub struct WeightedSums {
    /// Of all results, and of some more up to a whole block.
    starts: Vec<u32>,
    /// Groups of values for each result.
    groups: usize,
    /// By block, group, result 0 to 3, then the weights of that result and of the one four further on.
    weights: Vec<[i16; 2 * GROUP]>,
    /// The length that a row must have.
    needed: usize,
    /// For processors that gather from 64 values at a time, where the results' values lie near enough to each other.
    #[cfg(target_arch = "x86_64")]
    wide: Option<WideSums>,
}

/// Sixteen results at a time from the 64 values around them: for each pair of values, places and weights.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Debug)]
struct WideSums {
    /// Pairs of values for each result.
    pairs: usize,
    /// By block: where its 64 values begin.
    starts: Vec<u32>,
    /// By block and pair: places in the 64 values, and the weights of those.
    places: Vec<[[i16; 32]; 2]>,
}

#[cfg(target_arch = "x86_64")]
const WIDE_BLOCK: usize = 16;
#[cfg(target_arch = "x86_64")]
const WIDE_VALUES: usize = 64;

#[cfg(target_arch = "x86_64")]
impl WideSums {
    /// None where the values of some block are too far from each other.
    fn new(each: &[(usize, Vec<i16>)]) -> Option<Self> {
        let longest = each.iter().map(|(_, weights)| weights.len()).max()?;
        let pairs = longest.div_ceil(2);
        let (mut starts, mut places) = (Vec::new(), Vec::new());
        for block in each.chunks(WIDE_BLOCK) {
            let start = block.iter().map(|(start, _)| *start).min()?;
            starts.push(u32::try_from(start).ok()?);
            for pair in 0..pairs {
                let mut of_pair = [[0; 32]; 2];
                for (i, (first, weights)) in block.iter().enumerate() {
                    for k in 0..2 {
                        let tap = 2 * pair + k;
                        let weight = weights.get(tap).copied().unwrap_or(0);
                        let place = first - start + tap;
                        if weight != 0 && place >= WIDE_VALUES {
                            return None;
                        }
                        of_pair[0][2 * i + k] = (place % WIDE_VALUES) as i16;
                        of_pair[1][2 * i + k] = weight;
                    }
                }
                places.push(of_pair);
            }
        }
        Some(Self {
            pairs,
            starts,
            places,
        })
    }

    /// The length that a row must have.
    fn needed(&self) -> usize {
        self.starts.iter().max().map_or(0, |start| *start as usize) + WIDE_VALUES
    }

    /// `row` must be as long as needed; `out` has the places of all results, rounded up to a multiple of 8.
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn of(&self, row: &[i16], out: &mut [i16]) {
        let half = _mm512_set1_epi32(1 << (WEIGHT_BITS - 1));
        let places = self.places.chunks_exact(self.pairs);
        for ((start, places), out) in self
            .starts
            .iter()
            .zip(places)
            .zip(out.chunks_mut(WIDE_BLOCK))
        {
            // SAFETY: 64 values from each start on, as `needed` was made.
            let [low, high] = unsafe {
                let values = row.as_ptr().add(*start as usize);
                [
                    _mm512_loadu_si512(values.cast()),
                    _mm512_loadu_si512(values.add(32).cast()),
                ]
            };
            let mut sums = half;
            for [places, weights] in places {
                // SAFETY: 32 numbers each.
                let (places, weights) = unsafe {
                    (
                        _mm512_loadu_si512(places.as_ptr().cast()),
                        _mm512_loadu_si512(weights.as_ptr().cast()),
                    )
                };
                let values = _mm512_permutex2var_epi16(low, places, high);
                sums = _mm512_add_epi32(sums, _mm512_madd_epi16(values, weights));
            }
            let sums = _mm512_srai_epi32::<WEIGHT_BITS>(sums);
            let narrow = _mm512_cvtsepi32_epi16(sums);
            // SAFETY: sixteen results, or the eight that are left.
            unsafe {
                if out.len() == WIDE_BLOCK {
                    _mm256_storeu_si256(out.as_mut_ptr().cast(), narrow);
                } else {
                    _mm_storeu_si128(out.as_mut_ptr().cast(), _mm256_castsi256_si128(narrow));
                }
            }
        }
    }
}

impl WeightedSums {
    /// `each` has the first value and the weights of every result, in units of 1 / 16384.
    #[must_use]
    pub fn new(each: &[(usize, Vec<i16>)]) -> Self {
        let longest = each.iter().map(|(_, weights)| weights.len()).max();
        let groups = longest.unwrap_or(0).div_ceil(GROUP).max(1);
        let blocks = each.len().div_ceil(BLOCK);
        let mut starts = vec![0_u32; blocks * BLOCK];
        let mut weights = vec![[0; 2 * GROUP]; blocks * groups * 4];
        let mut needed = GROUP * groups;
        for (i, (start, of_result)) in each.iter().enumerate() {
            starts[i] = u32::try_from(*start).expect("a row has fewer than 2^32 values");
            needed = needed.max(start + GROUP * groups);
            for (k, weight) in of_result.iter().enumerate() {
                let (block, place) = (i / BLOCK, i % BLOCK);
                let (group, at) = (k / GROUP, k % GROUP);
                weights[(block * groups + group) * 4 + place % 4][place / 4 * GROUP + at] = *weight;
            }
        }
        #[cfg(target_arch = "x86_64")]
        let wide = (std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw"))
        .then(|| WideSums::new(each))
        .flatten();
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = &wide {
            needed = needed.max(wide.needed());
        }
        Self {
            starts,
            groups,
            weights,
            needed,
            #[cfg(target_arch = "x86_64")]
            wide,
        }
    }

    /// The length that a row must have at least; what lies behind its own values may be anything.
    #[must_use]
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// The sums of one row, rounded, in the row's units. They must fit into 32 bits before they are.
    ///
    /// # Panics
    /// Where `row` is shorter than [`WeightedSums::needed`], or `out` has not as many places as there are results, rounded up to a
    /// multiple of 8.
    pub fn of(&self, row: &[i16], out: &mut [i16]) {
        assert!(row.len() >= self.needed, "a row is too short");
        assert_eq!(out.len(), self.starts.len(), "places for results");
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = &self.wide {
            // SAFETY: it is there where the processor has these instructions; lengths were compared above.
            unsafe { wide.of(row, out) };
            return;
        } else if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has these instructions; lengths were compared above.
            unsafe { self.avx2(row, out) };
            return;
        }
        self.plain(row, out);
    }

    fn plain(&self, row: &[i16], out: &mut [i16]) {
        for (i, out) in out.iter_mut().enumerate() {
            let (block, place) = (i / BLOCK, i % BLOCK);
            let start = self.starts[i] as usize;
            let mut sum = 1_i32 << (WEIGHT_BITS - 1);
            for (group, values) in row[start..][..GROUP * self.groups]
                .as_chunks::<GROUP>()
                .0
                .iter()
                .enumerate()
            {
                let weights = &self.weights[(block * self.groups + group) * 4 + place % 4];
                for (value, weight) in values.iter().zip(&weights[place / 4 * GROUP..]) {
                    sum = sum.wrapping_add(i32::from(*value) * i32::from(*weight));
                }
            }
            let sum = sum >> WEIGHT_BITS;
            *out = sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
    }

    /// `row` must be as long as `needed`, `out` as `starts`.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn avx2(&self, row: &[i16], out: &mut [i16]) {
        let half = _mm256_set1_epi32(1 << (WEIGHT_BITS - 1));
        let blocks = self.starts.as_chunks::<BLOCK>().0;
        let weights = self.weights.as_chunks::<4>().0;
        let outs = out.as_chunks_mut::<BLOCK>().0;
        for ((starts, weights), out) in blocks
            .iter()
            .zip(weights.chunks_exact(self.groups))
            .zip(outs)
        {
            let [mut a, mut b, mut c, mut d] = [_mm256_setzero_si256(); 4];
            let mut values = row.as_ptr();
            for weights in weights {
                let products = |place: usize| {
                    // SAFETY: each start has `GROUP` values for every group behind it, as `needed` was made; sixteen weights.
                    let (low, high, weights) = unsafe {
                        (
                            _mm_loadu_si128(values.add(starts[place] as usize).cast()),
                            _mm_loadu_si128(values.add(starts[place + 4] as usize).cast()),
                            _mm256_loadu_si256(weights[place].as_ptr().cast()),
                        )
                    };
                    let values = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high);
                    _mm256_madd_epi16(values, weights)
                };
                a = _mm256_add_epi32(a, products(0));
                b = _mm256_add_epi32(b, products(1));
                c = _mm256_add_epi32(c, products(2));
                d = _mm256_add_epi32(d, products(3));
                values = values.wrapping_add(GROUP);
            }
            let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
            let sums = _mm256_srai_epi32::<{ WEIGHT_BITS as i32 }>(_mm256_add_epi32(sums, half));
            let narrow = _mm256_permute4x64_epi64::<0b1000>(_mm256_packs_epi32(sums, sums));
            // SAFETY: eight results.
            unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), _mm256_castsi256_si128(narrow)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::seed::stream;

    #[test]
    fn sums_of_rows_are_the_same_with_and_without_wide_vectors() {
        let mut rng = stream(1, "rows", &[]);
        for width in [1, 31, 32, 33, 200] {
            let samples: Vec<u8> = (0..width * 20).map(|_| rng.random()).collect();
            let plane = JpegPlane::of(&samples, width);
            for weights in [vec![16_384], vec![-900, 9000, 8284], vec![1820; 9]] {
                let (mut fast, mut slow) = (vec![0; width], vec![0; width]);
                weighted_rows(&plane, 7, &weights, &mut fast);
                rows_plain(&plane, 7, &weights, &mut slow);
                assert_eq!(fast, slow);
                for (x, found) in fast.iter().enumerate() {
                    let rows = (7..).zip(&weights);
                    let sum: f64 = rows
                        .map(|(y, w)| f64::from(samples[y * width + x]) * f64::from(*w))
                        .sum();
                    let far = f64::from(*found) / 64.0 - sum / 16_384.0;
                    assert!(far.abs() < 0.1, "{far}");
                }
            }
        }
    }

    #[test]
    fn sums_are_the_same_with_and_without_wide_vectors() {
        let mut rng = stream(1, "weighted", &[]);
        let cases = [(1_usize, 1), (8, 3), (13, 8), (224, 9), (30, 40)];
        for ((results, longest), near) in cases.into_iter().flat_map(|c| [(c, true), (c, false)]) {
            let row: Vec<i16> = (0..500)
                .map(|_| rng.random_range(-20_000..20_000))
                .collect();
            let each: Vec<_> = (0..results)
                .map(|_| {
                    let weights: Vec<i16> = (0..rng.random_range(1..=longest))
                        .map(|_| rng.random_range(-500..800))
                        .collect();
                    (rng.random_range(0..if near { 20 } else { 400 }), weights)
                })
                .collect();
            let sums = WeightedSums::new(&each);
            let places = results.next_multiple_of(8);
            let (mut fast, mut plain) = (vec![0; places], vec![1; places]);
            sums.of(&row, &mut fast);
            sums.plain(&row, &mut plain);
            assert_eq!(fast, plain);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has these instructions, and the lengths are right.
                unsafe { sums.avx2(&row, &mut fast) };
                assert_eq!(fast, plain);
            }
            for (found, (start, weights)) in fast.iter().zip(&each) {
                let values = row[*start..].iter().zip(weights);
                let sum: i64 = values.map(|(v, w)| i64::from(*v) * i64::from(*w)).sum();
                let sum = (sum + (1 << 13)) >> 14;
                assert_eq!(i64::from(*found), sum.clamp(-32_768, 32_767));
            }
        }
    }
}
