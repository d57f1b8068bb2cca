//! Trainings of one stage that differ in settings, where no evaluation stands beside each: which is best on validation, and which
//! setting makes the difference.

use super::{
    Asked,
    sweeps::{across, uprights},
};
use crate::{
    error::Result,
    report::{
        Block, Column, Drawing, Figure, Grid, Parallel, Results, Trained, Unit, Upright,
        cost::Cost,
        results::{recipe, settings},
        units::fixed,
    },
    text::count,
};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    if !asked.page {
        return Ok(Vec::new());
    }
    let mut by_stage: Vec<(&str, Vec<Recipe<'_>>)> = Vec::new();
    for trained in &asked.results.trainings {
        let stage = trained.stage.as_str();
        let known = by_stage.iter().position(|(known, _)| *known == stage);
        let at = known.unwrap_or_else(|| {
            by_stage.push((stage, Vec::new()));
            by_stage.len() - 1
        });
        add(&mut by_stage[at].1, trained);
    }
    by_stage.retain(|(stage, recipes)| recipes.len() > 1 && !is_evaluated(asked.results, stage));
    let of = |(stage, recipes): &(&str, Vec<Recipe<'_>>)| of_stage(stage, recipes);
    Ok(by_stage.iter().flat_map(of).collect())
}

/// Trainings that differ in seed or fold alone.
struct Recipe<'a> {
    name: String,
    values: Vec<&'a str>,
    keys: Vec<&'a str>,
    runs: Vec<Best>,
    trainings: Vec<&'a Trained>,
}

/// A training's best epoch.
struct Best {
    epoch: u32,
    top1: f64,
    loss: f64,
}

fn add<'a>(recipes: &mut Vec<Recipe<'a>>, trained: &'a Trained) {
    let history = &trained.history;
    let best = history
        .epochs
        .iter()
        .find(|epoch| epoch.epoch == history.best_epoch);
    let Some((best, validation)) = best.and_then(|best| Some((best, best.validation?))) else {
        return;
    };
    let run = Best {
        epoch: best.epoch,
        top1: validation.top1,
        loss: validation.loss,
    };
    let name = recipe(&trained.stage, &trained.varied);
    match recipes.iter_mut().find(|known| known.name == name) {
        Some(known) => {
            known.runs.push(run);
            known.trainings.push(trained);
        }
        None => {
            let (keys, values) = settings(&trained.varied).unzip();
            recipes.push(Recipe {
                name,
                values,
                keys,
                runs: vec![run],
                trainings: vec![trained],
            });
        }
    }
}

/// Whether several recipes of a training stage are evaluated, so that they stand in a sweep of evaluations.
fn is_evaluated(results: &Results, stage: &str) -> bool {
    let groups = results.groups();
    let of_it = groups.iter().filter(|group| {
        let model = group.runs[0].model.split('.').next();
        model == Some(stage) && group.settings().next().is_some()
    });
    of_it.count() > 1
}

/// The mean over the runs of a recipe; of none 0.
fn mean(recipe: &Recipe<'_>, of: fn(&Best) -> f64) -> f64 {
    recipe.runs.iter().map(of).sum::<f64>() / recipe.runs.len().max(1) as f64
}

