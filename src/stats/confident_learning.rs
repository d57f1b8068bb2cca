//! Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang, 2021).
//!
//! The same images as `cleanlab.filter.find_label_issues` of cleanlab 2.9 with `filter_by="prune_by_noise_rate"` and its defaults, given
//! the same probabilities, which must be out of sample: of models that did not train on the image. `tests/confidence_parity.py` holds it
//! against that. Counts are rounded, and often two are as far from a whole number: sums are therefore taken in numpy's order, to its
//! last bit. Where cleanlab's answer hangs on the order in which numpy sorts equal values, equal ones are taken here in the order of
//! the images.

use std::cmp::Ordering;

/// How far below its threshold a probability still counts as confident, and by how much a given label is favoured against an equal one.
const TOLERANCE: f64 = 1e-6;
/// The least threshold of a class.
const LEAST_THRESHOLD: f64 = 2.0 * TOLERANCE;
/// Images of a class that are never called wrong.
const KEPT: f64 = 1.0;

/// A label that is probably wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelIssue {
    /// The image's place in what was handed in.
    pub image: usize,
    /// The label as given.
    pub given: usize,
    /// The most likely class; of equals the lowest.
    pub suggested: usize,
    /// cleanlab's `normalized_margin`: (probability of the given class - largest of the others + 1) / 2, from 0 (surely wrong) to 1.
    pub margin: f64,
}

/// Probabilities of all classes and a label for each image.
#[derive(Clone, Copy)]
struct Judged<'a> {
    /// Row-major [images, classes].
    probabilities: &'a [f64],
    labels: &'a [usize],
    classes: usize,
}

/// The labels that are probably wrong, the worst first: by `margin`, of equals in the order of the images. `probabilities` is row-major
/// of shape [labels, classes], and every label is below `classes`.
#[must_use]
pub fn label_issues(probabilities: &[f64], labels: &[usize], classes: usize) -> Vec<LabelIssue> {
    let judged = Judged {
        probabilities,
        labels,
        classes,
    };
    if classes < 2 || labels.iter().any(|label| *label >= classes) {
        return Vec::new();
    }
    let joint = calibrated(&confident_joint(judged), labels, classes);
    let counts = prune_counts(&joint, classes);
    let flagged = flagged(judged, &counts);
    let mut issues: Vec<LabelIssue> = (0..labels.len())
        .filter(|image| flagged[*image])
        .filter_map(|image| judged.issue(image))
        .collect();
    issues.sort_by(|a, b| a.margin.total_cmp(&b.margin));
    issues
}

impl<'a> Judged<'a> {
    fn row(self, image: usize) -> &'a [f64] {
        &self.probabilities[image * self.classes..][..self.classes]
    }

    /// The image as an issue; `None` where the model says what was given.
    fn issue(self, image: usize) -> Option<LabelIssue> {
        let (row, given) = (self.row(image), self.labels[image]);
        let favoured = |class: usize| row[class] + if class == given { TOLERANCE } else { 0.0 };
        if largest(self.classes, favoured) == given {
            return None;
        }
        let suggested = largest(self.classes, |class| row[class]);
        Some(LabelIssue {
            image,
            given,
            suggested,
            margin: (row[given] - row[suggested] + 1.0) / 2.0,
        })
    }

    /// For each class the mean probability that its images are given for it; without images none is confident.
    fn thresholds(self) -> Vec<f64> {
        let mut sums = vec![(0.0, 0_u64); self.classes];
        for (image, label) in self.labels.iter().enumerate() {
            sums[*label].0 += self.row(image)[*label];
            sums[*label].1 += 1;
        }
        let mean = |(sum, images): (f64, u64)| match images {
            0 => f64::INFINITY,
            _ => (sum / images as f64).max(LEAST_THRESHOLD),
        };
        sums.into_iter().map(mean).collect()
    }
}

/// The first class with the largest value.
fn largest(classes: usize, value: impl Fn(usize) -> f64) -> usize {
    (1..classes).fold(0, |best, class| {
        if value(class) > value(best) {
            class
        } else {
            best
        }
    })
}

/// `joint[given][confident]`: images by their label and the class of which the model is confident, row-major; an image of which it is
/// confident of no class is not counted.
fn confident_joint(judged: Judged<'_>) -> Vec<f64> {
    let classes = judged.classes;
    let thresholds = judged.thresholds();
    let mut joint = vec![0.0; classes * classes];
    for (image, label) in judged.labels.iter().enumerate() {
        let row = judged.row(image);
        let mut confident = (0..classes).filter(|c| row[*c] >= thresholds[*c] - TOLERANCE);
        let Some(first) = confident.next() else {
            continue;
        };
        let guess = match confident.next() {
            None => first,
            Some(_) => largest(classes, |class| row[class]),
        };
        joint[label * classes + guess] += 1.0;
    }
    for class in 0..classes {
        let right: &mut f64 = &mut joint[class * classes + class];
        *right = right.max(1.0);
    }
    joint
}

