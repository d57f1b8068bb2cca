//! The photographs that are taken for something else, over all runs of a group.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    record::Part,
    report::{
        Block, Cell, Drawing, Group, Guess, Images, Matrix, Photograph, Range, Ranges, Shot, Text,
        by_class::{OfClass, by_class},
        class_order::Order,
        judged::{Guessed, Judged, judged},
        percent, pooled,
    },
    text::{count, either, number},
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

/// The mistakes of one part: the most confident ones, the confusion matrix with what stands behind each cell, and recall class by class;
/// without photographs the counts.
pub(super) fn blocks(
    group: &Group<'_>,
    part: Part,
    order: Order,
    images: Images,
    room: &mut Room,
) -> Vec<Block> {
    let Some(confusion) = pooled::confusion(&group.part(part)) else {
        return Vec::new();
    };
    let seen = worst_first(group, part);
    let mut blocks = match images {
        Images::None => Vec::new(),
        _ => confident(group, part, &seen, room),
    };
    let heading = format!("Confusion matrix on {}", part.name());
    blocks.push(Block::heading(3, heading));
    let recall = recall(&by_class(group, part), &order.by_recall);
    let matrix = Matrix {
        classes: group.runs[0].evaluation.classes.clone(),
        order: order.by_confusion,
        runs: group.runs.len(),
        cells: cells(group, &confusion, &seen, images, room),
    };
    blocks.push(Block::Drawn(Drawing::Matrix(matrix)));
    blocks.push(Block::Drawn(Drawing::Ranges(recall)));
    blocks
}

/// The images of a part, those first that are surely taken for something else.
pub(super) fn worst_first<'a>(group: &Group<'a>, part: Part) -> Vec<Judged<'a>> {
    let mut seen = judged(group, part);
    seen.sort_by(|a, b| {
        let wrong = (b.wrong > 0).cmp(&(a.wrong > 0));
        wrong
            .then(b.surely().total_cmp(&a.surely()))
            .then(a.path.cmp(b.path))
    });
    seen
}

fn confident(group: &Group<'_>, part: Part, seen: &[Judged<'_>], room: &mut Room) -> Vec<Block> {
    let wrong: Vec<&Judged<'_>> = seen.iter().filter(|image| image.wrong > 0).collect();
    let shots = wrong
        .iter()
        .take(SHOWN)
        .filter_map(|image| mistake(group, image));
    let shots: Vec<Shot> = shots.filter(|shot| room.holds(&shot.photograph)).collect();
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
    let here = match shots.len() {
        all if all == wrong.len() => "Those of which the model is most sure come first.".to_owned(),
        n => format!(
            "Here are the {n} of which the model is most sure; the others stand behind the cells of the matrix below."
        ),
    };
    let told = format!(
        "{} of {} {} taken for another class{runs}. {here}{how}",
        number(wrong.len() as u64),
        count(seen.len(), "image"),
        either(wrong.len(), "is", "are"),
    );
    let mut blocks = vec![
        Block::heading(3, format!("Most confident mistakes on {}", part.name())),
        Block::paragraph(told),
    ];
    blocks.extend(named_by_data(&wrong, part).map(Block::paragraph));
    blocks.push(Block::Gallery(shots));
    blocks
}

