//! Finished results for who only wants to use them: as the pipeline and its data stand now where they are there, else the newest.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf, absolute},
    time::{Duration, SystemTime},
};

use super::{
    options::Options,
    status::{Status, status},
    summary::{Outcome, StageSummary, Summary},
};
use crate::{
    cache::{Cache, Found, Record, same_settings},
    digest::Digest,
    error::{Class, Error, Result},
    event::Observer,
    plan::Graph,
    stage::{Source, Stage},
    text::{in_one_line, plural, shown},
};

/// Finished results, and of which stages they are not what a run would give now.
#[derive(Debug)]
pub struct Newest {
    /// The results.
    pub summary: Summary,
    /// The wanted stages whose settings or inputs have changed since, with why their result is not the one of now.
    pub older: Vec<Older>,
    /// The wanted stages that have no result to show; none where that was not to be.
    pub missing: Vec<Missing>,
    /// The wanted stages whose result of now was begun and is not there yet.
    pub begun: Vec<Begun>,
}

/// A stage whose result of now was begun.
#[derive(Debug)]
pub struct Begun {
    /// Its id.
    pub id: String,
    /// The folder of what is left of it to go on from; there may be none.
    pub state: PathBuf,
    /// Whether a run is at it now.
    pub is_running: bool,
}

/// A stage without a result to show.
#[derive(Debug)]
pub struct Missing {
    /// Its id.
    pub id: String,
    /// Why it would have to run.
    pub why: String,
}

/// A stage whose newest result serves though its inputs have changed since, or cannot be read.
#[derive(Debug)]
pub struct Older {
    /// Its id.
    pub id: String,
    /// What changed, or why that cannot be told.
    pub why: String,
    /// How long ago the result was made.
    pub age: Duration,
}

/// The finished results of the stages of `options` and of what they were made from, without running anything. Of a stage that has
/// none as the pipeline and its data stand, the newest with the settings of now serves; `locked` has the keys of the pipeline's
/// lock file, by id. A stage without any is missing where `some_may_be_missing`, else an error.
///
/// # Errors
/// When a stage has no such result and none may be missing, the graph is wrong, or a name is no stage.
pub fn newest(
    stages: &[Box<dyn Stage>],
    options: &Options,
    cache: &Cache,
    locked: &BTreeMap<String, Digest>,
    some_may_be_missing: bool,
    observer: &dyn Observer,
) -> Result<Newest> {
    let graph = Graph::new(stages)?;
    let order = graph.needed(&options.targets)?;
    let wanted = wanted(&graph, options, &order)?;
    let now = match status(stages, options, cache, observer) {
        Err(error) if error.class() == Class::Interrupted => return Err(error),
        now => now,
    };
    let statuses = now.iter().flatten();
    let by_id: HashMap<&str, &Status> = statuses.map(|s| (s.id.as_str(), &s.status)).collect();
    let mut search = Search {
        options,
        cache,
        locked,
        records: None,
    };
    let mut asked = HashMap::new();
    let (mut found, mut older, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    // What reads comes before what it reads: a result brings those along that it was made from.
    for &index in order.iter().rev() {
        let stage = stages[index].as_ref();
        let status = by_id.get(stage.id()).copied();
        let is_wanted = wanted.contains(&index);
        let serving = search.serving(stage, status, asked.get(stage.id()));
        // One that serves may have been brought along by a reader that is older itself.
        let is_of_now = serving.as_ref().is_some_and(|r| is_of_now(status, r));
        let record = match serving {
            Some(record) => record,
            None if asked.contains_key(stage.id()) || !is_wanted => continue,
            None => match search.own(stage) {
                Some(record) => record,
                None if some_may_be_missing => {
                    let (id, why) = (stage.id().to_owned(), why(status, &now));
                    missing.push(Missing { id, why });
                    continue;
                }
                None => return Err(none(stage.id(), now)),
            },
        };
        if is_wanted && !is_of_now {
            let (id, why, age) = (stage.id().to_owned(), why(status, &now), age(&record));
            older.push(Older { id, why, age });
        }
        ask(&mut asked, stage, &record, stages);
        found.push(cached(stage, record));
    }
    found.reverse();
    older.reverse();
    missing.reverse();
    Ok(Newest {
        summary: Summary::new(found, cache.clone()),
        older,
        missing,
        begun: begun(
            order
                .iter()
                .filter(|i| wanted.contains(i))
                .map(|i| stages[*i].id()),
            &by_id,
            cache,
        ),
    })
}

/// Whether a result is the one that a run would give.
fn is_of_now(status: Option<&Status>, found: &Record) -> bool {
    matches!(status, Some(Status::Cached { record }) if record.key == found.key)
}

/// What was begun of stages that would have to run.
fn begun<'a>(
    ids: impl Iterator<Item = &'a str>,
    status: &HashMap<&str, &Status>,
    cache: &Cache,
) -> Vec<Begun> {
    let begun = |id: &'a str| {
        let Status::Run { key, .. } = status.get(id)? else {
            return None;
        };
        let state = cache.attempt_state(key);
        let is_running = cache.is_worked_on(key);
        (is_running || state.is_dir()).then(|| Begun {
            id: id.to_owned(),
            state,
            is_running,
        })
    };
    ids.filter_map(begun).collect()
}

