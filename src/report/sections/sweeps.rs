//! Recipes that differ in settings: which one is best on validation, and which setting makes the difference.

use std::collections::BTreeMap;

use super::Asked;
use crate::{
    error::Result,
    record::{Part, PartMetrics},
    report::{
        Block, Column, Drawing, Grid, Group, Parallel, Results, Unit, Upright, cost::Cost,
        pooled::Pooled, undertrained::trainings, units::share_between,
    },
    text::count,
};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    if !asked.page {
        return Ok(Vec::new());
    }
    let groups = asked.results.groups();
    let mut by_stage: Vec<(&str, Vec<&Group<'_>>)> = Vec::new();
    for group in &groups {
        let stage = group.runs[0].stage.as_str();
        match by_stage.iter_mut().find(|(known, _)| *known == stage) {
            Some((_, of)) => of.push(group),
            None => by_stage.push((stage, vec![group])),
        }
    }
    by_stage.retain(|(_, of)| of.len() > 1);
    let mut blocks = Vec::new();
    for (stage, of) in by_stage {
        blocks.extend(of_stage(stage, &of, asked.results));
    }
    Ok(blocks)
}

/// A recipe with its settings and what came of it.
struct Recipe<'a> {
    values: Vec<&'a str>,
    pooled: Pooled,
    /// Of the trainings behind it, where it judges some.
    cost: Option<Cost>,
}

