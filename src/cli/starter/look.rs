//! A look at the photographs themselves: which of them preprocess could not use, and how large they are.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::{
    data::{FirstLook, Found, Listing},
    error::{Error, Result},
    text::{and_more, count, first_lines, number, shown},
};

/// Of so many photographs every one is decoded: seconds on two cores. Of more, JPEGs are taken by their headers and ends.
const DECODED: usize = 1_000;

/// So many are looked at; of more these, spread evenly: gigabytes are read for them.
const LOOKED_AT: usize = 5_000;

/// Files that are named where they are left out.
const NAMED: usize = 3;

/// What the look found.
pub(super) struct Looked<'a> {
    /// All but those that cannot be used.
    pub(super) photographs: Vec<&'a Found>,
    /// The smallest, the median and the largest of the shorter sides in pixels.
    pub(super) sides: (u32, u32, u32),
    pub(super) unusable: Unusable,
}

/// Files that are no usable photographs.
#[derive(Default)]
pub(in crate::cli) struct Unusable {
    /// How many of those that were looked at.
    pub count: usize,
    /// How many were looked at.
    looked: usize,
    /// The first few, by their names in the data set.
    first: Vec<String>,
}

impl Unusable {
    fn put(&mut self, name: &str, why: &str) -> String {
        let told = format!("`{}`: {}", shown(name), shown(why));
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(told.clone());
        }
        told
    }

    /// "2 of 25 files cannot be used", with the first few; nothing where all can. `usable` are all the others.
    pub(in crate::cli) fn told(&self, usable: usize) -> Option<(String, String)> {
        let of = match self.looked == self.count + usable {
            true => count(self.looked, "file"),
            false => format!("{} that were looked at", count(self.looked, "file")),
        };
        let said = format!("{} of {of} cannot be used", number(self.count as u64));
        let more = self.count - self.first.len();
        let more = (more > 0).then(|| and_more(more as u64));
        let first: Vec<_> = self.first.iter().cloned().chain(more).collect();
        (self.count > 0).then(|| (said, first.join("; ")))
    }
}

/// Looks at the photographs of a data set as preprocess will.
///
/// # Errors
/// When none can be used, or none of a class.
pub(super) fn look(listing: &Listing) -> Result<Looked<'_>> {
    let images = &listing.images;
    let chosen = spread(images.len(), LOOKED_AT);
    let decode_all = images.len() <= DECODED;
    let looked = chosen.par_iter().map_init(
        || FirstLook::new(decode_all),
        |look, &i| look.shorter_side(&images[i].place),
    );
    let looked: Vec<_> = looked.collect();
    let mut sides = Vec::with_capacity(chosen.len());
    let mut unusable = Unusable {
        looked: chosen.len(),
        ..Unusable::default()
    };
    let mut left_out = BTreeMap::new();
    for (&i, looked) in chosen.iter().zip(looked) {
        match looked {
            Ok(side) => sides.push(side),
            Err(why) => {
                let told = unusable.put(&images[i].name, &why.to_string());
                left_out.insert(i, told);
            }
        }
    }
    sides.sort_unstable();
    let (Some(first), Some(last)) = (sides.first(), sides.last()) else {
        let message = format!(
            "none of {} is a photograph that can be used:{}",
            count(chosen.len(), "file"),
            first_lines(&unusable.first, NAMED)
        );
        let help = "name a folder of class folders with photographs in them";
        return Err(Error::failed(message).help(help));
    };
    let kept = (0..images.len()).filter(|i| !left_out.contains_key(i));
    let photographs: Vec<&Found> = kept.map(|i| &images[i]).collect();
    let classes: BTreeSet<&str> = photographs.iter().map(|p| p.class.as_str()).collect();
    let mut lost = left_out.iter().map(|(i, told)| (&images[*i].class, told));
    if let Some((class, told)) = lost.find(|(class, _)| !classes.contains(class.as_str())) {
        let message = format!(
            "no photograph of the class `{}` can be used, such as {told}",
            shown(class)
        );
        return Err(Error::failed(message).help("repair its files, or move the class elsewhere"));
    }
    Ok(Looked {
        photographs,
        sides: (*first, sides[sides.len() / 2], *last),
        unusable,
    })
}

/// The places of at most so many things, spread evenly; of fewer all.
fn spread(n: usize, most: usize) -> Vec<usize> {
    let some = n.min(most);
    (0..some).map(|i| i * n / some).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_than_are_looked_at_some_are_spread_evenly_and_that_is_said() {
        assert_eq!(spread(3, 5), [0, 1, 2]);
        assert_eq!(spread(10, 5), [0, 2, 4, 6, 8]);
        let mut unusable = Unusable {
            looked: 5,
            ..Unusable::default()
        };
        assert_eq!(unusable.told(4), None);
        unusable.put("train/a/1.jpg", "empty file");
        let told = |usable| unusable.told(usable).unwrap().0;
        assert_eq!(told(4), "1 of 5 files cannot be used");
        assert_eq!(told(9), "1 of 5 files that were looked at cannot be used");
    }
}
