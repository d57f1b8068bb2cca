//! `kfood runs --compare`: two runs of one pipeline side by side.

use serde_json::json;

use super::{Named, Runs, when};
use crate::{
    cache::Cache,
    cli::{
        past_runs::{Difference, differences, settings},
        print,
    },
    error::Result,
    files,
    record::{EvaluatePart, Evaluation, PastEvaluation, PastRun, Prediction},
    report::{self, Align, Block, Column, Document, Evaluated, Grid, Results, Source, percent},
    text::count,
};

/// What two runs gave under one name.
#[derive(Default)]
struct SideBySide {
    /// Of each recipe the evaluations of either run, where both are in the cache and not the same.
    groups: Vec<(String, Results)>,
    /// Evaluations whose results are the very same.
    same: usize,
    /// Evaluations of which a result is no longer in the cache.
    gone: usize,
}

/// Settings, figures, and image by image what is still there.
///
/// # Errors
/// When predictions do not fit their metrics, or standard output cannot be written.
pub(super) fn compare(args: &Runs, cache: &Cache, a: &Named, b: &Named) -> Result<()> {
    let changed = differences(&settings(&a.1), &settings(&b.1));
    let found = side_by_side(cache, a, b);
    let results = || found.groups.iter().map(|(_, results)| results);
    if args.json {
        let on = |part| -> Result<Vec<_>> {
            let compared = results().map(|results| report::compare(results, part));
            Ok(compared.collect::<Result<Vec<_>>>()?.concat())
        };
        return print::json(&json!({
            "runs": [{ "name": a.0, "run": a.1 }, { "name": b.0, "run": b.1 }],
            "settings": changed, "same": found.same, "gone": found.gone,
            "validation_comparisons": on(EvaluatePart::Validation)?,
            "comparisons": on(EvaluatePart::Test)?,
        }));
    }
    let mut blocks = vec![Block::paragraph(format!(
        "`{}` was run {}, `{}` {}.",
        a.0,
        when(&a.1),
        b.0,
        when(&b.1)
    ))];
    blocks.push(settings_block(a, b, &changed));
    blocks.push(Block::table(top1_table(a, b)));
    for results in results() {
        blocks.extend(report::compared(results)?);
    }
    if found.same > 0 {
        let n = count(found.same, "evaluation");
        let told = format!("Of {n} both runs have the very same result.");
        blocks.push(Block::paragraph(told));
    }
    if found.gone > 0 {
        let n = count(found.gone, "evaluation");
        let told = format!("Of {n} a result is no longer in the cache: figures alone are told.");
        blocks.push(Block::paragraph(told));
    }
    print::out(&Document::new(blocks).terminal(print::width()))
}

fn side_by_side(cache: &Cache, a: &Named, b: &Named) -> SideBySide {
    let mut found = SideBySide::default();
    for old in &a.1.evaluations {
        let Some(new) = b.1.evaluations.iter().find(|e| e.id == old.id) else {
            continue;
        };
        if old.key == new.key {
            found.same += 1;
            continue;
        }
        let (Some(x), Some(y)) = (in_cache(cache, old), in_cache(cache, new)) else {
            found.gone += 1;
            continue;
        };
        let pair = [evaluated(&a.0, old, x), evaluated(&b.0, new, y)];
        let recipe = report::recipe(&old.stage, &old.varied);
        let place = found.groups.iter().position(|(name, _)| *name == recipe);
        let place = place.unwrap_or_else(|| {
            found.groups.push((recipe, Results::default()));
            found.groups.len() - 1
        });
        found.groups[place].1.evaluations.extend(pair);
    }
    found
}

/// An evaluation of before as `report` compares it, with its run's name in front.
fn evaluated(
    run: &str,
    past: &PastEvaluation,
    (evaluation, predictions): (Evaluation, Vec<Prediction>),
) -> Evaluated {
    let named = |name: &str| format!("{run}.{name}");
    Evaluated {
        id: named(&past.id),
        stage: named(&past.stage),
        varied: past.varied.clone(),
        model: past.model.clone(),
        checkpoint: None,
        arch: None,
        epoch: None,
        made_of: None,
        source: Source::default(),
        evaluation,
        features: None,
        predictions,
        settings: std::collections::BTreeMap::new(),
        fingerprint: None,
    }
}

/// The result of an evaluation, where it is still in the cache.
fn in_cache(cache: &Cache, past: &PastEvaluation) -> Option<(Evaluation, Vec<Prediction>)> {
    let record = cache.record(&past.key)?;
    let evaluation = files::read_json(&cache.output(&record, Evaluation::FILE)).ok()?;
    let predictions = Prediction::read_all(&cache.output(&record, Prediction::FILE)).ok()?;
    Some((evaluation, predictions))
}

fn settings_block(a: &Named, b: &Named, changed: &[Difference]) -> Block {
    if changed.is_empty() {
        return Block::paragraph("Their settings are the same.");
    }
    let mut grid = Grid::of([
        Column::left("setting").heading(),
        Column::left(a.0.as_str()),
        Column::left(b.0.as_str()),
    ]);
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    for Difference { setting, old, new } in changed {
        let cells = vec![setting.clone(), value(old), value(new)];
        grid.rows.push(cells);
    }
    Block::table(grid)
}

/// Every evaluation of either run with its top-1 on each part.
fn top1_table(a: &Named, b: &Named) -> Grid {
    let mut grid = Grid::new(&[
        ("evaluation", Align::Left),
        ("on", Align::Left),
        (a.0.as_str(), Align::Right),
        (b.0.as_str(), Align::Right),
    ]);
    let all = a.1.evaluations.iter().chain(&b.1.evaluations);
    let mut seen = Vec::new();
    for evaluation in all {
        for part in evaluation.parts.keys() {
            let place = (evaluation.id.as_str(), part.as_str());
            if seen.contains(&place) {
                continue;
            }
            seen.push(place);
            let of = |run: &PastRun| {
                let found = run.evaluations.iter().find(|e| e.id == evaluation.id);
                let found = found.and_then(|e| e.parts.get(part));
                found.map_or_else(|| "-".to_owned(), |f| percent(f.top1))
            };
            let cells = vec![evaluation.id.clone(), part.clone(), of(&a.1), of(&b.1)];
            grid.rows.push(cells);
        }
    }
    grid
}
