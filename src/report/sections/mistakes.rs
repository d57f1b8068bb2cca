//! The photographs that are taken for something else, over all runs of a group.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    record::{Part, PartMetrics},
    report::{
        Block, Cell, Drawing, Group, Guess, Images, Matrix, Photograph, Range, Ranges, Shot,
        judged::{Judged, judged},
        percent,
    },
    stats,
    text::{count, number},
};

/// The most confident ones that are shown.
const SHOWN: usize = 24;

/// Which photographs a page still has room for. One that is there is shown again for nothing.
pub(super) struct Room {
    there: BTreeSet<Photograph>,
    most: usize,
}

impl Room {
    /// For so many.
    pub(super) fn new(most: usize) -> Self {
        let there = BTreeSet::new();
        Self { there, most }
    }

    /// Leaves in cells what there is room for: the first photograph of each, then the second of each, and so on, so that none goes
    /// without because others have many.
    fn share_out(&mut self, cells: &mut [Cell]) {
        let deepest = cells.iter().map(|cell| cell.shots.len()).max();
        for depth in 0..deepest.unwrap_or(0) {
            for cell in &*cells {
                if let Some(shot) = cell.shots.get(depth) {
                    self.holds(&shot.photograph);
                }
            }
        }
        for cell in cells {
            cell.shots
                .retain(|shot| self.there.contains(&shot.photograph));
        }
    }

    fn holds(&mut self, photograph: &Photograph) -> bool {
        self.there.contains(photograph)
            || (self.there.len() < self.most && self.there.insert(photograph.clone()))
    }
}

/// The mistakes of one part: the most confident ones, the confusion matrix with what stands behind each cell, and recall class by class.
pub(super) fn blocks(
    group: &Group<'_>,
    part: Part,
    confusion: &[Vec<u64>],
    images: Images,
    room: &mut Room,
) -> Vec<Block> {
    if images == Images::None {
        return Vec::new();
    }
    let mut seen = judged(group, part);
    seen.sort_by(|a, b| {
        let worst = (b.wrong > 0, b.probability).partial_cmp(&(a.wrong > 0, a.probability));
        worst
            .unwrap_or(std::cmp::Ordering::Equal)
            .then(a.path.cmp(b.path))
    });
    let mut blocks = confident(group, part, &seen, room);
    let heading = format!("Confusion matrix on {}", part.name());
    blocks.push(Block::heading(3, heading));
    blocks.push(Block::Drawn(Drawing::Matrix(matrix(
        group, confusion, &seen, images, room,
    ))));
    blocks.push(Block::Drawn(Drawing::Ranges(recall(group, confusion))));
    blocks
}

fn confident(group: &Group<'_>, part: Part, seen: &[Judged<'_>], room: &mut Room) -> Vec<Block> {
    let wrong: Vec<&Judged<'_>> = seen.iter().filter(|image| image.wrong > 0).collect();
    if wrong.is_empty() {
        return Vec::new();
    }
    let (runs, how) = match group.runs.len() {
        1 => (String::new(), ""),
        n => (
            format!(" by at least one of {n} runs"),
            " How sure is the mean of the runs that guess so.",
        ),
    };
    let shown = wrong.len().min(SHOWN);
    let told = format!(
        "{} of {} {} taken for another class{runs}. The {} of which the model is most sure come first.{how}",
        number(wrong.len() as u64),
        count(seen.len(), "image"),
        if wrong.len() == 1 { "is" } else { "are" },
        shown,
    );
    let shots = wrong.iter().take(SHOWN).map(|image| shot(group, image));
    let shots: Vec<Shot> = shots.filter(|shot| room.holds(&shot.photograph)).collect();
    vec![
        Block::heading(3, format!("Most confident mistakes on {}", part.name())),
        Block::paragraph(told),
        Block::Gallery(shots),
    ]
}

fn shot(group: &Group<'_>, image: &Judged<'_>) -> Shot {
    let sure = format!("{} sure", percent(image.probability));
    let how = match (image.wrong, image.runs) {
        (_, 1) => sure,
        (wrong, runs) => format!("{sure}, wrong in {wrong} of {runs} runs"),
    };
    let guess = match image.wrong {
        0 => image.label.to_owned(),
        _ => format!("{} → {}", image.label, image.guessed),
    };
    Shot {
        photograph: group.runs[0].source.photograph(image.path),
        caption: vec![guess.into(), how.into()],
        guess: (image.wrong > 0).then(|| Guess {
            evaluation: image.by.to_owned(),
            class: image.guessed.to_owned(),
        }),
    }
}

