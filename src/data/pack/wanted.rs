//! The rows of a pack by what they are made of: those that are equal are made once.

use crate::{data::equal::equals, digest::Digest, error::Result};

/// What asks for the making of a row: of a million rows they lie on the disk.
type Making<'a> = dyn Fn(usize) -> Result<Digest> + 'a;

/// The first image of each making, found by the making's digest.
pub(super) struct Wanted<'a> {
    making: &'a Making<'a>,
    rows: usize,
    /// By their digests, each with what it leads with.
    first: Vec<(u64, u32)>,
}

impl<'a> Wanted<'a> {
    /// Of the makings of all rows, each given by what its digest leads with, and as a whole; with every other image, in order, and the
    /// first one that it is equal to.
    ///
    /// # Errors
    /// Those of `making`.
    pub(super) fn of(leading: Vec<u64>, making: &'a Making<'a>) -> Result<(Self, Vec<(u32, u32)>)> {
        let rows = leading.len();
        let (mut first, mut repeats) = (Vec::with_capacity(rows), Vec::new());
        let leading = leading.into_iter().zip(0..).collect();
        equals(leading, making, |number, images| {
            first.push((number, images[0]));
            repeats.extend(images[1..].iter().map(|i| (*i, images[0])));
        })?;
        repeats.sort_unstable();
        let wanted = Self {
            making,
            rows,
            first,
        };
        Ok((wanted, repeats))
    }

    /// How many rows the pack has.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// How many of them differ.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// The first image of a making.
    ///
    /// # Errors
    /// When the makings of rows cannot be read.
    pub(super) fn get(&self, making: &Digest) -> Result<Option<usize>> {
        let wanted = making.leading();
        let from = self.first.partition_point(|(number, _)| *number < wanted);
        for (number, i) in &self.first[from..] {
            if *number != wanted {
                break;
            }
            if (self.making)(*i as usize)? == *making {
                return Ok(Some(*i as usize));
            }
        }
        Ok(None)
    }

    /// The first images of all makings, in the order of the images.
    pub(super) fn firsts(&self) -> Vec<u32> {
        let mut firsts: Vec<u32> = self.first.iter().map(|(_, i)| *i).collect();
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
        let making = |i: usize| Ok(made_of[i]);
        let (wanted, repeats) =
            Wanted::of(made_of.iter().map(Digest::leading).collect(), &making).unwrap();
        assert_eq!(repeats, [(2, 0), (4, 1), (5, 0)]);
        assert_eq!(wanted.firsts(), [0, 1, 3]);
        let found = [1, 2, 3, 4].map(|i| wanted.get(&Digest::of(&[i])).unwrap());
        assert_eq!(found, [Some(1), Some(3), Some(0), None]);
    }

    #[test]
    fn makings_that_begin_alike_are_told_apart() {
        let made_of = [5, 6, 5]
            .map(|last| Digest([[1; 31].as_slice(), &[last]].concat().try_into().unwrap()));
        let making = |i: usize| Ok(made_of[i]);
        let (wanted, repeats) =
            Wanted::of(made_of.iter().map(Digest::leading).collect(), &making).unwrap();
        assert_eq!(repeats, [(2, 0)]);
        let found = made_of.map(|made_of| wanted.get(&made_of).unwrap());
        assert_eq!(found, [Some(0), Some(1), Some(0)]);
        assert_eq!(wanted.get(&Digest([1; 32])).unwrap(), None);
    }
}
