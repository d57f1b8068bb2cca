//! The order of an epoch, and the rows of a batch.

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::Pack;
use crate::{
    error::Result,
    seed::{Seed, stream},
};

/// The numbers `0..n` in the shuffled order of one epoch; depends on nothing else.
#[must_use]
pub fn epoch_order(seed: Seed, epoch: u32, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut stream(seed, "shuffle", &[u64::from(epoch)]));
    order
}

/// Copies rows of a pack one behind the other; JPEG rows are decoded.
///
/// # Errors
/// When a JPEG row is damaged.
///
/// # Panics
/// When `out` is not `rows.len()` rows long or a row is not in the pack: a mistake of the caller, not of its data.
pub fn gather(pack: &Pack, rows: &[usize], out: &mut [u8]) -> Result<()> {
    assert_eq!(out.len(), rows.len() * pack.row_bytes(), "length of `out`");
    out.par_chunks_exact_mut(pack.row_bytes())
        .zip(rows)
        .try_for_each(|(to, row)| pack.read(*row, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_everything_once_in_an_order_of_its_own() {
        let (first, second) = (epoch_order(1, 1, 100), epoch_order(1, 2, 100));
        assert_ne!(first, second);
        assert_eq!(first, epoch_order(1, 1, 100));
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}