fn matrix(
    group: &Group<'_>,
    confusion: &[Vec<u64>],
    seen: &[Judged<'_>],
    images: Images,
    room: &mut Room,
) -> Matrix {
    let classes = &group.runs[0].evaluation.classes;
    let mut behind: BTreeMap<(&str, &str), Vec<&Judged<'_>>> = BTreeMap::new();
    for image in seen.iter().filter(|s| images == Images::All || s.wrong > 0) {
        behind
            .entry((image.label, image.guessed))
            .or_default()
            .push(image);
    }
    let mut cells = Vec::new();
    for (label, row) in confusion.iter().enumerate() {
        for (predicted, n) in row.iter().enumerate().filter(|(_, n)| **n > 0) {
            let names = (classes[label].as_str(), classes[predicted].as_str());
            let shots = behind.get(&names).into_iter().flatten();
            cells.push(Cell {
                label,
                predicted,
                count: *n,
                shots: shots.map(|image| shot(group, image)).collect(),
            });
        }
    }
    room.share_out(&mut cells);
    Matrix {
        classes: classes.clone(),
        cells,
    }
}

/// Recall with Wilson's interval, the lowest first.
fn recall(group: &Group<'_>, confusion: &[Vec<u64>]) -> Ranges {
    let classes = &group.runs[0].evaluation.classes;
    let rows = classes.iter().zip(confusion).enumerate();
    let range = |(class, (name, row)): (usize, (&String, &Vec<u64>))| {
        let images: u64 = row.iter().sum();
        let interval = stats::wilson(row[class], images);
        (images > 0).then(|| Range {
            name: name.clone(),
            value: row[class] as f64 / images as f64,
            low: interval.low,
            high: interval.high,
            images,
        })
    };
    let mut ranges: Vec<Range> = rows.filter_map(range).collect();
    ranges.sort_by(|a, b| a.value.total_cmp(&b.value));
    Ranges {
        title: "recall".into(),
        ranges,
    }
}

/// Confusion counts added up over runs; `None` without runs or when their classes differ in number.
pub(super) fn pooled(runs: &[&PartMetrics]) -> Option<Vec<Vec<u64>>> {
    let (first, others) = runs.split_first()?;
    let mut sum = first.confusion.clone();
    for run in others {
        if run.confusion.len() != sum.len() {
            return None;
        }
        for (row, more) in sum.iter_mut().zip(&run.confusion) {
            for (count, n) in row.iter_mut().zip(more) {
                *count += n;
            }
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        Results,
        sample::{evaluated, results, rights},
    };

    /// Two runs on 9 images; the second has two more right.
    fn two_runs() -> Results {
        results(vec![
            evaluated("a", &[("seed", "1")], &rights(5, 9)),
            evaluated("a", &[("seed", "2")], &rights(7, 9)),
        ])
    }

    fn found(results: &Results, images: Images) -> Vec<Block> {
        let group = results.groups().remove(0);
        let confusion = pooled(&group.part(Part::Test)).unwrap();
        let mut room = Room::new(800);
        blocks(&group, Part::Test, &confusion, images, &mut room)
    }

    #[test]
    fn mistakes_of_several_runs_are_told_together() {
        let blocks = found(&two_runs(), Images::Errors);
        let Block::Paragraph(told) = &blocks[1] else {
            panic!("{blocks:?}")
        };
        assert_eq!(
            told.in_backticks(),
            "4 of 9 images are taken for another class by at least one of 2 runs. The 4 of which the model is most sure come first. How sure is the mean of the runs that guess so."
        );
        let Block::Gallery(shots) = &blocks[2] else {
            panic!("{blocks:?}")
        };
        let captions: Vec<_> = shots.iter().map(|s| s.caption[1].in_backticks()).collect();
        let (once, twice) = (
            "75.0% sure, wrong in 1 of 2 runs",
            "75.0% sure, wrong in 2 of 2 runs",
        );
        assert_eq!(captions, [once, once, twice, twice]);
    }

    #[test]
    fn where_there_is_little_room_every_cell_has_its_first_photograph() {
        let shot = |path: &str| Shot {
            photograph: Photograph {
                dataset: "dishes".to_owned(),
                data: "pixels".to_owned(),
                path: path.to_owned(),
            },
            caption: Vec::new(),
            guess: None,
        };
        let cell = |predicted, paths: &[&str]| Cell {
            label: 0,
            predicted,
            count: paths.len() as u64,
            shots: paths.iter().map(|path| shot(path)).collect(),
        };
        let mut cells = [cell(1, &["a", "b", "c"]), cell(2, &["d"]), cell(3, &["e"])];
        Room::new(4).share_out(&mut cells);
        let shown: Vec<_> = cells.iter().map(|cell| cell.shots.len()).collect();
        assert_eq!(shown, [2, 1, 1]);
    }

    #[test]
    fn behind_a_cell_stand_its_photographs_and_behind_the_diagonal_only_where_asked() {
        let shots = |images| {
            let blocks = found(&two_runs(), images);
            let matrix = blocks.into_iter().find_map(|block| match block {
                Block::Drawn(Drawing::Matrix(matrix)) => Some(matrix),
                _ => None,
            });
            let cells = matrix.unwrap().cells.into_iter();
            let (right, wrong): (Vec<_>, Vec<_>) = cells.partition(|c| c.label == c.predicted);
            let n = |cells: &[Cell]| cells.iter().map(|c| c.shots.len()).sum::<usize>();
            (n(&right), n(&wrong))
        };
        assert_eq!(shots(Images::Errors), (0, 4));
        assert_eq!(shots(Images::All), (5, 4));
        assert!(found(&two_runs(), Images::None).is_empty());
    }
}
