//! The rows of a pack by what they are made of: those that are equal are made once.

use rayon::prelude::*;

use crate::digest::Digest;

/// The first image of each making, found by the making's digest.
pub(super) struct Wanted<'a> {
    made_of: &'a [Digest],
    /// By their digests.
    first: Vec<u32>,
}

impl<'a> Wanted<'a> {
    /// Of the makings of all rows; with every other image, in order, and the first one that it is equal to.
    pub(super) fn of(made_of: &'a [Digest]) -> (Self, Vec<(usize, usize)>) {
        let mut order: Vec<u32> = (0..made_of.len() as u32).collect();
        order.par_sort_unstable_by_key(|i| (made_of[*i as usize], *i));
        let mut repeats = Vec::new();
        let mut last = None;
        order.retain(|i| {
            let (i, digest) = (*i as usize, &made_of[*i as usize]);
            match last {
                Some((first, of)) if of == digest => {
                    repeats.push((i, first));
                    false
                }
                _ => {
                    last = Some((i, digest));
                    true
                }
            }
        });
        repeats.sort_unstable();
        let wanted = Self {
            made_of,
            first: order,
        };
        (wanted, repeats)
    }

    /// How many rows the pack has.
    pub(super) fn rows(&self) -> usize {
        self.made_of.len()
    }

    /// How many of them differ.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// The first image of a making.
    pub(super) fn get(&self, making: &Digest) -> Option<usize> {
        let found = (self.first).binary_search_by_key(&making, |i| &self.made_of[*i as usize]);
        Some(self.first[found.ok()?] as usize)
    }

    /// The first images of all makings, in the order of the images.
    pub(super) fn firsts(&self) -> Vec<usize> {
        let mut firsts: Vec<usize> = self.first.iter().map(|i| *i as usize).collect();
        firsts.sort_unstable();
        firsts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_makings_are_wanted_once_and_the_others_repeat_the_first() {
        let made_of: Vec<Digest> = [3, 1, 3, 2, 1, 3].map(|i| Digest::of(&[i])).to_vec();
        let (wanted, repeats) = Wanted::of(&made_of);
        assert_eq!(repeats, [(2, 0), (4, 1), (5, 0)]);
        assert_eq!(wanted.firsts(), [0, 1, 3]);
        let found = [1, 2, 3, 4].map(|i| wanted.get(&Digest::of(&[i])));
        assert_eq!(found, [Some(1), Some(3), Some(0), None]);
    }
}
