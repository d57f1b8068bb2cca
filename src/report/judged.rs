//! Images as the runs of a recipe see them, all runs together.

use std::collections::BTreeMap;

use super::Group;
use crate::record::{Part, Prediction};

/// One image as the runs of a group see it.
pub(super) struct Judged<'a> {
    /// As in `images.json`.
    pub path: &'a str,
    /// Its class.
    pub label: &'a str,
    /// The wrong guess of most runs (of equals the first by name), where any run is wrong; else the label.
    pub guessed: &'a str,
    /// The mean probability that the runs with this guess give it.
    pub probability: f64,
    /// The mean probability that all runs give their guesses.
    pub sure: f64,
    /// The first run with this guess.
    pub by: &'a str,
    /// Runs that are wrong.
    pub wrong: usize,
    /// Runs that judged it.
    pub runs: usize,
}

impl Judged<'_> {
    /// Runs that are right.
    pub(super) fn right(&self) -> usize {
        self.runs - self.wrong
    }

    /// Whether more than half of the runs are right.
    pub(super) fn is_right(&self) -> bool {
        2 * self.right() > self.runs
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
    let mut guesses: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (_, wrong) in said.iter().filter(|(_, p)| !p.correct) {
        let of_guess = guesses.entry(&wrong.predicted).or_default();
        of_guess.push(wrong.probability);
    }
    let wrong = guesses.values().map(Vec::len).sum();
    let most = guesses.values().map(Vec::len).max().unwrap_or(0);
    let guessed = guesses.into_iter().find(|(_, sure)| sure.len() == most);
    let all: Vec<f64> = said.iter().map(|(_, p)| p.probability).collect();
    let sure = mean(&all);
    let (guessed, probability) = guessed.map_or((label, sure), |(g, of)| (g, mean(&of)));
    let by = said.iter().find(|(_, p)| p.predicted == guessed)?.0;
    Some(Judged {
        path,
        label,
        guessed,
        probability,
        sure,
        by,
        wrong,
        runs: said.len(),
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
