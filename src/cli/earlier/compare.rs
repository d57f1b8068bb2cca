//! Two sides beside each other: settings, figures, and image by image what is still in the cache.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::json;

use super::Side;
use crate::{
    cache::{Cache, Record},
    cli::{
        behind::settings_behind,
        documents,
        language::{self, Lang},
        past_runs::{Difference, differences, settings},
        print, results,
        thumbnails::Origin,
    },
    error::Result,
    files,
    record::{Evaluation, Part, PastEvaluation, PastRun, Prediction},
    report::{
        self, Align, Block, Change, Column, Document, Evaluated, Evidence, Format, Grid, Results,
        Source, percent,
    },
    text::{count, either},
};

/// What two runs gave under one name.
#[derive(Default)]
struct SideBySide {
    /// The evaluations of either run, where both are in the cache and not the same. They stand together, for what is compared in one
    /// table is corrected together.
    results: Results,
    /// The names of each recipe in either run.
    pairs: BTreeSet<(String, String)>,
    /// Evaluations whose results are the very same.
    same: usize,
    /// Evaluations of which a result is no longer in the cache.
    gone: usize,
    /// Evaluations of either run that none of the other is held against.
    alone: usize,
}

/// In what form it is told.
pub(in crate::cli) struct Form<'a> {
    /// JSON on standard output.
    pub(in crate::cli) json: bool,
    /// Markdown on standard output.
    pub(in crate::cli) markdown: bool,
    /// A file, by whose ending.
    pub(in crate::cli) output: Option<&'a Path>,
    /// The language asked for.
    pub(in crate::cli) lang: Option<Lang>,
}

/// Settings, figures, and image by image what is still there.
///
/// # Errors
/// When predictions do not fit their metrics, or the result cannot be written.
pub(in crate::cli) fn compare(a: &Side, b: &Side, form: &Form<'_>) -> Result<()> {
    let known = a.has_settings && b.has_settings;
    let changed = match known {
        true => differences(&settings(&a.run), &settings(&b.run)),
        false => Vec::new(),
    };
    let found = side_by_side(a, b);
    // Each for itself: all are told, however many there are.
    let changes = || -> Vec<Change> {
        let one = |(from, to): &(String, String)| {
            report::changes(&found.results, |a, b| a == from && b == to)
        };
        found.pairs.iter().flat_map(one).collect()
    };
    if form.json {
        return as_json(a, b, &found, known.then_some(&changed), &changes());
    }
    let mut blocks = vec![Block::paragraph(format!(
        "`{}` {}, `{}` {}.",
        a.name, a.from, b.name, b.from
    ))];
    blocks.push(match known {
        true => settings_block(a, b, &changed),
        false => no_settings(form),
    });
    blocks.push(Block::table(top1_table(a, b)));
    blocks.extend(report::compared(&found.results, |a, b| found.has(a, b))?);
    if found.same > 0 {
        let n = count(found.same, "evaluation");
        let told = format!("Of {n} both have the very same result.");
        blocks.push(Block::paragraph(told));
    }
    if found.gone > 0 {
        let n = count(found.gone, "evaluation");
        let told = format!("Of {n} a result is no longer in the cache: figures alone are told.");
        blocks.push(Block::paragraph(told));
    }
    if found.alone > 0 {
        let n = count(found.alone, "evaluation");
        let have = either(found.alone, "has", "have");
        blocks.push(Block::paragraph(format!("{n} {have} no counterpart.")));
    }
    let Some(path) = form.output else {
        let document = Document::new(blocks).in_language(language::of(form.lang, false));
        return match form.markdown {
            true => print::out(&document.markdown()),
            false => print::told(&document.terminal(print::width())),
        };
    };
    let title = format!("Comparison: {}, {}", a.name, b.name);
    blocks.insert(0, Block::heading(1, title));
    let pictures = Format::of(path)?.pictures;
    blocks.extend(report::change_blocks(&changes(), pictures));
    let document = Document::new(blocks).in_language(language::of(form.lang, pictures));
    let prefixes = [a, b].map(|side| format!("{}.", side.name));
    let origins = [a, b].into_iter().zip(&prefixes);
    let origins = origins.filter_map(|(side, prefix)| {
        let (opened, newest) = side.now.as_ref()?;
        Some((prefix.as_str(), opened, &newest.summary))
    });
    let origins: Vec<Origin<'_>> = origins.collect();
    documents::write(path, &document, &origins, Evidence::new())
}

