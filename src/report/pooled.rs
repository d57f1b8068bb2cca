//! The runs of a group as one: what is said of a recipe is said once, of all of them.

use super::Group;
use crate::{
    record::{Gap, LeakedPart, Leaks, Part, PartMetrics},
    stats::{self, Hits},
};

/// What the runs of a group say together.
pub(super) struct Pooled {
    /// How many.
    pub runs: usize,
    /// The parts that all of them have, with means over the runs.
    pub parts: Vec<PartMetrics>,
    /// Differences of those.
    pub gaps: Vec<Gap>,
    /// Look-alikes, where the runs agree on them or there is one.
    pub leaks: Option<Leaks>,
    /// Of each part how many images the models' features alone find alike, where they were asked: by the run that finds fewest, and by
    /// the one that finds most.
    pub further: Vec<(Part, u64, u64)>,
}

/// By what images are known to look like training images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alike {
    /// Equal or near files.
    Pixels,
    /// The features of a model alone.
    Features,
}

impl Pooled {
    pub(super) fn of(group: &Group<'_>) -> Self {
        use Part::{Test, Train, Validation};
        let all = [Train, Validation, Test];
        let runs = all.map(|part| group.part(part));
        let parts: Vec<PartMetrics> = runs.iter().filter_map(|runs| part(runs)).collect();
        let between = |from: usize, to: usize| gap(&runs[from], &runs[to]);
        let gaps = [between(0, 1), between(1, 2), between(0, 2)];
        Self {
            runs: group.runs.len(),
            parts,
            gaps: gaps.into_iter().flatten().collect(),
            leaks: leaks(group),
            further: further(group),
        }
    }

    /// Whether images of a part are known to look like training images. Where they are, a good figure says nothing of new images: no
    /// sentence may take such a part for a clean one.
    pub(super) fn alike(&self, part: Part) -> Option<Alike> {
        let mut copies = self.leaks.iter().flat_map(|leaks| &leaks.parts);
        if copies.any(|found| found.part == part && found.like_train > 0) {
            return Some(Alike::Pixels);
        }
        let mut further = self.further.iter();
        let found = further.any(|(of, _, most)| *of == part && *most > 0);
        found.then_some(Alike::Features)
    }

    /// Whether any part but this one is known to hold such images.
    pub(super) fn alike_elsewhere(&self, than: Part) -> bool {
        let others = [Part::Validation, Part::Test].into_iter();
        let mut others = others.filter(|part| *part != than);
        others.any(|part| self.alike(part).is_some())
    }

    /// A part, if all runs have it.
    pub(super) fn part(&self, wanted: Part) -> Option<&PartMetrics> {
        self.parts.iter().find(|p| p.part == wanted)
    }

    /// A difference, if all runs have both parts.
    pub(super) fn gap(&self, from: Part, to: Part) -> Option<&Gap> {
        self.gaps.iter().find(|g| g.from == from && g.to == to)
    }
}

/// Right guesses and images of each run.
pub(super) fn hits(runs: &[&PartMetrics]) -> Vec<Hits> {
    runs.iter()
        .map(|run| (stats::correct(run), run.images))
        .collect()
}

pub(super) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    values.sum::<f64>() / n
}

/// One part over the runs.
fn part(runs: &[&PartMetrics]) -> Option<PartMetrics> {
    let mut pooled = PartMetrics {
        top1: mean(runs.iter().map(|run| run.top1)),
        top1_interval: stats::share_over_runs(&hits(runs)),
        loss: mean(runs.iter().map(|run| run.loss)),
        ..(*runs.first()?).clone()
    };
    for more in &on_images_of_their_own(runs)[1..] {
        pooled.images += more.images;
        pooled.dropped += more.dropped;
        for (class, more) in pooled.per_class.iter_mut().zip(&more.per_class) {
            class.images += more.images;
        }
    }
    Some(pooled)
}

/// The first of the runs on each set of images: seeds judge the same ones, folds each their own.
pub(super) fn on_images_of_their_own<'a>(runs: &[&'a PartMetrics]) -> Vec<&'a PartMetrics> {
    let mut found: Vec<&PartMetrics> = Vec::new();
    for run in runs {
        if found.iter().all(|known| known.members != run.members) {
            found.push(run);
        }
    }
    found
}

fn gap(from: &[&PartMetrics], to: &[&PartMetrics]) -> Option<Gap> {
    let (first, second) = (from.first()?, to.first()?);
    Some(Gap {
        from: first.part,
        to: second.part,
        difference: mean(from.iter().map(|run| run.top1)) - mean(to.iter().map(|run| run.top1)),
        interval: stats::gap_over_runs(&hits(from), &hits(to)),
    })
}

/// Those of all runs: once where they are the same, else counted together, as the images of folds are.
fn leaks(group: &Group<'_>) -> Option<Leaks> {
    let runs = group.runs.iter();
    let all: Vec<&Leaks> = runs
        .filter_map(|run| run.evaluation.leaks.as_ref())
        .collect();
    let mut pooled = (*all.first()?).clone();
    for part in &mut pooled.parts {
        let of_part = |leaks: &&Leaks| leaks.parts.iter().find(|p| p.part == part.part).cloned();
        let found: Vec<LeakedPart> = all.iter().filter_map(of_part).collect();
        part.top1 = mean(found.iter().map(|p| p.top1));
        let without: Option<Vec<f64>> = found.iter().map(|p| p.top1_without).collect();
        part.top1_without = without.map(|values| mean(values.into_iter()));
        let same = |p: &LeakedPart| (p.images, &p.leaked) == (part.images, &part.leaked);
        if found.iter().all(same) {
            continue;
        }
        part.images = found.iter().map(|p| p.images).sum();
        part.like_train = found.iter().map(|p| p.like_train).sum();
        part.like_validation = found.iter().map(|p| p.like_validation).sum();
        part.leaked = found.into_iter().flat_map(|p| p.leaked).collect();
    }
    Some(pooled)
}

/// What features show beyond the pixels, over the runs that were asked.
fn further(group: &Group<'_>) -> Vec<(Part, u64, u64)> {
    let of = |part| {
        let runs = group.runs.iter().filter_map(|run| run.features.as_ref());
        let found = runs.flat_map(|found| &found.parts);
        let found = found.filter(|found| found.part == part);
        let found: Vec<u64> = found.map(|found| found.further).collect();
        Some((part, *found.iter().min()?, *found.iter().max()?))
    };
    let parts = [Part::Validation, Part::Test].into_iter();
    parts.filter_map(of).collect()
}

/// Confusion counts added up over runs; `None` without runs or when their classes differ in number.
pub(super) fn confusion(runs: &[&PartMetrics]) -> Option<Vec<Vec<u64>>> {
    let (first, others) = runs.split_first()?;
    let mut sum = first.confusion.clone();
    for run in others {
        if run.confusion.len() != sum.len() {
            return None;
        }
        add(&mut sum, &run.confusion);
    }
    Some(sum)
}

/// Adds counts of the same classes.
pub(super) fn add(sum: &mut [Vec<u64>], more: &[Vec<u64>]) {
    for (row, more) in sum.iter_mut().zip(more) {
        for (count, n) in row.iter_mut().zip(more) {
            *count += n;
        }
    }
}
