//! Collects what `report` works on from the cache.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::{self, Path},
};

use super::{open::Opened, past_runs, print};
use crate::{
    cache::Cache,
    config::{About, Evaluate, Gives, Instance, ModelSource, Network, Settings},
    digest::Digest,
    error::Result,
    exec::{Begun, Newest, Summary},
    files,
    record::{
        Averaging, Calibration, Evaluation, FeatureLeaks, History, Images, LabelIssues, LeftOut,
        Part, Photographs, Prediction, Selection, Split, Timing,
    },
    report::{
        self, Audited, BegunTraining, Calibrated, Evaluated, MadeOf, NotOfNow, NotUsed, Results,
        Selected, Source, Trained, Unused,
    },
    settings::{Arch, AverageRule, Checkpoint},
    stages::history_so_far,
    text::{count, in_one_line, shown_path},
};

/// The results of a finished pipeline, as far as the summary has them. Predictions, and which images are not used, are read only
/// where that is asked for.
pub(super) fn collect(opened: &Opened, summary: &Summary, images: bool) -> Result<Results> {
    let mut results = empty(opened);
    for instance in &opened.pipeline.instances {
        add(&mut results, opened, summary, instance, images)?;
    }
    Ok(results)
}

/// The results that are there, and why others are not, or are not those of now.
pub(super) fn collect_what_is_there(opened: &Opened, newest: &Newest) -> Results {
    let mut results = empty(opened);
    let failed = past_runs::failed(opened);
    for instance in &opened.pipeline.instances {
        let id = &instance.id;
        let is_running = newest.begun.iter().any(|b| b.id == *id && b.is_running);
        let told = |earlier: bool, why: &str| NotOfNow {
            id: id.clone(),
            earlier,
            why: match failed.get(id) {
                _ if is_running => "a run is at it now".to_owned(),
                Some(error) => after_failing(error, why),
                None => why.to_owned(),
            },
        };
        if let Err(error) = add(&mut results, opened, &newest.summary, instance, true) {
            let error = error.to_string();
            let line = in_one_line(error.strip_prefix("error: ").unwrap_or(&error));
            results.not_of_now.push(told(false, &line));
        }
        let older = newest.older.iter().find(|older| older.id == *id);
        let missing = newest.missing.iter().find(|missing| missing.id == *id);
        let older = older.map(|older| told(true, &older.why));
        let missing = missing.map(|missing| told(false, &missing.why));
        results.not_of_now.extend(older.or(missing));
    }
    results.begun = begun(opened, newest);
    results.jobs = past_runs::jobs(opened, &newest.summary);
    results
}

/// That a stage failed, and what else there is to say of its result. That nothing came out of it is said by that.
fn after_failing(error: &str, why: &str) -> String {
    let failed = format!("failed in the last run: {error}");
    let reasons = why.split("; ").filter(|reason| *reason != "never run");
    let all: Vec<&str> = [failed.as_str()].into_iter().chain(reasons).collect();
    all.join("; ")
}

/// How far trainings have come that were begun.
fn begun(opened: &Opened, newest: &Newest) -> Vec<BegunTraining> {
    let trainings = newest.begun.iter().filter(|begun| {
        let instance = find(opened, &begun.id);
        instance.is_some_and(|i| i.settings.gives() == Gives::Training)
    });
    let so_far = |begun: &Begun| BegunTraining {
        id: begun.id.clone(),
        history: history_so_far(&begun.state).unwrap_or_default(),
        is_running: begun.is_running,
    };
    trainings.map(so_far).collect()
}

/// [`judged`] over some caches, of which several may be one.
pub(super) fn judged_in<'a>(
    caches: impl IntoIterator<Item = &'a Cache>,
) -> BTreeMap<Digest, usize> {
    let mut seen = BTreeSet::new();
    let mut found = BTreeMap::new();
    for cache in caches {
        if seen.insert(cache.root()) {
            found.append(&mut judged(cache));
        }
    }
    found
}

/// How many different models have an evaluation in the cache, by the test images that it is on.
pub(super) fn judged(cache: &Cache) -> BTreeMap<Digest, usize> {
    let mut found: BTreeMap<Digest, BTreeSet<Vec<Digest>>> = BTreeMap::new();
    let records = cache.records();
    let judges = |kind: &str| About::named(kind).is_some_and(|kind| kind.gives == Gives::Judged);
    for record in records.iter().filter(|r| judges(&r.document.kind)) {
        let inputs = record.document.inputs.iter();
        let models = inputs.filter(|(role, _)| role.starts_with("model"));
        let models: Vec<Digest> = models.map(|(_, digest)| *digest).collect();
        // A result that cannot be read counts for nothing.
        let metrics = cache.output(record, Evaluation::FILE);
        let Ok(Evaluation { parts, .. }) = files::read_json(&metrics) else {
            continue;
        };
        for part in parts.iter().filter(|part| part.part == Part::Test) {
            found
                .entry(part.members)
                .or_default()
                .insert(models.clone());
        }
    }
    found
        .into_iter()
        .map(|(members, models)| (members, models.len()))
        .collect()
}

