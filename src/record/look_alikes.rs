//! `look_alikes.json` of a preprocess stage: which images are the same picture.

mod columns;

use serde::{Deserialize, Serialize};

use self::columns::Written;

/// The pairs that were found, whatever their parts and classes. An image that equals others is paired with the first of them
/// alone, and near pairs are between such first ones; [`LookAlikes::nearest`] and [`LookAlikes::families`] see through that.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct LookAlikes {
    /// The number of images that were compared.
    pub images: u32,
    /// Sorted by `a`, then `b`.
    pub pairs: Vec<Pair>,
}

/// Two images that look alike; `a` is smaller than `b`, both are places in `images.json`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Pair {
    /// The first.
    pub a: u32,
    /// The second.
    pub b: u32,
    /// How far they are the same.
    pub likeness: Likeness,
    /// Correlation of the detail of both pictures after the one is laid onto the other, from -1 to 1; 1 for equal ones.
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
    /// For each image, the image of a set that it looks like most (the first of several) and how far; never itself. Equal ones
    /// of a near one are near too; what is near only through a third image is not.
    #[must_use]
    pub fn nearest(&self, set: impl Fn(usize) -> bool) -> Vec<Option<(u32, Likeness)>> {
        let files = self.roots(|pair| pair.likeness == Likeness::Bytes);
        let equals = self.roots(|pair| pair.likeness != Likeness::Near);
        // The first two of the set in each group of equals: an image may be one of them itself.
        let mut of_set: Vec<Vec<u32>> = vec![Vec::new(); equals.len()];
        let mut of_file: Vec<Vec<u32>> = vec![Vec::new(); equals.len()];
        for image in (0..equals.len()).filter(|image| set(*image)) {
            for firsts in [&mut of_set[equals[image]], &mut of_file[files[image]]] {
                if firsts.len() < 2 {
                    firsts.push(image as u32);
                }
            }
        }
        let mut near: Vec<Option<u32>> = vec![None; equals.len()];
        for pair in self.known().filter(|p| p.likeness == Likeness::Near) {
            let (a, b) = (equals[pair.a as usize], equals[pair.b as usize]);
            for (one, other) in [(a, b), (b, a)] {
                let first = of_set[other].first().copied();
                near[one] = [near[one], first].into_iter().flatten().min();
            }
        }
        let other = |firsts: &[u32], image: usize| {
            let mut firsts = firsts.iter().copied();
            firsts.find(|first| *first as usize != image)
        };
        (0..equals.len())
            .map(|image| {
                let root = equals[image];
                let bytes = other(&of_file[files[image]], image).map(|i| (i, Likeness::Bytes));
                let pixels = || other(&of_set[root], image).map(|i| (i, Likeness::Pixels));
                let near = || near[root].map(|i| (i, Likeness::Near));
                bytes.or_else(pixels).or_else(near)
            })
            .collect()
    }

    /// The families: images joined by pairs, directly or through others, each of two or more, ascending. `keep` says which
    /// pairs count.
    #[must_use]
    pub fn families(&self, keep: impl Fn(&Pair) -> bool) -> Vec<Vec<usize>> {
        let roots = self.roots(keep);
        let mut families: Vec<Vec<usize>> = vec![Vec::new(); roots.len()];
        for (image, root) in roots.into_iter().enumerate() {
            families[root].push(image);
        }
        families.retain(|family| family.len() > 1);
        families
    }

    /// The pairs of images that there are: a damaged record is no reason to panic.
    fn known(&self) -> impl Iterator<Item = &Pair> {
        self.pairs
            .iter()
            .filter(|pair| pair.a.max(pair.b) < self.images)
    }

    /// For each image the first one that it is joined with.
    fn roots(&self, keep: impl Fn(&Pair) -> bool) -> Vec<usize> {
        let mut parent: Vec<usize> = (0..self.images as usize).collect();
        fn root(parent: &mut [usize], mut at: usize) -> usize {
            while parent[at] != at {
                parent[at] = parent[parent[at]];
                at = parent[at];
            }
            at
        }
        for pair in self.known().filter(|pair| keep(pair)) {
            let (a, b) = (pair.a as usize, pair.b as usize);
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent[a.max(b)] = a.min(b);
        }
        (0..parent.len()).map(|i| root(&mut parent, i)).collect()
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

    #[test]
    fn the_nearest_of_a_set_is_found_through_equals_and_is_never_the_image_itself() {
        let pair = |a, b, likeness| Pair {
            a,
            b,
            likeness,
            correlation: 1.0,
        };
        let (bytes, pixels, near) = (Likeness::Bytes, Likeness::Pixels, Likeness::Near);
        // 0, 3 and 5 are one file, 4 has the same pixels; 1 is near them, and 2 is near 1 alone.
        let found = LookAlikes {
            images: 7,
            pairs: vec![
                pair(0, 1, near),
                pair(0, 3, bytes),
                pair(0, 4, pixels),
                pair(0, 5, bytes),
                pair(1, 2, near),
            ],
        };
        let nearest = found.nearest(|image| image >= 4);
        let expected = [
            Some((5, bytes)),
            Some((4, near)),
            None,
            Some((5, bytes)),
            Some((5, pixels)),
            Some((4, pixels)),
            None,
        ];
        assert_eq!(nearest, expected);
    }
}
