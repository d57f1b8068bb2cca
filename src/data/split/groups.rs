//! Images that belong together.

use crate::record::{Labels, Part};

/// Groups of images, joined step by step; at first every image is alone.
#[derive(Clone, Debug)]
pub struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    /// So many images, each alone.
    #[must_use]
    pub fn new(images: usize) -> Self {
        Self {
            parent: (0..images).collect(),
        }
    }

    /// Puts two images into one group, with all that are with either.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        let (first, other) = (a.min(b), a.max(b));
        self.parent[other] = first;
    }

    /// Joins all images of the training part that have the same number; those without one stay alone.
    pub fn join_numbers(&mut self, labels: &Labels, numbers: &[Option<u32>]) {
        let mut first = std::collections::HashMap::new();
        for (image, number) in numbers.iter().enumerate().take(self.parent.len()) {
            if labels.labels[image].part != Part::Train {
                continue;
            }
            if let Some(number) = number {
                let known = *first.entry(*number).or_insert(image);
                self.join(known, image);
            }
        }
    }

    /// The first image of an image's group, which stands for it.
    #[must_use]
    pub fn of(&self, mut image: usize) -> usize {
        while self.parent[image] != image {
            image = self.parent[image];
        }
        image
    }

    /// The groups of the images that are asked for: members ascending, groups by their first member.
    #[must_use]
    pub fn members(&self, wanted: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.parent.len()];
        for image in (0..self.parent.len()).filter(|image| wanted(*image)) {
            members[self.of(image)].push(image);
        }
        members.retain(|group| !group.is_empty());
        members.sort_by_key(|group| group[0]);
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_join_through_others() {
        let mut groups = Groups::new(6);
        groups.join(4, 2);
        groups.join(5, 4);
        groups.join(0, 1);
        assert_eq!(
            groups.members(|_| true),
            [vec![0, 1], vec![2, 4, 5], vec![3]]
        );
        assert_eq!(groups.members(|i| i > 0), [vec![1], vec![2, 4, 5], vec![3]]);
    }
}