fn of_stage(stage: &str, groups: &[&Group<'_>], results: &Results) -> Vec<Block> {
    let keys: Vec<&str> = groups[0].settings().map(|(key, _)| key).collect();
    let mut recipes: Vec<Recipe<'_>> = groups
        .iter()
        .map(|group| Recipe {
            values: group.settings().map(|(_, value)| value).collect(),
            pooled: Pooled::of(group),
            cost: Cost::of(trainings(results, group)),
        })
        .collect();
    recipes.retain(|recipe| recipe.values.len() == keys.len());
    // By validation where there is one: a test set that chooses is no test set any more.
    let judged = [Part::Validation, Part::Test, Part::Train];
    let by = judged
        .into_iter()
        .find(|part| recipes.iter().all(|r| r.pooled.part(*part).is_some()));
    let Some(by) = by else {
        return Vec::new();
    };
    let top1 = |recipe: &Recipe<'_>, part| recipe.pooled.part(part).map(|p| p.top1);
    recipes.sort_by(|a, b| {
        let (a, b) = (top1(a, by).unwrap_or(0.0), top1(b, by).unwrap_or(0.0));
        b.total_cmp(&a)
    });
    let shown: Vec<Part> = judged
        .into_iter()
        .filter(|part| recipes.iter().any(|r| r.pooled.part(*part).is_some()))
        .collect();
    vec![
        Block::heading(2, format!("Sweep `{stage}`")),
        Block::paragraph(format!(
            "{}, the best on {} first. The first of many is better by chance too: what may be said stands under “Comparisons”.",
            count(recipes.len(), "recipe"),
            by.name()
        )),
        Block::table(grid(&keys, &recipes, &shown)),
        Block::Drawn(Drawing::Parallel(parallel(&keys, &recipes, &shown))),
    ]
}

fn grid(keys: &[&str], recipes: &[Recipe<'_>], shown: &[Part]) -> Grid {
    let settings = keys
        .iter()
        .map(|key| Column::left(format!("`{key}`")).named());
    let runs = Column::right("n").meaning("runs that differ in seed or fold alone");
    let parts = shown.iter().map(|part| {
        Column::right(format!("{} top-1 (95% interval)", part.name()))
            .meaning("over images and runs")
    });
    let costs = recipes.iter().any(|recipe| recipe.cost.is_some());
    let cost = costs.then(Cost::columns).into_iter().flatten();
    let mut grid = Grid::of(settings.chain([runs]).chain(parts).chain(cost));
    let cell = |part: Option<&PartMetrics>| match part {
        Some(p) => share_between(p.top1, p.top1_interval),
        None => "-".to_owned(),
    };
    for recipe in recipes {
        let mut row: Vec<String> = recipe.values.iter().map(|v| (*v).to_owned()).collect();
        row.push(recipe.pooled.runs.to_string());
        row.extend(shown.iter().map(|part| cell(recipe.pooled.part(*part))));
        if costs {
            row.extend(Cost::cells(recipe.cost));
        }
        grid.rows.push(row);
    }
    grid
}

/// The axes of settings, and on each the place of every recipe, given their values.
pub(super) fn uprights(keys: &[&str], recipes: &[&[&str]]) -> (Vec<Upright>, Vec<Vec<f64>>) {
    let mut axes = Vec::new();
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let written: Vec<&str> = recipes.iter().map(|values| values[place]).collect();
        let numbers: Option<Vec<f64>> = written.iter().map(|v| v.parse().ok()).collect();
        let mut words: Vec<String> = Vec::new();
        columns.push(numbers.unwrap_or_else(|| {
            let mut all: BTreeMap<&str, f64> = written.iter().map(|v| (*v, 0.0)).collect();
            for (i, (word, at)) in all.iter_mut().enumerate() {
                *at = i as f64;
                words.push((*word).to_owned());
            }
            written.iter().map(|word| all[word]).collect()
        }));
        axes.push(Upright {
            name: (*key).to_owned(),
            unit: Unit::Number,
            words,
        });
    }
    (axes, columns)
}

fn parallel(keys: &[&str], recipes: &[Recipe<'_>], shown: &[Part]) -> Parallel {
    let values: Vec<&[&str]> = recipes.iter().map(|r| r.values.as_slice()).collect();
    let (mut axes, mut columns) = uprights(keys, &values);
    for part in shown.iter().filter(|part| **part != Part::Train) {
        let values = recipes.iter().map(|r| r.pooled.part(*part).map(|p| p.top1));
        let Some(values) = values.collect::<Option<Vec<f64>>>() else {
            continue;
        };
        columns.push(values);
        axes.push(Upright {
            name: format!("{} top-1", part.name()),
            unit: Unit::Share,
            words: Vec::new(),
        });
    }
    across(&values, axes, &columns)
}

/// A line for each recipe, named by its values, through its place on every axis.
pub(super) fn across(recipes: &[&[&str]], axes: Vec<Upright>, columns: &[Vec<f64>]) -> Parallel {
    let line = |(i, values): (usize, &&[&str])| {
        let places = columns.iter().map(|column| column[i]).collect();
        (values.join(", "), places)
    };
    Parallel {
        lines: recipes.iter().enumerate().map(line).collect(),
        axes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{EpochTiming, Timing},
        report::{
            Detail, Document, Trained, report,
            sample::{evaluated_on, results, rights},
            undertrained::tests::rising,
        },
    };

    fn sweep() -> Document {
        let run = |lr: &str, arch: &str, seed: &str, hits: usize| {
            let right = rights(hits, 100);
            evaluated_on(
                "tuned",
                &[("arch", arch), ("lr", lr), ("seed", seed)],
                &[
                    (Part::Validation, right.as_slice()),
                    (Part::Test, right.as_slice()),
                ],
            )
        };
        let mut results = results(vec![
            run("0.01", "resnet18", "1", 40),
            run("0.01", "resnet18", "2", 42),
            run("0.001", "resnet50", "1", 60),
            run("0.001", "resnet50", "2", 64),
        ]);
        // One recipe has a training that tells what it took; it is of both seeds.
        for (seed, seconds) in [("1", 30.0), ("2", 50.0)] {
            results.trainings.push(trained(seed, seconds));
        }
        let detail = Detail {
            page: true,
            ..Detail::default()
        };
        report(&results, None, detail).unwrap()
    }

    fn trained(seed: &str, seconds: f64) -> Trained {
        let varied = [("arch", "resnet50"), ("lr", "0.001"), ("seed", seed)];
        Trained {
            id: format!("resnet18[seed={seed}]"),
            stage: "resnet18".to_owned(),
            varied: varied.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
            history: rising(),
            timing: Some(Timing::of(
                vec![EpochTiming {
                    seconds,
                    train_seconds: 20.0,
                    images: 2000,
                    peak_memory: None,
                }],
                0,
            )),
            started: 0,
            fingerprint: None,
        }
    }

    #[test]
    fn what_a_recipe_cost_and_that_its_trainings_ended_too_early_are_told_once_of_its_seeds() {
        let text = sweep().markdown();
        assert!(text.contains(" | 40 s | 100 | - |\n"), "{text}");
        assert!(text.contains(" | - | - | - |\n"), "{text}");
        let first = text
            .lines()
            .find(|line| line.starts_with("- `tuned[arch=resnet50,lr=0.001]`: "))
            .expect(&text);
        assert!(
            first.contains(
                "undertrained, for validation still rises at the last epoch of 2 of 2 trainings"
            ),
            "{first}"
        );
        let other = text
            .lines()
            .find(|line| line.starts_with("- `tuned[arch=resnet18,"));
        assert!(!other.expect(&text).contains("undertrained"), "{text}");
        assert!(
            text.contains(
                "- Undertrained: the last epoch is the best, validation top-1 still rises (35.0% after epoch 4, 47.0% after epoch 6) while"
            ),
            "{text}"
        );
    }

    #[test]
    fn recipes_of_a_sweep_are_sorted_by_validation_over_their_seeds() {
        let text = sweep().markdown();
        let at = text.find("## Sweep `tuned`").expect(&text);
        let text = &text[at..];
        let (best, worst) = (
            text.find("| resnet50").unwrap(),
            text.find("| resnet18").unwrap(),
        );
        assert!(best < worst && text.contains("62.0% ("), "{text}");
        assert!(text.contains("2 recipes, the best on validation first."));
    }

    #[test]
    fn axes_hold_numbers_where_all_values_are_numbers_and_else_words() {
        let document = sweep();
        let found = document.blocks.iter().find_map(|block| match block {
            Block::Drawn(Drawing::Parallel(parallel)) => Some(parallel),
            _ => None,
        });
        let parallel = found.unwrap();
        let axes: Vec<_> = parallel
            .axes
            .iter()
            .map(|a| (a.name.as_str(), a.words.len()))
            .collect();
        assert_eq!(
            axes,
            [
                ("arch", 2),
                ("lr", 0),
                ("validation top-1", 0),
                ("test top-1", 0)
            ]
        );
        let (name, values) = &parallel.lines[0];
        assert_eq!((name.as_str(), values[1]), ("resnet50, 0.001", 0.001));
    }
}
