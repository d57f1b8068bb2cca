//! The search of many hashes at once: what is asked is sorted as the index is, and both are gone through side by side.
//!
//! A lookup of its own for each value of each question waits for memory some five thousand times an image. Sorted by value, the
//! questions of a thousand images meet each part of the index once, one after the other, as databases join tables.

use std::ops::Range;

use super::index::{BANDS, BLOCK, Band, Block, Index, MASKS, VALUES, band, masks};
use crate::{error::Result, native::Vectorised, stop::Stop};

/// How many values are looked at between two looks for a stop.
const PATIENCE: usize = 1 << 10;

/// What is asked of one image: as many hashes as there are radii, each with the bits that it may differ in, at most 11.
pub(super) struct Questions<'a> {
    /// Those of all images, one image after the other.
    pub(super) hashes: &'a [u64],
    pub(super) radii: &'a [u32],
    /// Hashes that are compared for one image; a value that goes beyond it ends the question.
    pub(super) budget: usize,
}

/// A hash that is near enough.
pub(super) struct Near {
    /// Of the question among [`Questions::hashes`].
    pub(super) question: usize,
    /// Of the hash in the index.
    pub(super) place: u32,
    /// Bits that differ.
    pub(super) distance: u32,
}

/// Tells every hash that is near enough to a question; one may be told up to four times, and in any order.
///
/// # Errors
/// When a stop was requested, or where the index cannot be read.
pub(super) fn join(
    index: &Index,
    asked: &Questions<'_>,
    stop: &Stop,
    mut tell: impl FnMut(Near),
) -> Result<()> {
    let masks: Vec<Vec<u16>> = (0..3).map(masks).collect();
    let limits = limits(index, asked, &masks);
    let mut sorted = Sorted::default();
    for (number, of_band) in index.bands().iter().enumerate() {
        stop.check()?;
        let looks = Looks {
            of_band,
            number,
            asked,
            masks: &masks,
            limits: limits.as_deref(),
        };
        sorted.fill(&looks);
        let mut part = Part {
            index,
            number,
            which: 0..0,
            hashes: Block::default(),
            places: Block::default(),
            has_places: false,
        };
        join_band(&mut part, &sorted, asked, stop, &mut tell)?;
    }
    Ok(())
}

/// The masks of a question.
fn masks_of<'m>(masks: &'m [Vec<u16>], asked: &Questions<'_>, question: usize) -> &'m [u16] {
    let radius = asked.radii[question % asked.radii.len()];
    &masks[(radius as usize / BANDS).min(2)]
}

/// How many values of each band a question may look at, where the budget of an image may not reach for all.
fn limits(index: &Index, asked: &Questions<'_>, masks: &[Vec<u16>]) -> Option<Vec<u8>> {
    let bands = index.bands();
    let most = |band: &Band| {
        let counts = band
            .starts
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as usize);
        counts.max().unwrap_or(0)
    };
    let looks: usize = (0..asked.radii.len())
        .map(|q| masks_of(masks, asked, q).len())
        .sum();
    if looks * bands.iter().map(most).sum::<usize>() <= asked.budget {
        return None;
    }
    let mut limits = vec![0_u8; BANDS * asked.hashes.len()];
    let mut left = asked.budget;
    for (question, hash) in asked.hashes.iter().enumerate() {
        if question % asked.radii.len() == 0 {
            left = asked.budget;
        }
        let limits = &mut limits[BANDS * question..][..BANDS];
        'question: for (number, of_band) in bands.iter().enumerate() {
            let value = band(*hash, number);
            for mask in masks_of(masks, asked, question) {
                if !of_band.has(value ^ mask) {
                    continue;
                }
                match left.checked_sub(of_band.count(value ^ mask)) {
                    Some(rest) => left = rest,
                    None => break 'question,
                }
                limits[number] += 1;
            }
        }
    }
    Some(limits)
}

/// The questions by the values of a band that they look at: those that look at `v` lie from `starts[v]` to `starts[v + 1]`.
#[derive(Default)]
struct Sorted {
    /// Before they are sorted.
    looks: Vec<(u16, u32)>,
    starts: Vec<u32>,
    questions: Vec<u32>,
}

