//! What the runs of a group say of each class together.

use super::{Group, pooled};
use crate::{
    record::{Interval, Part, PartMetrics},
    stats::{self, Hits},
};

/// One class over the runs of a group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OfClass<'a> {
    /// The class.
    pub class: &'a str,
    /// Its images; those that several runs judge count once.
    pub images: u64,
    /// Guesses of it, over all runs.
    pub predicted: u64,
    /// Right among those guesses.
    pub precision: f64,
    /// Right among its images: the mean over the runs.
    pub recall: f64,
    /// The 95% interval of `recall`, over images and runs.
    pub recall_interval: Interval,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
}

/// The classes of one part in their order; nothing unless all runs have it.
pub(super) fn by_class<'a>(group: &Group<'a>, part: Part) -> Vec<OfClass<'a>> {
    let runs = group.part(part);
    let Some(sum) = pooled::confusion(&runs) else {
        return Vec::new();
    };
    let names = &group.runs[0].evaluation.classes;
    let together = stats::per_class(names, &sum);
    let classes = together.iter().zip(names).enumerate();
    let of_class = |(place, (of, name)): (usize, (&crate::record::ClassMetrics, &'a String))| {
        let hits = hits(&runs, place);
        OfClass {
            class: name.as_str(),
            images: images(&runs, place),
            predicted: sum.iter().map(|row| row[place]).sum(),
            precision: of.precision,
            recall: pooled::mean(hits.iter().map(|(right, of)| *right as f64 / *of as f64)),
            recall_interval: stats::share_over_runs(&hits),
            f1: of.f1,
        }
    };
    classes.map(of_class).collect()
}

/// Of the runs that have an image of the class.
fn hits(runs: &[&PartMetrics], class: usize) -> Vec<Hits> {
    let hits = runs.iter().map(|run| {
        let row = &run.confusion[class];
        (row[class], row.iter().sum())
    });
    hits.filter(|(_, images)| *images > 0).collect()
}

fn images(runs: &[&PartMetrics], class: usize) -> u64 {
    let runs = pooled::on_images_of_their_own(runs);
    let of_class = |run: &&PartMetrics| run.confusion[class].iter().sum::<u64>();
    runs.iter().map(of_class).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::sample::{evaluated, results, rights},
        stats::wilson,
    };

    #[test]
    fn runs_on_the_same_images_are_no_further_images() {
        // Of each of three classes there are 20 images, in every run the same.
        let run = |seed| evaluated("net", &[("seed", seed)], &rights(30, 60));
        let several = results(["1", "2", "3"].map(run).to_vec());
        let one = results(vec![run("1")]);
        let of = |results: &crate::report::Results| {
            let groups = results.groups();
            let classes = by_class(&groups[0], Part::Test);
            (
                classes[0].images,
                classes[0].recall,
                classes[0].recall_interval,
            )
        };
        let (images, recall, interval) = of(&several);
        assert_eq!((images, recall), (20, 0.5));
        let of_one = wilson(10, 20);
        assert!((interval.low - of_one.low).abs() < 1e-12, "{interval:?}");
        assert!((interval.high - of_one.high).abs() < 1e-12, "{interval:?}");
        assert_eq!(of(&one), (20, 0.5, of_one));
    }

    #[test]
    fn runs_that_differ_make_the_interval_wider_than_that_of_their_images() {
        let run = |(seed, hits)| evaluated("net", &[("seed", seed)], &rights(hits, 60));
        let results = results([("1", 15), ("2", 45)].map(run).to_vec());
        let groups = results.groups();
        let found = &by_class(&groups[0], Part::Test)[0];
        let of_images = wilson(10, 20);
        let interval = found.recall_interval;
        assert!(
            interval.low < of_images.low && interval.high > of_images.high,
            "{found:?}"
        );
    }
}
