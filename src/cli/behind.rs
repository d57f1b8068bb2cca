//! What a stage is made from, and the settings of that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::open::Opened;
use crate::{
    cache::{Cache, Record, in_toml},
    stage::{Source, Stage},
    stages,
};

/// What a result was made from, as far as the cache knows.
pub(super) struct Behind {
    /// The settings, by kind and name: `train.optimizer.sgd.lr`. Where several stages of a kind had different ones, all of them. They are
    /// those of then, whatever the pipeline says now.
    pub(super) settings: BTreeMap<String, String>,
    /// Whether those are all: of what is no longer in the cache there are none.
    pub(super) whole: bool,
}

/// The settings of everything that a result was made from.
pub(super) fn settings_behind(cache: &Cache, record: &Record) -> Behind {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut seen = BTreeSet::from([record.key]);
    let mut next = vec![record.clone()];
    let mut whole = true;
    while let Some(record) = next.pop() {
        let kind = record.document.kind.as_str();
        for (name, value) in flat("", &record.document.settings) {
            // What no file has is none of its settings.
            let Some((name, value)) = stages::as_written(kind, &name, &value) else {
                continue;
            };
            let values = found.entry(format!("{kind}.{name}")).or_default();
            values.insert(value);
        }
        for key in record.from.values().filter(|key| seen.insert(**key)) {
            match cache.record(key) {
                Some(record) => next.push(record),
                None => whole = false,
            }
        }
    }
    let several = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(" and ");
    let settings = found.into_iter();
    Behind {
        settings: settings.map(|(n, values)| (n, several(values))).collect(),
        whole,
    }
}

/// These stages and all that they are made from.
pub(super) fn behind(opened: &Opened, of: Vec<String>) -> BTreeSet<String> {
    let by_id = |id: &str| opened.stages.iter().find(|stage| stage.id() == id);
    let (mut found, mut next) = (BTreeSet::new(), of);
    while let Some(id) = next.pop() {
        next.extend(
            by_id(&id)
                .into_iter()
                .flat_map(|stage| sources(&**stage))
                .filter(|id| !found.contains(id)),
        );
        found.insert(id);
    }
    found
}

/// The stages that one reads.
pub(super) fn sources(stage: &dyn Stage) -> impl Iterator<Item = String> {
    stage.inputs().into_iter().filter_map(|i| match i.source {
        Source::Stage { id, .. } => Some(id),
        Source::Files => None,
    })
}

/// All settings of a stage as a pipeline file writes them, defaults too: name and value.
pub(super) fn resolved(stage: &dyn Stage) -> Vec<(String, String)> {
    let all = flat("", &stage.settings()).into_iter();
    // What the pixels are is no setting of who reads them.
    let reads = stage.inputs().into_iter().any(|i| i.role == "pack");
    let own = all.filter(|(name, _)| !reads || !name.starts_with("pixels."));
    own.filter_map(|(name, value)| {
        let value = in_toml(&stage.written_value(&name, &value)?)?;
        Some((stage.written(&name), value))
    })
    .collect()
}

/// `optimizer.sgd.lr = 0.001`: nested names joined by dots; arrays as JSON.
pub(super) fn flat(prefix: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, value)| match prefix {
                "" => flat(name, value),
                _ => flat(&format!("{prefix}.{name}"), value),
            })
            .collect(),
        other => vec![(prefix.to_owned(), other.to_string())],
    }
}