impl Sorted {
    fn fill(&mut self, looks: &Looks<'_>) {
        let Self {
            looks: all,
            starts,
            questions,
        } = self;
        // Two places further on, so that each has moved to where the next begins when all are in their places.
        starts.clear();
        starts.resize(VALUES + 2, 0);
        all.clear();
        looks.tell(|value, question| {
            starts[usize::from(value) + 2] += 1;
            all.push((value, question));
        });
        for value in 2..starts.len() {
            starts[value] += starts[value - 1];
        }
        questions.resize(all.len(), 0);
        for (value, question) in all {
            let slot = &mut starts[usize::from(*value) + 1];
            questions[*slot as usize] = *question;
            *slot += 1;
        }
    }

    fn of(&self, value: usize) -> &[u32] {
        &self.questions[self.starts[value] as usize..self.starts[value + 1] as usize]
    }
}

/// The values of a band that questions look at.
struct Looks<'a> {
    of_band: &'a Band,
    number: usize,
    asked: &'a Questions<'a>,
    masks: &'a [Vec<u16>],
    limits: Option<&'a [u8]>,
}

impl Looks<'_> {
    /// Tells each, with its question.
    fn tell(&self, mut tell: impl FnMut(u16, u32)) {
        for (question, hash) in self.asked.hashes.iter().enumerate() {
            let value = band(*hash, self.number);
            // Which values have hashes is asked of all first, without a branch that depends on the answer.
            let mut hits = [0_u16; MASKS];
            let mut count = 0;
            for mask in masks_of(self.masks, self.asked, question) {
                hits[count] = value ^ mask;
                count += usize::from(self.of_band.has(value ^ mask));
            }
            let limit = |limits: &[u8]| usize::from(limits[BANDS * question + self.number]);
            let most = self.limits.map_or(count, limit);
            for value in &hits[..count.min(most)] {
                tell(*value, question as u32);
            }
        }
    }
}

/// A part of one band of an index, and room for the next.
struct Part<'a> {
    index: &'a Index,
    number: usize,
    which: Range<usize>,
    hashes: Block,
    /// Few parts have something that is near enough: read where it is asked for.
    places: Block,
    has_places: bool,
}

impl Part<'_> {
    /// Goes on to the part that begins at an entry, where that lies behind this one.
    fn reach(&mut self, entry: usize) -> Result<()> {
        if entry >= self.which.end {
            self.which = entry..self.index.count().min(entry + BLOCK);
            self.index
                .read_hashes(self.number, self.which.clone(), &mut self.hashes)?;
            self.has_places = false;
        }
        Ok(())
    }

    fn hashes(&self, entries: Range<usize>) -> &[u64] {
        let from = self.which.start;
        &self.hashes.hashes()[entries.start - from..entries.end - from]
    }

    fn places(&mut self, entries: Range<usize>) -> Result<&[u32]> {
        if !self.has_places {
            self.index
                .read_places(self.number, self.which.clone(), &mut self.places)?;
            self.has_places = true;
        }
        let from = self.which.start;
        Ok(&self.places.places()[entries.start - from..entries.end - from])
    }
}

