//! Which of many digests are equal, in little memory: they lie on a disk, and a quarter of each is sorted.

use rayon::prelude::*;

use crate::{digest::Digest, error::Result};

/// Tells the places of each digest, in the order of digests, places ascending: once for each digest. `leading` has the places that have
/// one with [`Digest::leading`] of it, in any order; the few that lead alike are asked for once more, by `whole`.
///
/// # Errors
/// Those of `whole`.
pub(super) fn equals(
    mut leading: Vec<(u64, u32)>,
    whole: impl Fn(usize) -> Result<Digest>,
    mut tell: impl FnMut(u64, &[u32]),
) -> Result<()> {
    leading.par_sort_unstable();
    for alike in leading.chunk_by(|a, b| a.0 == b.0) {
        if let [(number, place)] = alike {
            tell(*number, &[*place]);
            continue;
        }
        let digests = alike.iter().map(|(_, i)| Ok((whole(*i as usize)?, *i)));
        let mut digests = digests.collect::<Result<Vec<_>>>()?;
        digests.sort_unstable();
        for equal in digests.chunk_by(|a, b| a.0 == b.0) {
            let places: Vec<u32> = equal.iter().map(|(_, i)| *i).collect();
            tell(alike[0].0, &places);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_that_lead_alike_are_told_apart() {
        let digest = |first: u8, last: u8| {
            let mut digest = [first; 32];
            digest[31] = last;
            Digest(digest)
        };
        let digests = [
            digest(9, 1),
            digest(2, 7),
            digest(2, 5),
            digest(2, 7),
            digest(1, 1),
        ];
        let leading = digests.iter().map(Digest::leading).zip(0..).collect();
        let mut told = Vec::new();
        equals(
            leading,
            |i| Ok(digests[i]),
            |_, places| told.push(places.to_vec()),
        )
        .unwrap();
        assert_eq!(told, [vec![4], vec![2], vec![1, 3], vec![0]]);
    }
}
