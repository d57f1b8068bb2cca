//! Channel mean and standard deviation over rows of a pack, from exact integer sums.

use rayon::prelude::*;

use super::Pack;
use crate::{
    error::{Error, Result},
    settings::MeanStd,
};

/// Sums of values and of squares, a channel each: exact, so the order of adding does not matter.
#[derive(Clone, Copy, Default)]
struct Sums {
    values: [u64; 3],
    squares: [u64; 3],
}

impl Sums {
    fn of_row(row: &[u8]) -> Self {
        let mut sums = Self::default();
        for pixel in row.chunks_exact(3) {
            for (channel, value) in pixel.iter().enumerate() {
                let value = u64::from(*value);
                sums.values[channel] += value;
                sums.squares[channel] += value * value;
            }
        }
        sums
    }

    fn plus(mut self, other: Self) -> Self {
        for channel in 0..3 {
            self.values[channel] += other.values[channel];
            self.squares[channel] += other.squares[channel];
        }
        self
    }
}

impl Pack {
    /// The mean and the population standard deviation of each channel over the pixels of these rows, values from 0 to 1.
    ///
    /// Dropped rows do not count. A channel without variation gets a standard deviation of 1, since it is divided by; no
    /// rows give the identity.
    ///
    /// # Errors
    /// When a JPEG row is damaged.
    pub fn mean_std(&self, rows: &[usize]) -> Result<MeanStd> {
        let rows: Vec<_> = rows.iter().filter(|row| !self.is_dropped(**row)).collect();
        let n = (rows.len() * self.width() * self.height()) as u128;
        if n == 0 {
            return Ok(MeanStd::IDENTITY);
        }
        let sums = rows
            .par_iter()
            .map(|row| Ok::<_, Error>(Sums::of_row(&self.row(**row)?)))
            .try_reduce(Sums::default, |a, b| Ok(a.plus(b)))?;
        let scale = 255.0 * n as f64;
        let mean = sums.values.map(|sum| sum as f64 / scale);
        let std = std::array::from_fn(|c| {
            let (sum, squares) = (u128::from(sums.values[c]), u128::from(sums.squares[c]));
            match n * squares - sum * sum {
                0 => 1.0,
                spread => (spread as f64).sqrt() / scale,
            }
        });
        Ok(MeanStd { mean, std })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Pack, PackWriter};
    use crate::{digest::Digest, settings::Storage};

    #[test]
    fn the_mean_and_the_spread_are_those_of_the_given_rows_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        let writer =
            PackWriter::create(&path, 1, 1, Storage::Raw, vec![Digest::of(b""); 4]).unwrap();
        for (i, row) in [[0, 51, 7], [255, 51, 7], [9, 9, 9]].iter().enumerate() {
            writer.write(i, row).unwrap();
        }
        writer.drop_row(3).unwrap();
        writer.finish().unwrap();
        let found = Pack::open(&path).unwrap().mean_std(&[0, 1, 3]).unwrap();
        assert_eq!(found.mean, [0.5, 0.2, 7.0 / 255.0]);
        assert_eq!(found.std, [0.5, 1.0, 1.0]);
    }
}