/// One band, a part of the index at a time.
fn join_band(
    part: &mut Part<'_>,
    sorted: &Sorted,
    asked: &Questions<'_>,
    stop: &Stop,
    tell: &mut impl FnMut(Near),
) -> Result<()> {
    let band = &part.index.bands()[part.number];
    let mut found = Vec::new();
    for (i, value) in band.values().enumerate() {
        if i % PATIENCE == 0 {
            stop.check()?;
        }
        let mut left = band.starts[value] as usize..band.starts[value + 1] as usize;
        while !left.is_empty() && !sorted.of(value).is_empty() {
            part.reach(left.start)?;
            let entries = left.start..left.end.min(part.which.end);
            left.start = entries.end;
            let mut questions = sorted.of(value);
            while !questions.is_empty() {
                let compared = Compared {
                    hashes: part.hashes(entries.clone()),
                    asked,
                    questions,
                    found: &mut found,
                };
                questions = compared.vectorised();
                if found.is_empty() {
                    continue;
                }
                let places = part.places(entries.clone())?;
                for (question, at, distance) in found.drain(..) {
                    tell(Near {
                        question: question as usize,
                        place: places[at as usize],
                        distance,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Questions beside the hashes of one value.
struct Compared<'a, 'q> {
    hashes: &'a [u64],
    asked: &'a Questions<'a>,
    questions: &'q [u32],
    /// Takes a question, the place among the hashes, and the bits that differ.
    found: &'a mut Vec<(u32, u32, u32)>,
}

/// Hashes that are compared without a branch.
const SIDE_BY_SIDE: usize = 8;
/// What is found from which on the rest of the questions waits.
const FULL: usize = 1 << 12;

impl<'q> Vectorised for Compared<'_, 'q> {
    /// The questions that are left.
    type Output = &'q [u32];

    #[inline(always)]
    fn run(self) -> &'q [u32] {
        let Self {
            hashes,
            asked,
            mut questions,
            found,
        } = self;
        while let Some((question, left)) = questions.split_first() {
            let hash = asked.hashes[*question as usize];
            let radius = asked.radii[*question as usize % asked.radii.len()];
            let (eights, rest) = hashes.as_chunks::<SIDE_BY_SIDE>();
            for (i, eight) in eights.iter().enumerate() {
                let mut distances = [0_u32; SIDE_BY_SIDE];
                let mut least = u32::MAX;
                for (distance, other) in distances.iter_mut().zip(eight) {
                    *distance = (other ^ hash).count_ones();
                    least = least.min(*distance);
                }
                if least <= radius {
                    for (j, distance) in distances.into_iter().enumerate() {
                        if distance <= radius {
                            found.push((*question, (SIDE_BY_SIDE * i + j) as u32, distance));
                        }
                    }
                }
            }
            for (i, other) in (SIDE_BY_SIDE * eights.len()..).zip(rest) {
                let distance = (other ^ hash).count_ones();
                if distance <= radius {
                    found.push((*question, i as u32, distance));
                }
            }
            questions = left;
            if found.len() >= FULL {
                break;
            }
        }
        questions
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::RngExt;

    use super::*;
    use crate::{data::audit::index::Unsorted, files::Scratch, seed::stream};

    /// 400 hashes at random, 400 others that differ from them in up to 13 bits, and as many again that are all alike.
    fn hashes() -> Vec<u64> {
        let mut rng = stream(1, "index", &[]);
        let mut hashes: Vec<u64> = (0..400).map(|_| rng.random()).collect();
        for i in 0..400 {
            let mut near = hashes[i];
            for _ in 0..rng.random_range(0..14) {
                near ^= 1 << rng.random_range(0..64);
            }
            hashes.push(near);
        }
        let first = hashes[0];
        hashes.extend((0..400).map(|i| first ^ (1 << (i % 64))));
        hashes
    }

    fn index(hashes: &[u64]) -> Index {
        let folder = tempfile::tempdir().unwrap();
        let mut unsorted = Unsorted::new(Scratch::create(folder.path()).unwrap());
        hashes
            .chunks(7)
            .for_each(|some| unsorted.push(some).unwrap());
        unsorted.sorted().unwrap()
    }

    fn found(index: &Index, asked: &Questions<'_>) -> BTreeSet<(usize, u32, u32)> {
        let mut found = BTreeSet::new();
        let tell = |near: Near| {
            found.insert((near.question, near.place, near.distance));
        };
        join(index, asked, &Stop::default(), tell).unwrap();
        found
    }

    #[test]
    fn it_finds_what_comparing_all_pairs_finds() {
        let hashes = hashes();
        let index = index(&hashes);
        let radii = [0, 3, 5, 7, 8, 11];
        let asked = Questions {
            hashes: &hashes[..600],
            radii: &radii,
            budget: usize::MAX,
        };
        let mut all = BTreeSet::new();
        for (question, hash) in asked.hashes.iter().enumerate() {
            for (place, other) in (0..).zip(&hashes) {
                let distance = (hash ^ other).count_ones();
                if distance <= radii[question % radii.len()] {
                    all.insert((question, place, distance));
                }
            }
        }
        assert_eq!(found(&index, &asked), all);
    }

    #[test]
    fn a_budget_holds_for_an_image_whatever_is_asked_beside_it() {
        let hashes = hashes();
        let index = index(&hashes);
        let of = |hashes: &[u64], budget| {
            let asked = Questions {
                hashes,
                radii: &[11, 7],
                budget,
            };
            found(&index, &asked)
        };
        let alike = &hashes[800..];
        let (all, bounded) = (of(alike, usize::MAX), of(alike, 500));
        assert!(bounded.is_subset(&all) && bounded.len() < all.len());
        let mut alone = BTreeSet::new();
        for (i, image) in alike.chunks(2).enumerate() {
            let moved = of(image, 500)
                .into_iter()
                .map(|(q, place, distance)| (2 * i + q, place, distance));
            alone.extend(moved);
        }
        assert_eq!(bounded, alone);
    }
}
