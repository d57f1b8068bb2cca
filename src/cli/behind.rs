//! What a stage is made from, and the settings of that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::open::Opened;
use crate::stage::{Source, Stage};

/// The settings of everything that a stage is made from, by kind and name: `train.optimizer.sgd.lr`. Where several stages of a kind
/// have different ones, all of them.
pub(super) fn settings_behind(opened: &Opened, id: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let behind = behind(opened, vec![id.to_owned()]);
    for stage in opened
        .stages
        .iter()
        .filter(|stage| behind.contains(stage.id()))
    {
        for (name, value) in flat("", &stage.settings()) {
            let name = format!("{}.{}", stage.kind(), stage.written(&name));
            found.entry(name).or_default().insert(value);
        }
    }
    let several = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(" and ");
    found
        .into_iter()
        .map(|(name, values)| (name, several(values)))
        .collect()
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
