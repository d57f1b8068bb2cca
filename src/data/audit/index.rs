//! Hashes by the values of their bands, on the disk: where an exact search within a Hamming distance looks.
//!
//! The 64 bits are cut into four bands of 16. Two hashes that differ in at most 4 r + 3 bits differ in at most r bits of some
//! band (the pigeonhole principle; multi-index hashing, Norouzi, Punjani and Fleet, 2012), so looking up each band with up to r
//! bits changed finds all of them.
//!
//! Of a million images these are eight million hashes, four times. They lie in a file, sorted by the value of each band; in
//! memory is how many there are of each value, which is a megabyte whatever the number of images.

use std::ops::Range;

use crate::{
    error::{Error, Result},
    files::Scratch,
};

pub(super) const BANDS: usize = 4;
const WIDTH: usize = 16;
/// Differences of a value that have up to two bits.
pub(super) const MASKS: usize = 1 + WIDTH + WIDTH * (WIDTH - 1) / 2;
/// Values of a band.
pub(super) const VALUES: usize = 1 << WIDTH;
/// Hashes that are read or written at a time.
pub(super) const BLOCK: usize = 1 << 15;
/// Hashes that are sorted in memory at a time.
const SORTED: usize = 1 << 20;
/// Bytes of a hash and of its place in the file.
const HASH: usize = 8;
const PLACE: usize = 4;

/// Hashes by band; each is known by its place, in the order in which they were told.
pub(super) struct Index {
    scratch: Scratch,
    count: usize,
    bands: Vec<Band>,
}

/// One band: those hashes whose band has value `v` lie from `starts[v]` to `starts[v + 1]`.
pub(super) struct Band {
    /// A bit for each value that has hashes: of small sets most have none, and these bits stay in the nearest cache.
    used: Vec<u64>,
    pub(super) starts: Vec<u32>,
}

/// Bit `i` of a hash belongs to band `i % 4`: every band has low and high frequencies.
pub(super) fn band(hash: u64, band: usize) -> u16 {
    // Gathers every fourth bit: the inverse of interleaving.
    let mut x = (hash >> band) & 0x1111_1111_1111_1111;
    x = (x | (x >> 3)) & 0x0303_0303_0303_0303;
    x = (x | (x >> 6)) & 0x000f_000f_000f_000f;
    x = (x | (x >> 12)) & 0x0000_00ff_0000_00ff;
    ((x | (x >> 24)) & 0xffff) as u16
}

/// Differences of a band's value that have up to so many bits, those with fewer first.
pub(super) fn masks(bits: usize) -> Vec<u16> {
    let mut masks = vec![0_u16];
    if bits > 0 {
        masks.extend((0..WIDTH).map(|i| 1 << i));
    }
    if bits > 1 {
        for i in 0..WIDTH {
            masks.extend((0..i).map(|j| (1 << i) | (1 << j)));
        }
    }
    masks
}

impl Band {
    /// Whether there are hashes of this value.
    pub(super) fn has(&self, value: u16) -> bool {
        let value = usize::from(value);
        self.used[value / 64] >> (value % 64) & 1 == 1
    }

    /// All values of which there are hashes, in order.
    pub(super) fn values(&self) -> impl Iterator<Item = usize> {
        let bits = |(i, word): (usize, &u64)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(64 * i + bit)
            })
        };
        self.used.iter().enumerate().flat_map(bits)
    }

    /// How many there are.
    pub(super) fn count(&self, value: u16) -> usize {
        let value = usize::from(value);
        (self.starts[value + 1] - self.starts[value]) as usize
    }
}

/// Takes the hashes before they are sorted.
pub(super) struct Unsorted {
    scratch: Scratch,
    count: usize,
    /// How many there are of each value, a place further on.
    counts: Vec<Vec<u32>>,
    waiting: Vec<u8>,
}

impl Unsorted {
    /// None yet; `scratch` is where they go.
    pub(super) fn new(scratch: Scratch) -> Self {
        Self {
            scratch,
            count: 0,
            counts: vec![vec![0; VALUES + 1]; BANDS],
            waiting: Vec::with_capacity(HASH * BLOCK),
        }
    }

