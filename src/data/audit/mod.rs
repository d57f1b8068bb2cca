//! The leak audit: which images of a data set are the same picture.
//!
//! [`Fingerprint::of`] looks at each row of a pack while it is made; [`find`] compares all of them. Three likenesses:
//! the same bytes, the same pixels at the size of the pack, and nearly the same picture ([`crate::record::Likeness`]).
mod align;
mod coefficients;
mod fingerprint;
mod index;
mod near;
#[cfg(test)]
mod tests;
mod variant;

use std::collections::HashMap;

pub use fingerprint::Fingerprint;

use crate::{
    digest::Digest,
    error::Result,
    record::{Likeness, LookAlikes, Pair},
    stop::Stop,
};

/// All look-alikes among images, given by their rows (`None` for one that has none) and by the digests of their files, in the
/// order of `images.json`. The same answer whatever the number of threads.
///
/// An image that equals others is paired with the first of them; near pairs are between first ones.
/// [`LookAlikes::neighbours`] puts this together.
///
/// # Errors
/// When a stop was requested.
pub fn find(
    fingerprints: &[Option<Fingerprint>],
    sources: &[Digest],
    stop: &Stop,
) -> Result<LookAlikes> {
    let mut pairs = Vec::new();
    let equal = |a: usize, b: usize, likeness| Pair {
        a: a as u32,
        b: b as u32,
        likeness,
        correlation: 1.0,
    };
    let mut files: HashMap<&Digest, usize> = HashMap::new();
    let mut rows: HashMap<&Digest, usize> = HashMap::new();
    // The first image of each row: only these are searched.
    let mut first = Vec::new();
    let mut same_file = vec![None; fingerprints.len()];
    for (i, fingerprint) in fingerprints.iter().enumerate() {
        let file = sources
            .get(i)
            .map(|source| *files.entry(source).or_insert(i));
        let row = fingerprint
            .as_ref()
            .map(|f| *rows.entry(&f.pixels).or_insert(i));
        same_file[i] = file;
        match (file, row) {
            (Some(file), _) if file != i => pairs.push(equal(file, i, Likeness::Bytes)),
            (_, Some(row)) if row != i => pairs.push(equal(row, i, Likeness::Pixels)),
            _ => {}
        }
        if row == Some(i) {
            first.push(i);
        }
    }
    let searched: Vec<&Fingerprint> = first
        .iter()
        .filter_map(|i| fingerprints[*i].as_ref())
        .collect();
    for (a, b, correlation) in near::find(&searched, stop)? {
        let (a, b) = (first[a], first[b]);
        // One file with two boxes cut out of it is known as the same file already.
        if same_file[a].is_some() && same_file[a] == same_file[b] {
            continue;
        }
        pairs.push(Pair {
            correlation,
            ..equal(a, b, Likeness::Near)
        });
    }
    pairs.sort_by_key(|pair| (pair.a, pair.b));
    Ok(LookAlikes {
        images: fingerprints.len() as u32,
        pairs,
    })
}
