//! Which images an epoch of training shows, and in which order.

use std::collections::HashMap;

use rand::seq::SliceRandom;

use crate::{
    data::epoch_order,
    seed::{Seed, stream},
    settings::{Sampling, Training},
};

/// One image of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shown {
    /// Its row in the pack.
    pub(crate) row: usize,
    /// How often the epoch's order has it before.
    pub(crate) repeat: u32,
}

/// The images of epoch `epoch` (from 1), as many as the training part has. `rows` are those of the training part and `class`
/// tells what a row shows.
///
/// `repeated_augmentation = r` takes a part 1 / r of the draws, and shows each r times: together in a batch, where r divides its
/// size, and never beside itself, for that is whom an image is mixed with. (torchvision's `RASampler` spreads the repeats over
/// the processes of a step.)
pub(crate) fn order(
    training: &Training,
    epoch: u32,
    rows: &[usize],
    class: impl Fn(usize) -> i64,
) -> Vec<Shown> {
    let (seed, times) = (training.seed, training.repeated_augmentation.get() as usize);
    let draws = rows.len().div_ceil(times);
    let drawn: Vec<usize> = match training.sampling {
        Sampling::Shuffle => rows.to_vec(),
        Sampling::Balanced => balanced(seed, epoch, draws, rows, class),
    };
    let shuffled = epoch_order(seed, epoch, drawn.len());
    let distinct = shuffled.into_iter().map(|place| drawn[place]).take(draws);
    let distinct: Vec<usize> = distinct.collect();
    let together = (training.batch_size.get() as usize / times).max(1);
    let all = distinct
        .chunks(together)
        .flat_map(|chunk| (0..times).flat_map(move |_| chunk.iter().copied()));
    let mut seen = HashMap::new();
    all.take(rows.len())
        .map(|row| {
            let count: &mut u32 = seen.entry(row).or_default();
            let repeat = *count;
            *count += 1;
            Shown { row, repeat }
        })
        .collect()
}

/// So many rows, each class equally often: which classes come once more than others is drawn by epoch.
fn balanced(
    seed: Seed,
    epoch: u32,
    draws: usize,
    rows: &[usize],
    class: impl Fn(usize) -> i64,
) -> Vec<usize> {
    let epoch = u64::from(epoch);
    let mut classes: Vec<(i64, Vec<usize>)> = Vec::new();
    let mut sorted: Vec<(i64, usize)> = rows.iter().map(|row| (class(*row), *row)).collect();
    sorted.sort_unstable();
    for (class, row) in sorted {
        match classes.last_mut() {
            Some((last, members)) if *last == class => members.push(row),
            _ => classes.push((class, vec![row])),
        }
    }
    classes.shuffle(&mut stream(seed, "balance", &[epoch]));
    let (each, more) = (draws / classes.len().max(1), draws % classes.len().max(1));
    let mut drawn = Vec::with_capacity(draws);
    for (place, (class, mut members)) in classes.into_iter().enumerate() {
        let mut left = each + usize::from(place < more);
        for round in 0.. {
            if left == 0 {
                break;
            }
            let position = [epoch, class as u64, round];
            members.shuffle(&mut stream(seed, "balance", &position));
            let taken = left.min(members.len());
            drawn.extend_from_slice(&members[..taken]);
            left -= taken;
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::{Value, json};

    use super::*;

    fn training(given: &Value) -> Training {
        Training::plain(given)
    }

    /// Nine images of class 0, two of class 1 and one of class 2.
    fn class(row: usize) -> i64 {
        match row {
            0..9 => 0,
            9..11 => 1,
            _ => 2,
        }
    }

    fn shown(given: &Value, epoch: u32) -> Vec<Shown> {
        let rows: Vec<usize> = (0..12).collect();
        order(&training(given), epoch, &rows, class)
    }

    #[test]
    fn a_shuffle_shows_each_image_once() {
        let all = shown(&json!({}), 1);
        assert!(all.iter().all(|s| s.repeat == 0));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 12);
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn a_balanced_epoch_shows_each_class_equally_often_and_an_image_again_only_when_its_class_is_used_up()
     {
        let settings = json!({ "sampling": "balanced" });
        let all = shown(&settings, 1);
        for label in 0..3 {
            let of: Vec<_> = all.iter().filter(|s| class(s.row) == label).collect();
            assert_eq!(of.len(), 4, "class {label}");
        }
        let most = |label| {
            let of = all.iter().filter(|s| class(s.row) == label);
            of.map(|s| s.repeat).max().unwrap()
        };
        assert_eq!([most(0), most(1), most(2)], [0, 1, 3]);
        assert_eq!(all, shown(&settings, 1));
        assert_ne!(all, shown(&settings, 2));
    }

    #[test]
    fn draws_that_do_not_divide_go_to_other_classes_in_other_epochs() {
        let rows: Vec<usize> = (0..11).collect();
        let training = training(&json!({ "sampling": "balanced" }));
        let mut fewer = HashSet::new();
        for epoch in 1..20 {
            let all = order(&training, epoch, &rows, |row| (row % 2) as i64);
            let ones = all.iter().filter(|s| s.row % 2 == 1).count();
            assert!([5, 6].contains(&ones) && all.len() == 11);
            fewer.insert(ones);
        }
        assert_eq!(fewer.len(), 2);
    }

    #[test]
    fn repeated_augmentation_shows_a_third_of_the_images_three_times_in_a_batch() {
        let all = shown(&json!({ "repeated_augmentation": 3, "batch_size": 6 }), 1);
        assert_eq!(all.len(), 12);
        for batch in all.chunks(6) {
            let images: HashSet<_> = batch.iter().map(|s| s.row).collect();
            assert_eq!(images.len(), 2);
            for row in images {
                let of = batch.iter().filter(|s| s.row == row);
                assert_eq!(of.map(|s| s.repeat).collect::<Vec<_>>(), [0, 1, 2]);
            }
            assert!(batch.windows(2).all(|pair| pair[0].row != pair[1].row));
        }
        let images: HashSet<_> = all.iter().map(|s| s.row).collect();
        assert_eq!(images.len(), 4);
    }
}
