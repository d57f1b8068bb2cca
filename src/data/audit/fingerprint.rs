//! What is remembered of an image for the audit.

use crate::{digest::Digest, native::Vectorised};

/// The side of a thumbnail.
pub(super) const SIDE: usize = 32;

/// A row's digest and a small grey picture of it: about 1 KB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the row's pixels.
    pub(super) pixels: Digest,
    /// Luma, [`SIDE`] x [`SIDE`], each the mean of what it covers.
    pub(super) thumbnail: Box<[u8; SIDE * SIDE]>,
}

impl Fingerprint {
    /// Of a row of u8 pixels, height x width x (red, green, blue).
    ///
    /// A row of another length than its sides say is taken as empty below or cut off.
    #[must_use]
    pub fn of(pixels: &[u8], width: usize, height: usize) -> Self {
        Self::with_digest(pixels, Digest::of(pixels), width, height)
    }

    /// As [`Fingerprint::of`], where the digest of the pixels is known.
    #[must_use]
    pub fn with_digest(pixels: &[u8], digest: Digest, width: usize, height: usize) -> Self {
        Self {
            pixels: digest,
            thumbnail: Box::new(
                Thumbnail {
                    pixels,
                    width,
                    height,
                }
                .vectorised(),
            ),
        }
    }

    /// Of a picture that is like no other: two pictures, each shifted round its borders by so many cells, laid over each other.
    /// What benchmarks fill large sets with.
    #[must_use]
    pub fn mixed(&self, other: &Self, shifts: [usize; 2]) -> Self {
        let at = |picture: &Self, i: usize, shift| picture.thumbnail[(i + shift) % (SIDE * SIDE)];
        let mix = |i| {
            let (a, b) = (at(self, i, shifts[0]), at(other, i, shifts[1]));
            (u16::from(a).midpoint(u16::from(b))) as u8
        };
        let thumbnail: [u8; SIDE * SIDE] = std::array::from_fn(mix);
        Self {
            pixels: Digest::of(&thumbnail),
            thumbnail: Box::new(thumbnail),
        }
    }
}

/// Rows whose values have a sum of 16 bits.
const FEW: usize = 257;

/// The pixels from which a cell of the thumbnail takes its mean: at least one.
fn covered(cell: usize, pixels: usize) -> std::ops::Range<usize> {
    let from = cell * pixels / SIDE;
    let to = ((cell + 1) * pixels / SIDE).max(from + 1);
    from..to.min(pixels.max(1))
}

/// The making of a thumbnail.
struct Thumbnail<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
}

impl Vectorised for Thumbnail<'_> {
    type Output = [u8; SIDE * SIDE];

    #[inline(always)]
    fn run(self) -> Self::Output {
        thumbnail(self.pixels, self.width, self.height)
    }
}

#[inline(always)]
fn thumbnail(pixels: &[u8], width: usize, height: usize) -> [u8; SIDE * SIDE] {
    let mut small = [0; SIDE * SIDE];
    let line = 3 * width;
    if line == 0 || height == 0 {
        return small;
    }
    // Sums down the columns first: long loops over neighbours, which the compiler turns into wide additions.
    let mut sums = vec![0_u32; line];
    let mut few = vec![0_u16; line];
    let mut lumas = vec![0_u32; width];
    for (y, cells) in small.chunks_exact_mut(SIDE).enumerate() {
        let rows = covered(y, height);
        sums.fill(0);
        let (from, to) = (line * rows.start, line * rows.end);
        let covered_rows = &pixels[from.min(pixels.len())..to.min(pixels.len())];
        for few_rows in covered_rows.chunks(FEW * line) {
            few.fill(0);
            for row in few_rows.chunks_exact(line) {
                for (sum, value) in few.iter_mut().zip(row) {
                    *sum = sum.wrapping_add(u16::from(*value));
                }
            }
            for (sum, value) in sums.iter_mut().zip(&few) {
                *sum = sum.wrapping_add(u32::from(*value));
            }
        }
        // Rec. 601 luma in 256ths.
        for (luma, [r, g, b]) in lumas.iter_mut().zip(sums.as_chunks::<3>().0) {
            let (r, g, b) = (r.wrapping_mul(77), g.wrapping_mul(150), b.wrapping_mul(29));
            *luma = r.wrapping_add(g).wrapping_add(b);
        }
        for (x, cell) in cells.iter_mut().enumerate() {
            let columns = covered(x, width);
            let count = (rows.len() * columns.len()) as u64;
            let mut luma = 0_u64;
            for value in &lumas[columns] {
                luma = luma.wrapping_add(u64::from(*value));
            }
            *cell = (luma / (256 * count)) as u8;
        }
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_mean_of_what_it_covers_at_any_size() {
        for (width, height) in [(224, 224), (100, 37), (5, 3), (1, 1)] {
            let pixels: Vec<u8> = (0..width * height).flat_map(|_| [90, 90, 90]).collect();
            let found = Fingerprint::of(&pixels, width, height);
            assert!(found.thumbnail.iter().all(|v| *v == 90), "{width}x{height}");
        }
        let halves: Vec<u8> = (0..64 * 64)
            .flat_map(|i| [if i % 64 < 32 { 0 } else { 255 }; 3])
            .collect();
        let found = Fingerprint::of(&halves, 64, 64);
        assert_eq!((found.thumbnail[15], found.thumbnail[16]), (0, 255));
    }

    #[test]
    fn nothing_and_too_little_are_no_reason_to_panic() {
        for (pixels, width, height) in [(0, 0, 0), (0, 4, 4), (5, 4, 4), (3, 0, 9)] {
            let _ = Fingerprint::of(&vec![1; pixels], width, height);
        }
    }
}
