//! Which of two recipes is better on the same images, and whether the difference is more than chance.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Evaluated, Group, Results, same_images::same_answers};
use crate::{
    error::{Error, Result},
    record::Part,
    stats::{self, Spread},
};

/// Two groups of evaluations on the same images of one part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The part.
    pub part: Part,
    /// Its images.
    pub images: u64,
    /// The group with the higher mean accuracy; of equals the earlier one.
    pub first: String,
    /// The other group.
    pub second: String,
    /// Runs of the first.
    pub first_runs: usize,
    /// Runs of the second.
    pub second_runs: usize,
    /// Mean accuracy of the first.
    pub first_top1: f64,
    /// Mean accuracy of the second.
    pub second_top1: f64,
    /// The first minus the second; at least 0.
    pub difference: f64,
    /// How far it may be from that of all runs on all images; `None` where a side has one run.
    pub spread: Option<Spread>,
    /// The probability of [`Spread`] by Holm's adjustment over all comparisons of this part that have one.
    pub adjusted_p: Option<f64>,
    /// McNemar's exact test, run by run.
    pub tests: Vec<Test>,
    /// What may be said.
    pub verdict: Verdict,
}

/// McNemar's test of one run against one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Test {
    /// The run of the first group.
    pub first: String,
    /// The run of the second group.
    pub second: String,
    /// Images that only the first has right.
    pub only_first: u64,
    /// Images that only the second has right.
    pub only_second: u64,
    /// Two-sided exact p.
    pub p: f64,
}

/// What may be said of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The adjusted probability is below 0.05.
    Beats,
    /// It is not.
    NoClearDifference,
    /// A side has one run, which says nothing of another seed.
    OneRun,
    /// Both say the very same of every image: they are one model, such as a chosen one beside itself.
    SameAnswers,
}

impl Verdict {
    fn of(adjusted_p: Option<f64>) -> Self {
        match adjusted_p {
            None => Self::OneRun,
            Some(p) if p < 0.05 => Self::Beats,
            Some(_) => Self::NoClearDifference,
        }
    }
}

/// All pairs of groups that are `asked` for by their names and were evaluated on the same images of `part` (equal `members`), in the
/// order of the pipeline. Groups without predictions are left out. What is compared together is judged together.
///
/// # Errors
/// When the predictions of an evaluation do not fit its metrics.
pub fn compare(
    results: &Results,
    part: Part,
    asked: impl Fn(&str, &str) -> bool,
) -> Result<Vec<Comparison>> {
    let mut sides = Vec::new();
    for group in results.groups() {
        sides.extend(Side::of(group, part)?);
    }
    let mut found = Vec::new();
    for (i, a) in sides.iter().enumerate() {
        for b in &sides[i + 1..] {
            let is_asked = asked(&a.group.name, &b.group.name);
            if is_asked && a.members == b.members && a.paths == b.paths {
                found.extend(against(a, b, part));
            }
        }
    }
    judge(&mut found);
    Ok(found)
}

/// Says what may be said of comparisons that stand together: the more there are, the more would differ by chance alone.
fn judge(comparisons: &mut [Comparison]) {
    let with_p = |c: &Comparison| {
        let spread = c.spread.filter(|_| c.verdict != Verdict::SameAnswers);
        spread.map(|spread| spread.p)
    };
    let p: Vec<f64> = comparisons.iter().filter_map(with_p).collect();
    let mut adjusted = stats::holm(&p).into_iter();
    let apart = |c: &&mut Comparison| c.verdict != Verdict::SameAnswers;
    for comparison in comparisons.iter_mut().filter(apart) {
        comparison.adjusted_p = with_p(comparison).and_then(|_| adjusted.next());
        comparison.verdict = Verdict::of(comparison.adjusted_p);
    }
}

/// One group, ready to be compared: its runs' right guesses on the same images in the same order.
struct Side<'a> {
    group: Group<'a>,
    members: crate::digest::Digest,
    paths: Vec<String>,
    rights: Vec<Vec<bool>>,
}

impl<'a> Side<'a> {
    /// `None` where the runs are not on one set of images, as with folds and validation, or have no predictions.
    fn of(group: Group<'a>, part: Part) -> Result<Option<Self>> {
        let metrics = group.part(part);
        let Some(members) = metrics.first().map(|m| m.members) else {
            return Ok(None);
        };
        if metrics.iter().any(|m| m.members != members)
            || group.runs.iter().any(|run| run.predictions.is_empty())
        {
            return Ok(None);
        }
        let mut paths = Vec::new();
        let mut rights = Vec::new();
        for (run, metrics) in group.runs.iter().zip(metrics) {
            let by_path = rights_by_path(run, part);
            let hits = by_path.values().filter(|right| **right).count() as u64;
            if by_path.len() as u64 != metrics.images || hits != stats::correct(metrics) {
                return Err(mismatch(run));
            }
            rights.push(by_path.values().copied().collect());
            let of_run: Vec<String> = by_path.into_keys().map(str::to_owned).collect();
            if !paths.is_empty() && paths != of_run {
                return Err(mismatch(run));
            }
            paths = of_run;
        }
        Ok(Some(Self {
            group,
            members,
            paths,
            rights,
        }))
    }