    /// Takes more of them.
    ///
    /// # Errors
    /// Where they cannot be written, or are more than places have numbers.
    pub(super) fn push(&mut self, hashes: &[u64]) -> Result<()> {
        if u32::try_from(self.count + hashes.len()).is_err() {
            return Err(Error::failed(
                "the search for look-alikes takes 536,870,911 photographs, and there are more",
            )
            .help("divide the data set"));
        }
        for hash in hashes {
            for (number, counts) in self.counts.iter_mut().enumerate() {
                counts[usize::from(band(*hash, number)) + 1] += 1;
            }
            self.waiting.extend_from_slice(&hash.to_le_bytes());
        }
        self.count += hashes.len();
        if self.waiting.len() >= HASH * BLOCK {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        let at = HASH * self.count - self.waiting.len();
        self.scratch.write(&self.waiting, at as u64)?;
        self.waiting.clear();
        Ok(())
    }

    /// Sorts them.
    ///
    /// # Errors
    /// Where the file cannot be written or read.
    pub(super) fn sorted(mut self) -> Result<Index> {
        self.write()?;
        let mut bands = Vec::with_capacity(BANDS);
        for mut starts in std::mem::take(&mut self.counts) {
            let mut used = vec![0_u64; VALUES / 64];
            for value in 0..VALUES {
                used[value / 64] |= u64::from(starts[value + 1] > 0) << (value % 64);
                starts[value + 1] += starts[value];
            }
            bands.push(Band { used, starts });
        }
        let index = Index {
            scratch: self.scratch.another()?,
            count: self.count,
            bands,
        };
        for number in 0..BANDS {
            self.sort(number, &index)?;
        }
        Ok(index)
    }

    /// One band of them: as many as there is room for at a time, by one look through all for each such part.
    fn sort(&self, number: usize, index: &Index) -> Result<()> {
        let mut next = index.bands[number].starts.clone();
        let mut block = Block::default();
        for from in (0..self.count).step_by(SORTED) {
            let part = from..self.count.min(from + SORTED);
            let mut hashes = vec![0; HASH * part.len()];
            let mut places = vec![0; PLACE * part.len()];
            for start in (0..self.count).step_by(BLOCK) {
                let end = self.count.min(start + BLOCK);
                block.read_hashes(&self.scratch, (HASH * start) as u64, end - start)?;
                for (place, hash) in (start as u32..).zip(block.hashes()) {
                    let slot = &mut next[usize::from(band(*hash, number))];
                    let at = *slot as usize;
                    // Every look counts all of them; those of other parts are written by other looks.
                    if part.contains(&at) {
                        let at = at - part.start;
                        hashes[HASH * at..][..HASH].copy_from_slice(&hash.to_le_bytes());
                        places[PLACE * at..][..PLACE].copy_from_slice(&place.to_le_bytes());
                    }
                    *slot += 1;
                }
            }
            next.copy_from_slice(&index.bands[number].starts);
            index
                .scratch
                .write(&hashes, index.hash_at(number, part.start))?;
            index
                .scratch
                .write(&places, index.place_at(number, part.start))?;
        }
        Ok(())
    }
}

impl Index {
    /// How many hashes there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many there are of each value, by band.
    pub(super) fn bands(&self) -> &[Band] {
        &self.bands
    }

    fn hash_at(&self, number: usize, at: usize) -> u64 {
        (((HASH + PLACE) * self.count * number) + HASH * at) as u64
    }

    fn place_at(&self, number: usize, at: usize) -> u64 {
        (((HASH + PLACE) * self.count * number) + HASH * self.count + PLACE * at) as u64
    }

    /// Reads some of the hashes of a band.
    pub(super) fn read_hashes(
        &self,
        number: usize,
        which: Range<usize>,
        block: &mut Block,
    ) -> Result<()> {
        let at = self.hash_at(number, which.start);
        block.read_hashes(&self.scratch, at, which.len())
    }

    /// Reads the places of some of the hashes of a band.
    pub(super) fn read_places(
        &self,
        number: usize,
        which: Range<usize>,
        block: &mut Block,
    ) -> Result<()> {
        let at = self.place_at(number, which.start);
        block.read_places(&self.scratch, at, which.len())
    }
}

/// Room for a part of an index, used again for the next.
#[derive(Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    hashes: Vec<u64>,
    places: Vec<u32>,
}

impl Block {
    /// The hashes that were read last.
    pub(super) fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// The places that were read last.
    pub(super) fn places(&self) -> &[u32] {
        &self.places
    }

    fn read_places(&mut self, scratch: &Scratch, at: u64, count: usize) -> Result<()> {
        self.bytes.resize(PLACE * count, 0);
        scratch.read(&mut self.bytes, at)?;
        self.places.clear();
        let read = self.bytes.as_chunks::<PLACE>().0.iter();
        self.places
            .extend(read.map(|bytes| u32::from_le_bytes(*bytes)));
        Ok(())
    }

    fn read_hashes(&mut self, scratch: &Scratch, at: u64, count: usize) -> Result<()> {
        self.bytes.resize(HASH * count, 0);
        scratch.read(&mut self.bytes, at)?;
        self.hashes.clear();
        let read = self.bytes.as_chunks::<HASH>().0.iter();
        self.hashes
            .extend(read.map(|bytes| u64::from_le_bytes(*bytes)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
