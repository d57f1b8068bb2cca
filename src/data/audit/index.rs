//! Exact search of hashes within a Hamming distance, without comparing all pairs.
//!
//! The 64 bits are cut into four bands of 16. Two hashes that differ in at most 4 r + 3 bits differ in at most r bits of some
//! band (the pigeonhole principle; multi-index hashing, Norouzi, Punjani and Fleet, 2012), so looking up each band with up to r
//! bits changed finds all of them.

const BANDS: usize = 4;
const WIDTH: usize = 16;
/// Values of a band with up to two bits set.
const MASKS: usize = 1 + WIDTH + WIDTH * (WIDTH - 1) / 2;

/// Hashes by band.
pub(super) struct Index {
    bands: Vec<Band>,
    /// All values of a band with up to two bits set, those with fewer first.
    masks: Vec<u16>,
}

/// One band: the entries whose band has value `v` lie from `starts[v]` to `starts[v + 1]`.
struct Band {
    /// A bit for each value that has entries: most have none, and the bits of all bands stay in the nearest cache.
    used: Vec<u64>,
    starts: Vec<u32>,
    hashes: Vec<u64>,
    places: Vec<u32>,
}

/// Bit `i` of a hash belongs to band `i % 4`: every band has low and high frequencies.
fn band(hash: u64, band: usize) -> usize {
    // Gathers every fourth bit: the inverse of interleaving.
    let mut x = (hash >> band) & 0x1111_1111_1111_1111;
    x = (x | (x >> 3)) & 0x0303_0303_0303_0303;
    x = (x | (x >> 6)) & 0x000f_000f_000f_000f;
    x = (x | (x >> 12)) & 0x0000_00ff_0000_00ff;
    ((x | (x >> 24)) & 0xffff) as usize
}

impl Index {
    /// Of hashes, each found again by its place.
    pub(super) fn new(hashes: &[u64]) -> Self {
        let bands = (0..BANDS).map(|b| Band::new(hashes, b)).collect();
        let mut masks = vec![0_u16];
        masks.extend((0..WIDTH).map(|i| 1 << i));
        for i in 0..WIDTH {
            masks.extend((0..i).map(|j| (1 << i) | (1 << j)));
        }
        Self { bands, masks }
    }

    /// Tells every place whose hash differs from `hash` in at most `radius` bits, at most 11, with the number of bits; a place
    /// may be told up to four times. Stops after looking at `budget` entries, which it counts down.
    pub(super) fn within(
        &self,
        hash: u64,
        radius: u32,
        budget: &mut usize,
        mut tell: impl FnMut(u32, u32),
    ) {
        let masks = match radius / BANDS as u32 {
            0 => 1,
            1 => 1 + WIDTH,
            _ => self.masks.len(),
        };
        for (b, found) in self.bands.iter().enumerate() {
            // Which values have entries is asked of all first, without a branch that depends on the answer: the lookups behind
            // it then wait for memory side by side, and not one after the other.
            let mut hits = [0_u16; MASKS];
            let mut count = 0;
            let value = band(hash, b) as u16;
            for mask in &self.masks[..masks] {
                let at = usize::from(value ^ mask);
                hits[count] = at as u16;
                count += (found.used[at / 64] >> (at % 64) & 1) as usize;
            }
            for at in &hits[..count] {
                let at = usize::from(*at);
                let (from, to) = (found.starts[at] as usize, found.starts[at + 1] as usize);
                let Some(left) = budget.checked_sub(to - from) else {
                    return;
                };
                *budget = left;
                for (i, other) in found.hashes[from..to].iter().enumerate() {
                    let distance = (other ^ hash).count_ones();
                    if distance <= radius {
                        tell(found.places[from + i], distance);
                    }
                }
            }
        }
    }
}

impl Band {
    fn new(hashes: &[u64], number: usize) -> Self {
        let mut used = vec![0_u64; (1 << WIDTH) / 64];
        let mut starts = vec![0_u32; (1 << WIDTH) + 1];
        for hash in hashes {
            let at = band(*hash, number);
            used[at / 64] |= 1 << (at % 64);
            starts[at + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut sorted = vec![0; hashes.len()];
        let mut places = vec![0; hashes.len()];
        for (place, hash) in (0..).zip(hashes) {
            let slot = &mut next[band(*hash, number)];
            sorted[*slot as usize] = *hash;
            places[*slot as usize] = place;
            *slot += 1;
        }
        Self {
            used,
            starts,
            hashes: sorted,
            places,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::RngExt;

    use super::*;
    use crate::seed::stream;

    #[test]
    fn every_bit_is_in_one_band() {
        for bit in 0..64 {
            let found: Vec<_> = (0..BANDS).map(|b| band(1 << bit, b)).collect();
            let expected: Vec<_> = (0..BANDS)
                .map(|b| if bit % 4 == b { 1 << (bit / 4) } else { 0 })
                .collect();
            assert_eq!(found, expected, "{bit}");
        }
    }

    #[test]
    fn it_finds_what_comparing_all_pairs_finds() {
        let mut rng = stream(1, "index", &[]);
        let mut hashes: Vec<u64> = (0..400).map(|_| rng.random()).collect();
        for i in 0..400 {
            let mut near = hashes[i];
            for _ in 0..rng.random_range(0..14) {
                near ^= 1 << rng.random_range(0..64);
            }
            hashes.push(near);
        }
        let index = Index::new(&hashes);
        for radius in [0, 3, 5, 7, 8, 11] {
            for hash in &hashes[..100] {
                let mut found = BTreeSet::new();
                index.within(*hash, radius, &mut usize::MAX.clone(), |place, distance| {
                    assert_eq!(distance, (hashes[place as usize] ^ hash).count_ones());
                    found.insert(place);
                });
                let all: BTreeSet<u32> = (0..hashes.len() as u32)
                    .filter(|i| (hashes[*i as usize] ^ hash).count_ones() <= radius)
                    .collect();
                assert_eq!(found, all);
            }
        }
    }
}