/// Stages that are told by name.
const NAMED: usize = 3;

/// Says which results are missing, or are earlier ones.
pub(super) fn tell_not_of_now(stages: &[NotOfNow]) {
    for stage in stages.iter().take(NAMED) {
        print::say(&format!("note: {}", report::not_of_now(stage)));
    }
    if let Some(more @ 1..) = stages.len().checked_sub(NAMED) {
        let more = count(more, "more stage");
        print::say(&format!(
            "note: so it is with {more}; `kfood plan` says why"
        ));
    }
}

fn empty(opened: &Opened) -> Results {
    Results {
        pipeline: in_project(opened, &opened.pipeline.file),
        ..Results::default()
    }
}

/// What one instance left, if anything.
fn add(
    results: &mut Results,
    opened: &Opened,
    summary: &Summary,
    instance: &Instance,
    images: bool,
) -> Result<()> {
    let Some(record) = summary.record(&instance.id) else {
        return Ok(());
    };
    let fingerprint = record.fingerprint.clone();
    match &instance.settings {
        Settings::Evaluate(settings) => {
            let mut evaluated = evaluated(opened, summary, instance, settings)?;
            evaluated.fingerprint = fingerprint;
            if images {
                let path = summary.output(&instance.id, Prediction::FILE)?;
                evaluated.predictions = Prediction::read_all(&path)?;
            }
            results.evaluations.push(evaluated);
        }
        settings if settings.gives() == Gives::Training => results.trainings.push(Trained {
            id: instance.id.clone(),
            history: history(summary, &instance.id)?,
            // Beside the result: one that an earlier kfood made may have another or none.
            timing: timing(summary, &instance.id),
            started: record.started,
            stage: instance.stage.clone(),
            varied: instance.varied.clone(),
            fingerprint,
        }),
        Settings::Audit(settings) if images => results.audits.push(Audited {
            id: instance.id.clone(),
            source: source(opened, settings.from.first()),
            found: files::read_json(&summary.output(&instance.id, LabelIssues::FILE)?)?,
        }),
        Settings::Calibrate(settings) => results.calibrations.push(Calibrated {
            id: instance.id.clone(),
            of: settings.from.clone(),
            found: files::read_json(&summary.output(&instance.id, Calibration::FILE)?)?,
        }),
        Settings::Select(settings) => results.selections.push(Selected {
            id: instance.id.clone(),
            candidates: settings.from.clone(),
            found: files::read_json(&summary.output(&instance.id, Selection::FILE)?)?,
        }),
        Settings::Preprocess(settings) if images => {
            let found = dropped(summary, &instance.id, &settings.dataset)?;
            results.unused.extend(found);
        }
        Settings::Split(settings) if images => {
            let found = left_out(summary, &instance.id, &settings.dataset)?;
            results.unused.extend(found);
        }
        _ => {}
    }
    Ok(())
}

/// Where the photographs of an evaluation are shown from.
pub(super) fn source(opened: &Opened, evaluation: Option<&String>) -> Source {
    let found = evaluation.and_then(|id| find(opened, id));
    match found.map(|instance| &instance.settings) {
        Some(Settings::Evaluate(settings)) => Source {
            dataset: settings.dataset.clone(),
            data: settings.data.clone(),
        },
        _ => Source::default(),
    }
}

/// What a training took, where that is known: it is no part of the result.
fn timing(summary: &Summary, id: &str) -> Option<Timing> {
    let path = summary.beside(id, Timing::FILE)?;
    files::read_json(&path).ok()
}

/// The files that a preprocess stage dropped.
fn dropped(summary: &Summary, id: &str, dataset: &str) -> Result<Option<Unused>> {
    let found: Photographs = files::read_json(&summary.output(id, Photographs::FILE)?)?;
    if found.photographs.iter().all(|p| p.dropped.is_none()) {
        return Ok(None);
    }
    let Images { images } = files::read_json(&summary.output(dataset, Images::FILE)?)?;
    let named = images.iter().zip(&found.photographs);
    let dropped =
        named.filter_map(|(image, p)| Some((image.path.clone(), p.dropped.as_ref()?.to_string())));
    Ok(Some(Unused {
        id: id.to_owned(),
        why: NotUsed::CannotBeDecoded,
        of: images.len(),
        images: dropped.collect(),
    }))
}

/// The images that a split left out.
fn left_out(summary: &Summary, id: &str, dataset: &str) -> Result<Option<Unused>> {
    let split: Split = files::read_json(&summary.output(id, Split::FILE)?)?;
    if split.left_out.is_empty() {
        return Ok(None);
    }
    let Images { images } = files::read_json(&summary.output(dataset, Images::FILE)?)?;
    let path = |image: u32| images.get(image as usize).map_or("", |i| i.path.as_str());
    let like = |left: &LeftOut| (path(left.image).to_owned(), path(left.like).to_owned());
    Ok(Some(Unused {
        id: id.to_owned(),
        why: NotUsed::LooksLikeAnother,
        of: images.len(),
        images: split.left_out.iter().map(like).collect(),
    }))
}