fn as_json(
    a: &Side,
    b: &Side,
    found: &SideBySide,
    settings: Option<&Vec<Difference>>,
    changes: &[Change],
) -> Result<()> {
    let on = |part| report::compare(&found.results, part, |a, b| found.has(a, b));
    print::json(&json!({
        "runs": [{ "name": a.name, "run": a.run }, { "name": b.name, "run": b.run }],
        "settings": settings, "same": found.same, "gone": found.gone, "no_counterpart": found.alone,
        "validation_comparisons": on(Part::Validation)?,
        "comparisons": on(Part::Test)?,
        "changes": changes,
    }))
}

fn side_by_side(a: &Side, b: &Side) -> SideBySide {
    let mut found = SideBySide::default();
    found.results.judged = results::judged_in([&a.cache, &b.cache]);
    let pairs = pairs(&a.run, &b.run);
    found.alone = a.run.evaluations.len() + b.run.evaluations.len() - 2 * pairs.len();
    for (old, new) in pairs {
        if old.key == new.key {
            found.same += 1;
            continue;
        }
        let (Some(x), Some(y)) = (in_cache(&a.cache, old), in_cache(&b.cache, new)) else {
            found.gone += 1;
            continue;
        };
        let pair = [evaluated(a, old, x), evaluated(b, new, y)];
        let [from, to] = [&pair[0], &pair[1]].map(|e| report::recipe(&e.stage, &e.varied));
        found.pairs.insert((from, to));
        found.results.evaluations.extend(pair);
    }
    found
}

/// The evaluations of both runs that are held against each other: those of one name, and of those that are left the ones that are alone
/// of their stage and seed, then of their stage. A value of a matrix that was edited is in the name, and what it gave is no other thing.
fn pairs<'a>(a: &'a PastRun, b: &'a PastRun) -> Vec<(&'a PastEvaluation, &'a PastEvaluation)> {
    let likeness: [fn(&PastEvaluation) -> String; 3] = [
        |e| e.id.clone(),
        |e| format!("{} {}", e.stage, report::repetition(&e.varied)),
        |e| e.stage.clone(),
    ];
    let mut pairs = Vec::new();
    let [mut old, mut new] = [a, b].map(|run| run.evaluations.iter().collect::<Vec<_>>());
    for like in likeness {
        let of = |side: &[&'a PastEvaluation]| {
            let mut found: BTreeMap<String, Vec<&'a PastEvaluation>> = BTreeMap::new();
            for one in side.iter().copied() {
                found.entry(like(one)).or_default().push(one);
            }
            found
        };
        let (from, to) = (of(&old), of(&new));
        let alone = from
            .iter()
            .filter_map(|(name, old)| match (&old[..], &to.get(name)?[..]) {
                ([old], [new]) => Some((*old, *new)),
                _ => None,
            });
        let found: Vec<_> = alone.collect();
        old.retain(|e| !found.iter().any(|(old, _)| old.id == e.id));
        new.retain(|e| !found.iter().any(|(_, new)| new.id == e.id));
        pairs.extend(found);
    }
    pairs.sort_by_key(|(old, _)| a.evaluations.iter().position(|e| e.id == old.id));
    pairs
}

impl SideBySide {
    /// Whether these are one recipe in the two runs.
    fn has(&self, from: &str, to: &str) -> bool {
        let mut pairs = self.pairs.iter();
        pairs.any(|(a, b)| a == from && b == to)
    }
}

