//! In which order classes stand: one for all recipes that are judged on the same classes of a part, so that one can be held against the other.

use std::collections::BTreeMap;

use super::{Group, pooled};
use crate::record::Part;

/// The classes of a part by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// Those that are taken for each other stand beside each other.
    pub by_confusion: Vec<usize>,
    /// The one that is right least often first.
    pub by_recall: Vec<usize>,
}

/// The order for each part and list of classes.
pub(super) struct Orders(BTreeMap<(Part, Vec<String>), Order>);

impl Orders {
    /// For these groups, each judged on one part.
    pub(super) fn of<'a>(judged: impl Iterator<Item = (&'a Group<'a>, Part)>) -> Self {
        let mut sums: BTreeMap<(Part, Vec<String>), Vec<Vec<u64>>> = BTreeMap::new();
        for (group, part) in judged {
            let Some(confusion) = pooled::confusion(&group.part(part)) else {
                continue;
            };
            let classes = group.runs[0].evaluation.classes.clone();
            let sum = sums.entry((part, classes)).or_default();
            match sum.is_empty() {
                true => *sum = confusion,
                false => pooled::add(sum, &confusion),
            }
        }
        let order = |confusion: &Vec<Vec<u64>>| Order {
            by_confusion: by_confusion(confusion),
            by_recall: by_recall(confusion),
        };
        let orders = sums.iter().map(|(of, sum)| (of.clone(), order(sum)));
        Self(orders.collect())
    }

    /// That of a group's classes.
    pub(super) fn get(&self, group: &Group<'_>, part: Part) -> Order {
        let classes = &group.runs[0].evaluation.classes;
        let found = self.0.get(&(part, classes.clone()));
        found.cloned().unwrap_or_default()
    }
}

/// The most confused class first, then each time the one that is most confused with those before it, of which the last count most.
fn by_confusion(confusion: &[Vec<u64>]) -> Vec<usize> {
    let n = confusion.len();
    // Of two classes nothing is to be put beside each other.
    if n < 3 {
        return (0..n).collect();
    }
    let both = |a: usize, b: usize| (confusion[a][b] + confusion[b][a]) as f64;
    let errors = |class: usize| -> f64 {
        let others = (0..n).filter(|other| *other != class);
        others.map(|other| both(class, other)).sum()
    };
    let errors: Vec<f64> = (0..n).map(errors).collect();
    let mut ties = vec![0.0; n];
    let mut left: Vec<usize> = (0..n).collect();
    let mut order = Vec::with_capacity(n);
    while let Some(next) = (left.iter().copied()).max_by(|a, b| {
        (ties[*a], errors[*a], b)
            .partial_cmp(&(ties[*b], errors[*b], a))
            .unwrap_or(std::cmp::Ordering::Equal)
    }) {
        left.retain(|class| *class != next);
        order.push(next);
        for class in &left {
            ties[*class] = ties[*class] * 0.5 + both(next, *class);
        }
    }
    order
}

/// Those without an image last.
fn by_recall(confusion: &[Vec<u64>]) -> Vec<usize> {
    let recall = |class: usize| {
        let images: u64 = confusion[class].iter().sum();
        match images {
            0 => f64::INFINITY,
            _ => confusion[class][class] as f64 / images as f64,
        }
    };
    let mut order: Vec<usize> = (0..confusion.len()).collect();
    order.sort_by(|a, b| recall(*a).total_cmp(&recall(*b)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_are_taken_for_each_other_stand_beside_each_other() {
        let counts = vec![
            vec![9, 0, 0, 1],
            vec![0, 5, 4, 0],
            vec![1, 5, 4, 0],
            vec![2, 0, 0, 8],
        ];
        assert_eq!(by_confusion(&counts), [2, 1, 0, 3]);
        assert_eq!(by_recall(&counts), [2, 1, 3, 0]);
        assert_eq!(by_confusion(&[vec![1, 0], vec![0, 1]]), [0, 1]);
    }
}