fn evaluated(
    opened: &Opened,
    summary: &Summary,
    instance: &Instance,
    settings: &Evaluate,
) -> Result<Evaluated> {
    let mut made_of = None;
    let (model, checkpoint, arch, epoch) = match &settings.model {
        ModelSource::File { path, .. } => (path.written.clone(), None, None, None),
        ModelSource::Ensemble { id } => {
            let found = find(opened, id);
            if let Some(Network::All(members)) = found.map(|i| i.settings.network()) {
                let members = members.len();
                made_of = Some(MadeOf::Ensemble { members });
            }
            (found.map_or(id, |i| &i.stage).clone(), None, None, None)
        }
        ModelSource::Stage { id, checkpoint } => {
            let history = history(summary, id)?;
            let epoch = match checkpoint {
                Checkpoint::Best => history.best_epoch,
                Checkpoint::Last => history.epochs.last().map_or(0, |e| e.epoch),
            };
            let arch = arch(opened, summary, id)?;
            let name = model_name(opened, summary, id)?;
            made_of = average_of(opened, summary, id)?;
            // An average has no epochs of its own.
            let epoch = made_of.is_none().then_some(epoch);
            (name, Some(*checkpoint), arch, epoch)
        }
    };
    Ok(Evaluated {
        id: instance.id.clone(),
        stage: instance.stage.clone(),
        varied: instance.varied.clone(),
        model,
        checkpoint,
        arch,
        epoch,
        made_of,
        source: source(opened, Some(&instance.id)),
        evaluation: files::read_json(&summary.output(&instance.id, Evaluation::FILE)?)?,
        features: feature_leaks(summary, &instance.id)?,
        predictions: Vec::new(),
        settings: BTreeMap::new(),
        all_settings: false,
        fingerprint: None,
    })
}

/// Look-alikes by the model's features, where the evaluation looked for them.
fn feature_leaks(summary: &Summary, id: &str) -> Result<Option<FeatureLeaks>> {
    let record = summary.record(id);
    if record.is_none_or(|record| !record.outputs.contains_key(FeatureLeaks::FILE)) {
        return Ok(None);
    }
    files::read_json(&summary.output(id, FeatureLeaks::FILE)?).map(Some)
}

fn history(summary: &Summary, id: &str) -> Result<History> {
    files::read_json(&summary.output(id, History::FILE)?)
}

/// The stage as the pipeline names it; for a selection also what it handed on.
fn model_name(opened: &Opened, summary: &Summary, id: &str) -> Result<String> {
    let Some(instance) = find(opened, id) else {
        return Ok(id.to_owned());
    };
    match chosen(summary, instance)? {
        Some(chosen) => Ok(format!("{} = {chosen}", instance.stage)),
        None => Ok(instance.stage.clone()),
    }
}

/// The architecture of a stage's model; `None` where it came from a file.
fn arch(opened: &Opened, summary: &Summary, id: &str) -> Result<Option<Arch>> {
    let Some(instance) = find(opened, id) else {
        return Ok(None);
    };
    match instance.settings.network() {
        Network::Built(arch) => Ok(Some(arch)),
        Network::Of(id) => arch(opened, summary, id),
        Network::OneOf(_) => match chosen(summary, instance)? {
            Some(chosen) => arch(opened, summary, &chosen),
            None => Ok(None),
        },
        Network::All(_) | Network::Unknown => Ok(None),
    }
}

/// Of how many models a stage's model is the mean; `None` where it is none.
fn average_of(opened: &Opened, summary: &Summary, id: &str) -> Result<Option<MadeOf>> {
    let Some(instance) = find(opened, id) else {
        return Ok(None);
    };
    if let Settings::Average(average) = &instance.settings {
        let averaging: Averaging = files::read_json(&summary.output(id, Averaging::FILE)?)?;
        return Ok(Some(MadeOf::Average {
            used: averaging.used.len(),
            of: (average.rule == AverageRule::Greedy).then_some(averaging.tried.len()),
        }));
    }
    match chosen(summary, instance)? {
        Some(chosen) => average_of(opened, summary, &chosen),
        None => Ok(None),
    }
}

/// What a selection handed on.
fn chosen(summary: &Summary, instance: &Instance) -> Result<Option<String>> {
    let Network::OneOf(from) = instance.settings.network() else {
        return Ok(None);
    };
    let selection: Selection = files::read_json(&summary.output(&instance.id, Selection::FILE)?)?;
    Ok(from.get(selection.chosen).cloned())
}

pub(super) fn find<'a>(opened: &'a Opened, id: &str) -> Option<&'a Instance> {
    opened.pipeline.instances.iter().find(|i| i.id == id)
}

/// A file as reports name it, which are the same wherever they are made: by its place in the project, and one of elsewhere by its name
/// alone.
pub(super) fn in_project(opened: &Opened, file: &Path) -> String {
    let file = path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let within = file.strip_prefix(&opened.pipeline.root).ok();
    let name = || Path::new(file.file_name().unwrap_or_default());
    shown_path(within.unwrap_or_else(name))
}

/// A path as shown to people: relative to where they are, if it is below.
pub(super) fn shown(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    shown_path(path.strip_prefix(&here).unwrap_or(path))
}
