//! Images as the runs of a recipe see them, all runs together.

use std::{cmp::Reverse, collections::BTreeMap};

use super::Group;
use crate::record::{Part, Prediction};

/// One image as the runs of a group see it.
pub(super) struct Judged<'a> {
    /// As in `images.json`.
    pub path: &'a str,
    /// Its class.
    pub label: &'a str,
    /// The classes that runs take it for, right ones too: those of most runs first, of equals the first by name.
    pub guesses: Vec<Guessed<'a>>,
    /// The mean probability that all runs give their guesses.
    pub sure: f64,
    /// Whether each run that judged it is right, by its name.
    pub by_run: Vec<(&'a str, bool)>,
    /// Runs that are wrong.
    pub wrong: usize,
    /// Runs that judged it.
    pub runs: usize,
}

/// A class that some of the runs take an image for.
pub(super) struct Guessed<'a> {
    /// The class.
    pub class: &'a str,
    /// The mean probability that these runs give it.
    pub probability: f64,
    /// The mean probability that they give the image's own class.
    pub of_label: f64,
    /// The first of these runs.
    pub by: &'a str,
    /// So many.
    pub runs: usize,
}

impl<'a> Judged<'a> {
    /// Runs that are right.
    pub(super) fn right(&self) -> usize {
        self.runs - self.wrong
    }

    /// Whether more than half of the runs are right.
    pub(super) fn is_right(&self) -> bool {
        2 * self.right() > self.runs
    }

    /// The wrong guess of most runs; none where all are right.
    pub(super) fn mistake(&self) -> Option<&Guessed<'a>> {
        self.guesses.iter().find(|g| g.class != self.label)
    }

    /// How sure of it are those that are wrong as most of those are; where none is wrong, all.
    pub(super) fn surely(&self) -> f64 {
        self.mistake().map_or(self.sure, |wrong| wrong.probability)
    }
}

/// Every image of a part, in the order of the paths.
pub(super) fn judged<'a>(group: &Group<'a>, part: Part) -> Vec<Judged<'a>> {
    let mut by_path: BTreeMap<&str, Vec<(&str, &Prediction)>> = BTreeMap::new();
    for run in &group.runs {
        for prediction in run.predictions.iter().filter(|p| p.part == part) {
            let said = (run.id.as_str(), prediction);
            by_path.entry(&prediction.path).or_default().push(said);
        }
    }
    let images = by_path.into_iter();
    images
        .filter_map(|(path, said)| of_image(path, &said))
        .collect()
}

fn of_image<'a>(path: &'a str, said: &[(&'a str, &'a Prediction)]) -> Option<Judged<'a>> {
    let label = said.first()?.1.label.as_str();
    let mut by_class: BTreeMap<&str, Vec<(&str, &Prediction)>> = BTreeMap::new();
    for (run, said) in said {
        let of_class = by_class.entry(&said.predicted).or_default();
        of_class.push((run, said));
    }
    let guess = |(class, of): (&'a str, Vec<(&'a str, &Prediction)>)| Guessed {
        class,
        probability: mean(of.iter().map(|(_, said)| said.probability)),
        of_label: mean(of.iter().map(|(_, said)| (-said.loss).exp())),
        by: of[0].0,
        runs: of.len(),
    };
    let mut guesses: Vec<Guessed<'_>> = by_class.into_iter().map(guess).collect();
    guesses.sort_by_key(|guess| Reverse(guess.runs));
    Some(Judged {
        path,
        label,
        guesses,
        sure: mean(said.iter().map(|(_, p)| p.probability)),
        by_run: said.iter().map(|(run, p)| (*run, p.correct)).collect(),
        wrong: said.iter().filter(|(_, p)| !p.correct).count(),
        runs: said.len(),
    })
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}