/// The stages that are asked for by name; all where none is.
fn wanted(graph: &Graph, options: &Options, order: &[usize]) -> Result<BTreeSet<usize>> {
    let mut wanted = BTreeSet::new();
    for name in &options.targets {
        wanted.extend(graph.named(name)?);
    }
    if options.targets.is_empty() {
        wanted.extend(order);
    }
    Ok(wanted)
}

/// A stage whose result is there.
fn cached(stage: &dyn Stage, record: Box<Record>) -> StageSummary {
    StageSummary {
        id: stage.id().to_owned(),
        kind: stage.kind(),
        outcome: Outcome::Cached,
        seconds: record.seconds,
        record: Some(record),
    }
}

/// Asks the stages that a stage reads for what its result was made from; who has been asked already is left alone.
fn ask<'a>(
    asked: &mut HashMap<&'a str, Asked>,
    stage: &dyn Stage,
    record: &Record,
    stages: &'a [Box<dyn Stage>],
) {
    for input in stage.inputs() {
        if let Source::Stage { id, output } = input.source
            && let Some(content) = record.document.inputs.get(&input.role)
            && let Some(above) = stages.iter().find(|s| s.id() == id)
        {
            asked.entry(above.id()).or_insert(Asked {
                output,
                content: *content,
                entry: record.from.get(&input.role).copied(),
            });
        }
    }
}

/// What a reader's result was made from.
struct Asked {
    output: String,
    content: Digest,
    /// The entry it was read from. It may be another stage's than the one that is looked for: a selection hands on the very model of a
    /// training, and the result of who reads either is one.
    entry: Option<Digest>,
}

impl Asked {
    fn is_met_by(&self, stage: &dyn Stage, record: &Record) -> bool {
        record.document.kind == stage.kind()
            && (record.outputs.get(&self.output)).is_some_and(|found| found.digest == self.content)
    }
}

struct Search<'a> {
    options: &'a Options,
    cache: &'a Cache,
    locked: &'a BTreeMap<String, Digest>,
    records: Option<Vec<Record>>,
}

impl Search<'_> {
    /// The newest whole result of a stage with its settings of now: of the pipeline file's last whole run, or made for it.
    fn own(&mut self, stage: &dyn Stage) -> Option<Box<Record>> {
        let cache = self.cache;
        let records = self.records.get_or_insert_with(|| cache.records());
        let here = self.options.pipeline.as_deref().map(place);
        let locked = self.locked.get(stage.id());
        let mut own: Vec<_> = records
            .iter()
            .filter(|record| {
                let made_for = record.stage == stage.id()
                    && here.is_some()
                    && record.pipeline.as_deref().map(place) == here;
                (made_for || locked == Some(&record.key))
                    && record.document.kind == stage.kind()
                    && same_settings(&record.document.settings, &stage.settings())
            })
            .map(|record| (record.started, record.key))
            .collect();
        own.sort_unstable();
        own.iter().rev().find_map(|(_, key)| self.whole(key))
    }

    /// The result of a stage: the one of now, where it is there and who reads it was made from the same; else the one that they were
    /// made from.
    fn serving(
        &self,
        stage: &dyn Stage,
        status: Option<&Status>,
        asked: Option<&Asked>,
    ) -> Option<Box<Record>> {
        let now = match status {
            Some(Status::Cached { record }) => Some(record.clone()),
            _ => None,
        };
        let Some(asked) = asked else {
            return now;
        };
        let now = now.filter(|record| asked.is_met_by(stage, record));
        // Gone, perhaps; who uses the reader's result need not look at what it was made from.
        now.or_else(|| {
            let entry = asked.entry.and_then(|key| self.whole(&key));
            entry.filter(|record| asked.is_met_by(stage, record))
        })
    }

    fn whole(&self, key: &Digest) -> Option<Box<Record>> {
        match self.cache.find(key, &|_| {}) {
            Found::Hit(record) => Some(record),
            Found::Miss | Found::Damaged(_) => None,
        }
    }
}

/// Where a pipeline file lies, however it was named.
pub(super) fn place(file: &str) -> PathBuf {
    absolute(Path::new(file)).unwrap_or_else(|_| file.into())
}

/// Why a stage has nothing to show.
fn none(id: &str, now: Result<Vec<super::StageStatus>>) -> Error {
    now.map_or_else(
        |error| error,
        |_| {
            let message = format!(
                "stage `{}` has no finished result for the pipeline as it stands",
                shown(id)
            );
            Error::failed(message).help("`kfood run` makes it")
        },
    )
}

fn why(status: Option<&Status>, now: &Result<Vec<super::StageStatus>>) -> String {
    match (status, now) {
        (Some(Status::Run { reasons, .. }), _) => {
            let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
            reasons.join("; ")
        }
        (Some(Status::Waits { on, .. }), _) => {
            let has = plural(on.len(), "has");
            format!("`{}` {has} to run first", on.join("`, `"))
        }
        (_, Err(error)) => {
            let text = error.to_string();
            let line = in_one_line(text.strip_prefix("error: ").unwrap_or(&text));
            format!("its inputs cannot be read now: {line}")
        }
        _ => "it is not as it was".to_owned(),
    }
}

fn age(record: &Record) -> Duration {
    let made = SystemTime::UNIX_EPOCH + Duration::from_secs(record.started);
    SystemTime::now().duration_since(made).unwrap_or_default()
}