/// That a photograph below `train/` may be one of another part, where there are such.
fn named_by_data(wrong: &[&Judged<'_>], part: Part) -> Option<String> {
    let drawn = |image: &&Judged<'_>| image.path.starts_with("train/");
    (part != Part::Train && wrong.iter().any(drawn)).then(|| {
        format!(
            "Photographs are named as the data set gives them: the split has drawn these of `train/` for {}.",
            part.name()
        )
    })
}

/// An image with the wrong guess of most runs; none where all are right.
pub(super) fn mistake(group: &Group<'_>, image: &Judged<'_>) -> Option<Shot> {
    Some(shot(group, image, image.mistake()?))
}

/// An image with one guess, and where there are several runs with how many of them guess which class.
fn shot(group: &Group<'_>, image: &Judged<'_>, guess: &Guessed<'_>) -> Shot {
    let wrong = guess.class != image.label;
    let first = match wrong {
        true => format!("{} → {}", image.label, guess.class),
        false => image.label.to_owned(),
    };
    let mut sure = format!("{} sure", percent(guess.probability));
    if wrong {
        sure += &format!(", {} for the true class", percent(guess.of_label));
    }
    let mut caption = vec![Text::line(&first), sure.into()];
    if image.runs > 1 {
        let runs = |guess: &Guessed<'_>| format!("{} {}", guess.class, guess.runs);
        let guesses: Vec<_> = image.guesses.iter().map(runs).collect();
        let told = format!("guesses of {} runs: {}", image.runs, guesses.join(", "));
        caption.push(Text::line(&told));
    }
    Shot {
        photograph: group.runs[0].source.photograph(image.path),
        caption,
        beside: None,
        guess: wrong.then(|| Guess {
            evaluation: guess.by.to_owned(),
            class: guess.class.to_owned(),
        }),
    }
}

/// Counts of guesses, those that are not zero; on the diagonal also where a class with images is never right. Behind each stand the
/// images of which at least one run guesses so.
fn cells(
    group: &Group<'_>,
    confusion: &[Vec<u64>],
    seen: &[Judged<'_>],
    images: Images,
    room: &mut Room,
) -> Vec<Cell> {
    let classes = &group.runs[0].evaluation.classes;
    let mut behind: BTreeMap<(&str, &str), Vec<Shot>> = BTreeMap::new();
    for image in seen {
        for guess in &image.guesses {
            let is_shown = match images {
                Images::None => false,
                Images::Errors => guess.class != image.label,
                Images::All => true,
            };
            if is_shown {
                let cell = behind.entry((image.label, guess.class)).or_default();
                cell.push(shot(group, image, guess));
            }
        }
    }
    let mut cells = Vec::new();
    for (label, row) in confusion.iter().enumerate() {
        let is_there = row.iter().any(|n| *n > 0);
        for (predicted, n) in row.iter().enumerate() {
            if *n == 0 && !(is_there && label == predicted) {
                continue;
            }
            let names = (classes[label].as_str(), classes[predicted].as_str());
            let shots = behind.remove(&names).unwrap_or_default();
            cells.push(Cell {
                label,
                predicted,
                count: *n,
                images: shots.len(),
                shots,
            });
        }
    }
    room.share_out(&mut cells);
    cells
}

/// Recall with its interval, in this order of the classes.
fn recall(classes: &[OfClass<'_>], order: &[usize]) -> Ranges {
    let range = |class: &OfClass<'_>| Range {
        name: class.class.to_owned(),
        value: class.recall,
        low: class.recall_interval.low,
        high: class.recall_interval.high,
        images: class.images,
    };
    let classes = order.iter().filter_map(|place| classes.get(*place));
    Ranges {
        title: "recall".into(),
        ranges: classes.filter(|c| c.images > 0).map(range).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        Detail, Results,
        class_order::Orders,
        report,
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
        let order = Orders::of([(&group, Part::Test)].into_iter()).get(&group, Part::Test);
        let mut room = Room::new(800);
        blocks(&group, Part::Test, order, images, &mut room)
    }

    #[test]
    fn a_photograph_below_train_that_the_split_drew_for_test_is_told_as_such() {
        let results = two_runs();
        let group = results.groups().remove(0);
        let seen = worst_first(&group, Part::Test);
        let given: Vec<&Judged<'_>> = seen.iter().filter(|image| image.wrong > 0).collect();
        assert_eq!(named_by_data(&given, Part::Test), None);
        let mut drawn = worst_first(&group, Part::Test);
        drawn[0].path = "train/a/1.jpg";
        let told = named_by_data(&[&drawn[0]], Part::Test).unwrap();
        assert!(
            told.ends_with("drawn these of `train/` for test."),
            "{told}"
        );
        assert_eq!(named_by_data(&[&drawn[0]], Part::Train), None);
    }

    #[test]
    fn mistakes_of_several_runs_are_told_together() {
        let blocks = found(&two_runs(), Images::Errors);
        let Block::Paragraph(told) = &blocks[1] else {
            panic!("{blocks:?}")
        };
        assert_eq!(
            told.in_backticks(),
            "4 of 9 images are taken for another class by at least one of 2 runs. Those of which the model is most sure come first. How sure is the mean of the runs that guess so."
        );
        let Block::Gallery(shots) = &blocks[2] else {
            panic!("{blocks:?}")
        };
        let captions: Vec<_> = shots.iter().map(|s| s.caption[2].in_backticks()).collect();
        assert_eq!(
            captions,
            [
                "guesses of 2 runs: 김치찌개 1, 된장찌개 1",
                "guesses of 2 runs: 김치찌개 1, 냉면 1",
                "guesses of 2 runs: 된장찌개 2",
                "guesses of 2 runs: 김치찌개 2"
            ]
        );
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
            beside: None,
            guess: None,
        };
        let cell = |predicted, paths: &[&str]| Cell {
            label: 0,
            predicted,
            count: paths.len() as u64,
            images: paths.len(),
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
        assert_eq!(shots(Images::All), (7, 4));
        assert_eq!(shots(Images::None), (0, 0));
    }

    fn matrices(results: &Results) -> Vec<Matrix> {
        let detail = Detail {
            images: Images::Errors,
            most: 800,
            page: true,
        };
        let blocks = report(results, None, detail).unwrap().blocks;
        let drawn = blocks.into_iter().filter_map(|block| match block {
            Block::Drawn(Drawing::Matrix(matrix)) => Some(matrix),
            _ => None,
        });
        drawn.collect()
    }

    #[test]
    fn a_class_that_is_never_right_has_a_zero_on_the_diagonal() {
        let [matrix] = &matrices(&results(vec![evaluated("a", &[], &rights(2, 9))]))[..] else {
            panic!("not one matrix");
        };
        let diagonal = matrix.cells.iter().filter(|c| c.label == c.predicted);
        let counts: Vec<_> = diagonal.map(|c| (c.label, c.count)).collect();
        assert_eq!(counts, [(0, 1), (1, 1), (2, 0)]);
    }

    #[test]
    fn classes_stand_in_the_same_order_in_all_matrices_of_a_part() {
        let mut right = rights(9, 9);
        right[1] = false;
        let of_one = |stage| results(vec![evaluated(stage, &[], &right)]);
        let alone = matrices(&of_one("b")).remove(0).order;
        let both = matrices(&results(vec![
            evaluated("a", &[], &rights(3, 9)),
            evaluated("b", &[], &right),
        ]));
        assert_eq!(both[0].order, both[1].order);
        assert_eq!(alone.len(), both[0].order.len());
    }
}