/// An evaluation of before as `report` compares it, with its run's name in front.
fn evaluated(
    side: &Side,
    past: &PastEvaluation,
    Kept {
        record,
        evaluation,
        predictions,
    }: Kept,
) -> Evaluated {
    let named = |name: &str| format!("{}.{name}", side.name);
    // Where its photographs lie is asked of the pipeline as it is now.
    let now = side
        .now
        .as_ref()
        .filter(|(opened, _)| results::find(opened, &past.id).is_some());
    let source = now.map(|(opened, _)| results::source(opened, Some(&past.id)));
    let source = source.map(|source| Source {
        dataset: named(&source.dataset),
        data: named(&source.data),
    });
    let behind = settings_behind(&side.cache, &record);
    Evaluated {
        id: named(&past.id),
        stage: named(&past.stage),
        varied: past.varied.clone(),
        model: past.model.clone(),
        checkpoint: None,
        arch: None,
        epoch: None,
        made_of: None,
        source: source.unwrap_or_default(),
        evaluation,
        features: None,
        predictions,
        settings: behind.settings,
        all_settings: behind.whole,
        fingerprint: None,
    }
}

/// The result of an evaluation as the cache has it.
struct Kept {
    record: Record,
    evaluation: Evaluation,
    predictions: Vec<Prediction>,
}

/// The result of an evaluation, where it is still in the cache.
fn in_cache(cache: &Cache, past: &PastEvaluation) -> Option<Kept> {
    let record = cache.record(&past.key)?;
    let evaluation = files::read_json(&cache.output(&record, Evaluation::FILE)).ok()?;
    let predictions = Prediction::read_all(&cache.output(&record, Prediction::FILE)).ok()?;
    Some(Kept {
        record,
        evaluation,
        predictions,
    })
}

fn settings_block(a: &Side, b: &Side, changed: &[Difference]) -> Block {
    if changed.is_empty() {
        return Block::paragraph("Their settings are the same.");
    }
    let mut grid = Grid::of([
        Column::left("setting").heading(),
        Column::left(a.name.as_str()),
        Column::left(b.name.as_str()),
    ]);
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    for Difference { setting, old, new } in changed {
        let cells = vec![setting.clone(), value(old), value(new)];
        grid.rows.push(cells);
    }
    Block::table(grid)
}

/// What is said of settings where a side is a lock file. A file has those of the results behind each pair.
fn no_settings(form: &Form<'_>) -> Block {
    Block::paragraph(match form.output {
        Some(_) => {
            "A lock file keeps no settings: those below are of the results, as far as the cache has them."
        }
        None => "A lock file keeps no settings: results alone are compared.",
    })
}

/// Every evaluation of either run with its top-1 on each part; those that are held against each other in one row.
fn top1_table(a: &Side, b: &Side) -> Grid {
    let mut grid = Grid::new(&[
        ("evaluation", Align::Left),
        ("on", Align::Left),
        (a.name.as_str(), Align::Right),
        (b.name.as_str(), Align::Right),
    ]);
    let pairs = pairs(&a.run, &b.run);
    let partner = |of: &PastEvaluation| pairs.iter().find(|(old, _)| old.id == of.id);
    let old = a.run.evaluations.iter();
    let mut rows: Vec<[Option<&PastEvaluation>; 2]> = old
        .map(|old| [Some(old), partner(old).map(|(_, new)| *new)])
        .collect();
    let is_paired = |new: &PastEvaluation| pairs.iter().any(|(_, other)| other.id == new.id);
    let new = b.run.evaluations.iter().filter(|new| !is_paired(new));
    rows.extend(new.map(|new| [None, Some(new)]));
    for sides in rows {
        let there = || sides.into_iter().flatten();
        let mut names: Vec<&str> = there().map(|e| e.id.as_str()).collect();
        names.dedup();
        let parts: BTreeSet<&String> = there().flat_map(|e| e.parts.keys()).collect();
        for part in parts {
            let [old, new] = sides.map(|side| {
                let found = side.and_then(|e| e.parts.get(part));
                found.map_or_else(|| "-".to_owned(), |f| percent(f.top1))
            });
            grid.rows
                .push(vec![names.join(" -> "), part.clone(), old, new]);
        }
    }
    grid
}