fn of_stage(stage: &str, recipes: &[Recipe<'_>]) -> Vec<Block> {
    let keys = &recipes[0].keys;
    let mut sorted: Vec<&Recipe<'_>> = recipes.iter().filter(|r| r.keys == *keys).collect();
    let top1 = |recipe: &Recipe<'_>| mean(recipe, |run| run.top1);
    sorted.sort_by(|a, b| top1(b).total_cmp(&top1(a)));
    vec![
        Block::heading(2, format!("Sweep of trainings `{stage}`")),
        Block::paragraph(format!(
            "{}, the best on validation first. The first of many is better by chance too, and validation has chosen the epoch of each.",
            count(sorted.len(), "recipe"),
        )),
        Block::table(grid(keys, &sorted)),
        Block::Drawn(Drawing::Parallel(parallel(keys, &sorted))),
    ]
}

fn grid(keys: &[&str], recipes: &[&Recipe<'_>]) -> Grid {
    let columns = keys
        .iter()
        .map(|key| Column::left(format!("`{key}`")).named());
    let costs: Vec<Option<Cost>> = (recipes.iter())
        .map(|recipe| Cost::of(recipe.trainings.iter().copied()))
        .collect();
    let any = costs.iter().any(Option::is_some);
    let cost = any.then(Cost::columns).into_iter().flatten();
    let mut grid = Grid::of(
        columns
            .chain([
                Column::right("n").meaning("runs that differ in seed or fold alone"),
                Column::right("validation top-1")
                    .meaning("at the best epoch, ± the standard deviation over runs"),
                Column::right("validation loss").meaning("at the best epoch, mean over runs"),
                Column::right("best epoch")
                    .meaning("of one run, or from the earliest to the latest"),
            ])
            .chain(cost),
    );
    for (recipe, cost) in recipes.iter().zip(costs) {
        let runs = &recipe.runs;
        let values: Vec<f64> = runs.iter().map(|run| run.top1).collect();
        let epochs = || runs.iter().map(|run| run.epoch);
        let (first, last) = (epochs().min().unwrap_or(0), epochs().max().unwrap_or(0));
        let mut row: Vec<String> = recipe.values.iter().map(|v| (*v).to_owned()).collect();
        row.extend([
            runs.len().to_string(),
            Figure::of(&values, &[]).map_or_else(String::new, |figure| figure.percent()),
            fixed(mean(recipe, |run| run.loss), 4),
            match first == last {
                true => first.to_string(),
                false => format!("{first} to {last}"),
            },
        ]);
        if any {
            row.extend(Cost::cells(cost));
        }
        grid.rows.push(row);
    }
    grid
}

fn parallel(keys: &[&str], recipes: &[&Recipe<'_>]) -> Parallel {
    let values: Vec<&[&str]> = recipes.iter().map(|r| r.values.as_slice()).collect();
    let (mut axes, mut columns) = uprights(keys, &values);
    let top1 = recipes.iter().map(|recipe| mean(recipe, |run| run.top1));
    columns.push(top1.collect());
    axes.push(Upright {
        name: "validation top-1".to_owned(),
        unit: Unit::Share,
        words: Vec::new(),
    });
    across(&values, axes, &columns)
}

#[cfg(test)]
mod tests {
    use crate::{
        record::{Epoch, EpochTiming, History, Measure, Timing},
        report::{Detail, Trained, report, sample},
    };

    fn trained(lr: &str, seed: &str, top1: f64) -> Trained {
        let measure = Measure { loss: 1.0, top1 };
        let varied = [("lr", lr), ("seed", seed)];
        Trained {
            id: format!("net[lr={lr},seed={seed}]"),
            stage: "net".to_owned(),
            varied: varied.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
            history: History {
                epochs: vec![Epoch {
                    epoch: 1,
                    of: 1,
                    lr: 0.1,
                    train: measure,
                    validation: Some(measure),
                }],
                best_epoch: 1,
                stopped_early: None,
            },
            timing: Some(Timing::of(
                vec![EpochTiming {
                    seconds: if seed == "1" { 30.0 } else { 50.0 },
                    train_seconds: 20.0,
                    images: if lr == "0.01" { 2000 } else { 1000 },
                    peak_memory: (seed == "2").then_some(2_100_000_000),
                }],
                0,
            )),
            started: 0,
            fingerprint: None,
        }
    }

    #[test]
    fn trainings_that_only_a_selection_reads_are_a_sweep_too() {
        let mut results = sample::results(Vec::new());
        results.trainings = vec![
            trained("0.01", "1", 0.25),
            trained("0.01", "2", 0.35),
            trained("0.001", "1", 0.50),
            trained("0.001", "2", 0.54),
        ];
        let detail = Detail {
            page: true,
            ..Detail::default()
        };
        let text = report(&results, None, detail).unwrap().markdown();
        let at = text.find("## Sweep of trainings `net`").expect(&text);
        let text = &text[at..];
        let best = text.find("| 0.001 | 2 | 52.0% ± 2.8").expect(text);
        assert!(
            best < text.find("| 0.01 | 2 | 30.0% ± 7.1").expect(text),
            "{text}"
        );
        // What a recipe cost is told once of its seeds: the mean of both, and the most memory.
        assert!(text.contains(" | 40 s | 50 | 2.1 GB |\n"), "{text}");
        assert!(text.contains(" | 40 s | 100 | 2.1 GB |\n"), "{text}");
    }
}
