//! A closer look at a row, where its fingerprint is like another one's.

use super::picture::{Picture, black};

/// The side of a closer look.
pub(super) const CLOSE: usize = 64;

/// Four times as many cells: asked for where two fingerprints are alike. Empty for a row that has no more to show.
pub struct CloserLook(pub(super) Option<Box<Picture<CLOSE>>>);

impl CloserLook {
    /// Of a row, u8 in height x width x (red, green, blue).
    #[must_use]
    pub fn of(pixels: &[u8], width: usize, height: usize) -> Self {
        let enough = width.min(height) >= CLOSE && pixels.len() == 3 * width * height;
        Self(enough.then(|| close(pixels, width, height)))
    }
}

/// Each cell the mean of exactly what it covers, parts of pixels too: where a cell lies matters here.
fn close(pixels: &[u8], width: usize, height: usize) -> Box<Picture<CLOSE>> {
    let (across, down) = (shares(width), shares(height));
    let mut picture = black();
    let mut line = vec![0.0_f32; width];
    for (cells, rows) in picture.iter_mut().zip(&down) {
        line.fill(0.0);
        for (y, share) in rows {
            let row = pixels[3 * width * y..][..3 * width].as_chunks::<3>().0;
            for (sum, [r, g, b]) in line.iter_mut().zip(row) {
                *sum +=
                    share * (0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b));
            }
        }
        for (cell, columns) in cells.iter_mut().zip(&across) {
            *cell = columns.iter().map(|(x, share)| share * line[*x]).sum();
        }
    }
    picture
}

/// The pixels of one axis that each cell covers, with their shares of it.
fn shares(pixels: usize) -> Vec<Vec<(usize, f32)>> {
    let scale = pixels as f64 / CLOSE as f64;
    let of = |cell: usize| {
        let (from, to) = (cell as f64 * scale, (cell as f64 + 1.0) * scale);
        let share = |x: usize| (to.min(x as f64 + 1.0) - from.max(x as f64)) / scale;
        let covered = from as usize..(to.ceil() as usize).min(pixels);
        covered.map(|x| (x, share(x).max(0.0) as f32)).collect()
    };
    (0..CLOSE).map(of).collect()
}