/// The joint scaled so that its rows hold as many images as have that label, in whole images.
fn calibrated(joint: &[f64], labels: &[usize], classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    for label in labels {
        counts[*label] += 1.0;
    }
    let mut scaled = Vec::with_capacity(joint.len());
    for (row, count) in joint.chunks_exact(classes).zip(&counts) {
        // The diagonal holds at least one: the sum is never 0.
        let sum = sum(row);
        scaled.extend(row.iter().map(|value| value / sum * count));
    }
    // cleanlab's matrix lies column by column.
    let columns = |class: usize| scaled.iter().skip(class).step_by(classes).copied();
    let total = sum(&(0..classes).flat_map(columns).collect::<Vec<_>>());
    let all = labels.len() as f64;
    for value in &mut scaled {
        *value = *value / total.max(f64::MIN_POSITIVE) * all;
    }
    scaled.chunks_exact(classes).flat_map(rounded).collect()
}

/// `counts[true][given]`: how many images of `given` are to be called wrong and taken for `true`, with one image of each class kept.
fn prune_counts(joint: &[f64], classes: usize) -> Vec<usize> {
    let at = |truth: usize, given: usize| joint[given * classes + truth];
    let mut counts = vec![0.0; classes * classes];
    for given in 0..classes {
        let right = at(given, given);
        let kept = right.max(KEPT);
        let nonzero = (0..classes).filter(|truth| at(*truth, given) != 0.0);
        let others = (nonzero.count() as f64 - 1.0).max(1.0);
        for truth in 0..classes {
            let less = (at(truth, given) - (kept - right) / others).max(0.0);
            counts[truth * classes + given] = if truth == given { kept } else { less };
        }
    }
    let rows = counts.chunks_exact(classes).flat_map(rounded);
    rows.map(|count| count as usize).collect()
}

/// Whole numbers with the (rounded) sum of some numbers: those whose rounding was furthest off are rounded the other way.
fn rounded(values: &[f64]) -> Vec<f64> {
    let mut whole: Vec<f64> = values.iter().map(|v| v.round_ties_even()).collect();
    let wanted = sum(values).round_ties_even();
    loop {
        let missing = wanted - whole.iter().sum::<f64>().round_ties_even();
        if missing.abs() <= TOLERANCE {
            return whole;
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        let off = |i: usize| values[i] - whole[i];
        order.sort_by(|a, b| off(*a).total_cmp(&off(*b)));
        let step = if missing < 0.0 {
            -1.0
        } else {
            order.reverse();
            1.0
        };
        for i in order.into_iter().take(missing.abs() as usize) {
            whole[i] += step;
        }
    }
}

/// The sum as `numpy.sum` takes it: eight sums side by side, and halves of what is longer than 128.
fn sum(values: &[f64]) -> f64 {
    const SIDES: usize = 8;
    let n = values.len();
    if n > 128 {
        let half = n / 2 - n / 2 % SIDES;
        return sum(&values[..half]) + sum(&values[half..]);
    }
    let (whole, rest) = values.split_at(n - n % SIDES);
    let mut sides = [0.0; SIDES];
    for row in whole.chunks_exact(SIDES) {
        for (side, value) in sides.iter_mut().zip(row) {
            *side += value;
        }
    }
    let [a, b, c, d, e, f, g, h] = sides;
    rest.iter()
        .fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |all, v| all + v)
}

/// Of each class, for each other class as many images as are to be called wrong: those with the largest difference of both probabilities.
fn flagged(judged: Judged<'_>, counts: &[usize]) -> Vec<bool> {
    let classes = judged.classes;
    let mut of_class: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (image, label) in judged.labels.iter().enumerate() {
        of_class[*label].push(image);
    }
    let mut flagged = vec![false; judged.labels.len()];
    for (given, images) in of_class.iter().enumerate() {
        if images.len() as f64 <= KEPT {
            continue;
        }
        for truth in (0..classes).filter(|truth| *truth != given) {
            let wrong = counts[truth * classes + given];
            if wrong == 0 {
                continue;
            }
            let difference = |image: usize| judged.row(image)[truth] - judged.row(image)[given];
            let by =
                |a: &usize, b: &usize| -> Ordering { difference(*b).total_cmp(&difference(*a)) };
            let mut order = images.clone();
            order.sort_by(by);
            for image in order.into_iter().take(wrong) {
                flagged[image] = true;
            }
        }
    }
    flagged
}
