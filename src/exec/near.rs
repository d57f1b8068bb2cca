//! What an earlier result tells of a stage: in words why it runs, and what that takes.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use super::status::{Estimate, Survey};
use crate::{
    cache::{Changes, Reason, Record},
    files::FileList,
    stage::{ChangedSetting, Past, Source, Stage},
};

/// An earlier result, with where it lies and what it read.
pub(super) struct Near<'a> {
    record: &'a Record,
    own: bool,
    folder: PathBuf,
    /// What it read from other stages, by role, where that is still in the cache.
    pub(super) before: BTreeMap<String, PathBuf>,
}

impl<'a> Near<'a> {
    pub(super) fn of(
        survey: &Survey<'_>,
        record: &'a Record,
        own: bool,
        stage: &dyn Stage,
    ) -> Self {
        let mut before = BTreeMap::new();
        // Of another stage's result only its own files tell.
        let inputs = if own { stage.inputs() } else { Vec::new() };
        for input in inputs {
            let Source::Stage { output, .. } = input.source else {
                continue;
            };
            let key = record.from.get(&input.role);
            let from = key.and_then(|key| survey.earlier().get(key));
            if let Some(from) = from {
                before.insert(input.role, survey.cache.output(from, &output));
            }
        }
        Self {
            record,
            own,
            folder: survey.cache.result(record),
            before,
        }
    }

    pub(super) fn estimate(
        &self,
        stage: &dyn Stage,
        now: &BTreeMap<String, PathBuf>,
        reused: &[PathBuf],
        state: &Path,
    ) -> Option<Estimate> {
        let past = Past {
            own: self.own,
            settings: &self.record.document.settings,
            seconds: self.record.seconds,
            folder: &self.folder,
            before: &self.before,
            now,
            reused,
            state,
        };
        let bytes = self.record.bytes();
        stage
            .estimate(&past)
            .map(|seconds| Estimate { seconds, bytes })
    }
}

/// The reasons that a pipeline file knows, where there are such: what is written in a key beside a setting goes with that one, and a
/// version that a stage has by its settings is new by them and not by kfood.
pub(super) fn as_written(found: Vec<Reason>, stage: &dyn Stage) -> Vec<Reason> {
    let found = as_in_file(found, stage);
    let of_file = |reason: &Reason| match reason {
        Reason::Setting { name, old, new } => {
            let value = |of: &Option<String>| stage.written_value(name, of.as_deref()?);
            value(old) != value(new)
        }
        _ => false,
    };
    if !found.iter().any(of_file) {
        return found;
    }
    let says = |reason: &Reason| match reason {
        Reason::Setting { .. } => of_file(reason),
        Reason::Version { old, .. } if reason.is_own_version() => {
            !old.parse().is_ok_and(|old| stage.has_version(old))
        }
        _ => true,
    };
    found.into_iter().filter(says).collect()
}

/// The same with the settings that a file has in another form than a key.
fn as_in_file(found: Vec<Reason>, stage: &dyn Stage) -> Vec<Reason> {
    let place = found
        .iter()
        .position(|r| matches!(r, Reason::Setting { .. }));
    let (mut changed, mut others) = (Vec::new(), Vec::new());
    for reason in found {
        match reason {
            Reason::Setting { name, old, new } => changed.push(ChangedSetting { name, old, new }),
            other => others.push(other),
        }
    }
    let changed = stage.changed_settings(changed).into_iter();
    let changed =
        changed.map(|ChangedSetting { name, old, new }| Reason::Setting { name, old, new });
    let place = place.unwrap_or(0);
    others.splice(place..place, changed);
    others
}

/// A reason as the pipeline file names it: settings by their names there, inputs by the stage that gives them and by how they
/// changed.
pub(super) fn in_words(
    reason: Reason,
    stage: &dyn Stage,
    before: &BTreeMap<String, PathBuf>,
    now: &BTreeMap<String, PathBuf>,
) -> Reason {
    match reason {
        Reason::Setting { name, old, new }
            if [&old, &new]
                .into_iter()
                .flatten()
                .all(|value| stage.written_value(&name, value).is_none()) =>
        {
            let said = |value: Option<String>| value.unwrap_or_else(|| "(none)".to_owned());
            Reason::Version {
                what: format!("the way of this build, `{name}`,"),
                old: said(old),
                new: said(new),
            }
        }
        Reason::Setting { name, old, new } => Reason::Setting {
            old: old.map(|old| stage.written_value(&name, &old).unwrap_or(old)),
            new: new.map(|new| stage.written_value(&name, &new).unwrap_or(new)),
            name: stage.written(&name),
        },
        Reason::Input { role, old, new, .. } => {
            let paths = before.get(&role).zip(now.get(&role));
            let inputs = stage.inputs().into_iter();
            let source =
                inputs
                    .filter(|input| input.role == role)
                    .find_map(|input| match input.source {
                        Source::Stage { id, .. } => Some(id),
                        Source::Files => None,
                    });
            let told = paths.and_then(|(before, now)| stage.changed(&role, before, now));
            let asks = || new.and_then(|_| stage.asks(&role));
            Reason::Input {
                what: told.or_else(asks),
                role,
                source,
                old,
                new,
            }
        }
        Reason::Files { role, changes, .. } => Reason::Files {
            what: stage.asks(&role),
            role,
            changes,
        },
        other => other,
    }
}

/// Files by where they lie, relative to the working directory where they are below it. One that is gone lies where its
/// neighbours do.
pub(super) fn on_disk(changes: Changes, now: &FileList) -> Changes {
    let here = env::current_dir().unwrap_or_default();
    let shown = |path: &Path| {
        path.strip_prefix(&here)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    };
    let place = |name: String| -> String {
        if let Some(i) = now.find(&name) {
            return shown(&now.get(i).path());
        }
        // Names begin with the part; what a neighbour's path has in front of the rest of its name is the part's folder.
        let part = |name: &str| {
            name.split_once('/')
                .map(|(part, rest)| (part.to_owned(), rest.to_owned()))
        };
        let Some((own, rest)) = part(&name) else {
            return name;
        };
        let neighbour = now.iter().find_map(|file| {
            let (part, inner) = part(&file.name()).filter(|(part, _)| *part == own)?;
            let path = file.path();
            let path = path.to_str()?.strip_suffix(inner.as_str())?;
            (!part.is_empty()).then(|| Path::new(path).join(&rest))
        });
        neighbour.map_or(name, |path| shown(&path))
    };
    let all = |names: Vec<String>| names.into_iter().map(&place).collect();
    Changes {
        changed: all(changes.changed),
        added: all(changes.added),
        removed: all(changes.removed),
    }
}
