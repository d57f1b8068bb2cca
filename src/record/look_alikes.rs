//! `look_alikes.json` of a preprocess stage: which images are the same picture.

use serde::{Deserialize, Serialize};

/// All pairs that were found, whatever their parts and classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LookAlikes {
    /// The number of images that were compared.
    pub images: u32,
    /// Sorted by `a`, then `b`.
    pub pairs: Vec<Pair>,
}

/// Two images that look alike; `a` is smaller than `b`, both are places in `images.json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The first.
    pub a: u32,
    /// The second.
    pub b: u32,
    /// How far they are the same.
    pub likeness: Likeness,
    /// Correlation of both pictures after the one is turned onto the other, from -1 to 1; 1 for equal ones.
    pub correlation: f32,
}

/// How far two images are the same, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The same bytes.
    Bytes,
    /// The same pixels at the size of the pack.
    Pixels,
    /// Nearly the same picture: recompressed, resized, cropped, turned, mirrored, brighter or darker.
    Near,
}

impl LookAlikes {
    /// The families: images joined by pairs, directly or through others, each of two or more, ascending. `keep` says which
    /// pairs count.
    #[must_use]
    pub fn families(&self, keep: impl Fn(&Pair) -> bool) -> Vec<Vec<usize>> {
        let mut parent: Vec<usize> = (0..self.images as usize).collect();
        fn root(parent: &mut [usize], mut at: usize) -> usize {
            while parent[at] != at {
                parent[at] = parent[parent[at]];
                at = parent[at];
            }
            at
        }
        for pair in self.pairs.iter().filter(|pair| keep(pair)) {
            let (a, b) = (pair.a as usize, pair.b as usize);
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent[a.max(b)] = a.min(b);
        }
        let mut families: Vec<Vec<usize>> = vec![Vec::new(); parent.len()];
        for image in 0..parent.len() {
            let root = root(&mut parent, image);
            families[root].push(image);
        }
        families.retain(|family| family.len() > 1);
        families
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_joined_through_others() {
        let pair = |a, b| Pair {
            a,
            b,
            likeness: Likeness::Near,
            correlation: 0.9,
        };
        let found = LookAlikes {
            images: 7,
            pairs: vec![pair(0, 4), pair(2, 6), pair(4, 5)],
        };
        assert_eq!(found.families(|_| true), [vec![0, 4, 5], vec![2, 6]]);
        assert_eq!(found.families(|p| p.a > 0), [vec![2, 6], vec![4, 5]]);
    }
}