    fn top1(&self) -> f64 {
        let shares = self
            .rights
            .iter()
            .map(|row| row.iter().filter(|right| **right).count() as f64 / row.len().max(1) as f64);
        shares.sum::<f64>() / self.rights.len() as f64
    }
}

fn rights_by_path(run: &Evaluated, part: Part) -> BTreeMap<&str, bool> {
    let of_part = run.predictions.iter().filter(|p| p.part == part);
    of_part.map(|p| (p.path.as_str(), p.correct)).collect()
}

fn mismatch(run: &Evaluated) -> Error {
    Error::failed(format!(
        "the predictions of `{}` do not fit its metrics",
        run.id
    ))
    .help("check the cache with `kfood cache verify`")
}

fn against(a: &Side<'_>, b: &Side<'_>, part: Part) -> Option<Comparison> {
    let (first, second) = if b.top1() > a.top1() { (b, a) } else { (a, b) };
    let found = stats::paired_difference(&first.rights, &second.rights)?;
    Some(Comparison {
        part,
        images: first.paths.len() as u64,
        first: first.group.name.clone(),
        second: second.group.name.clone(),
        first_runs: first.rights.len(),
        second_runs: second.rights.len(),
        first_top1: first.top1(),
        second_top1: second.top1(),
        difference: found.difference,
        spread: found.spread,
        adjusted_p: None,
        tests: tests(first, second),
        verdict: match same_answers(&first.group, &second.group, part) {
            true => Verdict::SameAnswers,
            false => Verdict::OneRun,
        },
    })
}

/// Runs of equal seed and fold, or, where no two are equal but there are as many, in their order. One run alone, such as an ensemble,
/// stands against each of the other side: none of them is more its own than another.
fn tests(first: &Side<'_>, second: &Side<'_>) -> Vec<Test> {
    let runs = |side: &Side<'_>| -> Vec<String> {
        side.group.runs.iter().map(|r| r.repetition()).collect()
    };
    let (of_first, of_second) = (runs(first), runs(second));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (i, name) in of_first.iter().enumerate() {
        pairs.extend(
            of_second
                .iter()
                .position(|other| other == name)
                .map(|j| (i, j)),
        );
    }
    if of_first.len() == 1 || of_second.len() == 1 {
        let seconds = 0..of_second.len();
        let each = |i| seconds.clone().map(move |j| (i, j));
        pairs = (0..of_first.len()).flat_map(each).collect();
    } else if pairs.is_empty() && of_first.len() == of_second.len() {
        pairs = (0..of_first.len()).map(|i| (i, i)).collect();
    }
    let test = |(i, j): (usize, usize)| {
        let found = stats::mcnemar(&first.rights[i], &second.rights[j]);
        Test {
            first: first.group.runs[i].id.clone(),
            second: second.group.runs[j].id.clone(),
            only_first: found.only_first,
            only_second: found.only_second,
            p: found.p,
        }
    };
    pairs.into_iter().map(test).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::sample::{evaluated, results};
    use super::*;

    fn compare(results: &Results, part: Part) -> Result<Vec<Comparison>> {
        super::compare(results, part, |_, _| true)
    }

    /// Right guesses on 100 images: a run of `hits` from `offset` on.
    pub(in crate::report) fn run(id: &str, seed: u32, hits: usize, offset: usize) -> Evaluated {
        let right = |i: usize| (i + 100 - offset) % 100 < hits;
        evaluated(
            id,
            &[("seed", &seed.to_string())],
            &(0..100).map(right).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_recipe_beats_another_only_where_chance_would_rarely_make_such_a_difference() {
        let results = results(vec![
            run("baseline", 1, 50, 0),
            run("baseline", 2, 52, 1),
            run("better", 1, 80, 0),
            run("better", 2, 78, 0),
            run("similar", 1, 53, 2),
            run("similar", 2, 51, 0),
        ]);
        let found = compare(&results, Part::Test).unwrap();
        let said: Vec<_> = found
            .iter()
            .map(|c| (c.first.as_str(), c.second.as_str(), c.verdict))
            .collect();
        assert_eq!(
            said,
            [
                ("better", "baseline", Verdict::Beats),
                ("similar", "baseline", Verdict::NoClearDifference),
                ("better", "similar", Verdict::Beats),
            ]
        );
        let first = &found[0];
        assert!((first.difference - 0.28).abs() < 1e-12);
        assert_eq!((first.images, first.first_runs), (100, 2));
        let tests: Vec<_> = first
            .tests
            .iter()
            .map(|t| {
                (
                    t.first.as_str(),
                    t.second.as_str(),
                    t.only_first,
                    t.only_second,
                )
            })
            .collect();
        assert_eq!(
            tests,
            [
                ("better[seed=1]", "baseline[seed=1]", 30, 0),
                ("better[seed=2]", "baseline[seed=2]", 26, 0)
            ]
        );
    }

    #[test]
    fn the_more_is_compared_the_more_a_difference_must_be() {
        let runs =
            |name: &str, hits: [usize; 2]| [run(name, 1, hits[0], 0), run(name, 2, hits[1], 0)];
        let two = [runs("a", [50, 50]).to_vec(), runs("b", [55, 55]).to_vec()].concat();
        let alone = &compare(&results(two.clone()), Part::Test).unwrap()[0];
        assert_eq!(alone.verdict, Verdict::Beats, "{alone:?}");
        let more = [
            two,
            runs("c", [53, 53]).to_vec(),
            runs("d", [54, 54]).to_vec(),
        ]
        .concat();
        let found = compare(&results(more), Part::Test).unwrap();
        let among = found
            .iter()
            .find(|c| c.second == "a" && c.first == "b")
            .unwrap();
        assert_eq!(among.spread, alone.spread);
        assert_eq!(among.verdict, Verdict::NoClearDifference, "{among:?}");
        let (p, adjusted) = (alone.adjusted_p.unwrap(), among.adjusted_p.unwrap());
        assert!(
            adjusted > p && adjusted >= among.spread.unwrap().p,
            "{among:?}"
        );
    }

    #[test]
    fn what_is_not_asked_for_is_neither_told_nor_corrected_for() {
        let of = |name: &str, hits: usize| [run(name, 1, hits, 0), run(name, 2, hits, 0)];
        let all = ["old.a", "new.a", "old.b", "new.b"].into_iter();
        let all = all.zip([50, 55, 50, 56]);
        let all: Vec<_> = all.flat_map(|(name, hits)| of(name, hits)).collect();
        let across = |a: &str, b: &str| {
            let of_old = a.strip_prefix("old.");
            of_old.is_some() && of_old == b.strip_prefix("new.")
        };
        let found = super::compare(&results(all), Part::Test, across).unwrap();
        let told: Vec<_> = found.iter().map(|c| c.first.as_str()).collect();
        assert_eq!(told, ["new.a", "new.b"]);
        // Two comparisons stand together, whatever they are of.
        let p = found.iter().map(|c| c.spread.unwrap().p);
        let adjusted: Vec<_> = found.iter().filter_map(|c| c.adjusted_p).collect();
        assert_eq!(adjusted, stats::holm(&p.collect::<Vec<_>>()));
        assert!(adjusted[0] > found[0].spread.unwrap().p, "{found:?}");
    }

    #[test]
    fn of_one_run_there_is_a_difference_and_no_verdict() {
        let one = run("a", 1, 20, 0);
        let two = [run("b", 1, 90, 0), run("b", 2, 91, 0)];
        let found = compare(&results([vec![one], two.to_vec()].concat()), Part::Test).unwrap();
        let found = &found[0];
        assert_eq!(
            (found.spread, found.adjusted_p, found.verdict),
            (None, None, Verdict::OneRun)
        );
        assert!((found.difference - 0.705).abs() < 1e-12, "{found:?}");
        let told: Vec<_> = found
            .tests
            .iter()
            .map(|t| {
                (
                    t.first.as_str(),
                    t.second.as_str(),
                    t.only_first,
                    t.p < 1e-3,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("b[seed=1]", "a[seed=1]", 70, true),
                ("b[seed=2]", "a[seed=1]", 71, true)
            ]
        );
    }

    #[test]
    fn one_run_against_several_gives_the_same_answers_as_none_but_itself() {
        let chosen = Evaluated {
            id: "chosen".to_owned(),
            stage: "chosen".to_owned(),
            varied: Vec::new(),
            ..run("a", 1, 50, 0)
        };
        let both = [run("a", 1, 50, 0), run("a", 2, 60, 0)].to_vec();
        let all = results([vec![chosen.clone()], both].concat());
        let found = &compare(&all, Part::Test).unwrap()[0];
        assert_eq!(found.verdict, Verdict::OneRun);
        let p: Vec<f64> = found.tests.iter().map(|t| t.p).collect();
        assert!(p[0] == 1.0 && p[1] < 0.01, "{found:?}");
        let alone = results(vec![chosen, run("a", 1, 50, 0)]);
        let found = &compare(&alone, Part::Test).unwrap()[0];
        assert_eq!(found.verdict, Verdict::SameAnswers);
    }

    #[test]
    fn runs_of_other_seeds_are_paired_in_their_order() {
        let results = results(vec![run("a", 1, 50, 0), run("b", 9, 40, 0)]);
        let found = compare(&results, Part::Test).unwrap();
        assert_eq!(found[0].tests[0].second, "b[seed=9]");
    }

    #[test]
    fn other_images_are_never_compared_and_damaged_predictions_are_an_error() {
        let mut all = vec![run("a", 1, 50, 0), run("b", 1, 40, 0)];
        all[1].evaluation.parts[0].members = crate::digest::Digest::of(b"other");
        assert!(
            compare(&results(all.clone()), Part::Test)
                .unwrap()
                .is_empty()
        );
        assert!(
            compare(&results(all.clone()), Part::Train)
                .unwrap()
                .is_empty()
        );
        all[0].predictions.pop();
        let error = compare(&results(all), Part::Test).unwrap_err();
        assert_eq!(
            error.message(),
            "the predictions of `a[seed=1]` do not fit its metrics"
        );
    }
}
