//! One stage of a pipeline alone, on what others made: what a job of a cluster does.

use std::collections::BTreeMap;

use super::{
    attempt::perform,
    executor::{Task, teller},
    gather::{Gathered, gather},
    options::Options,
    run::Surroundings,
};
use crate::{
    cache::{Cache, Found, Record},
    digest::Digest,
    error::{Error, Result},
    event::Observer,
    stage::{Source, Stage, Worker},
    stop::Stop,
    text::shown,
};

/// Which stage, and what it is expected to be.
pub(super) struct Wanted<'a> {
    pub(super) id: &'a str,
    pub(super) key: Digest,
    /// What each of its inputs held, by role.
    pub(super) inputs: &'a BTreeMap<String, Digest>,
    /// The keys of the results that it reads, by role.
    pub(super) from: &'a BTreeMap<String, Digest>,
    pub(super) forced: bool,
    pub(super) reason: &'a str,
}

/// Makes the result of one stage under its key, if it is not there, from the results that the run named: nothing else of the pipeline
/// is looked at. The same lock, attempt and publishing as in a run.
///
/// # Errors
/// When it fails, when what it reads is not in the cache, and when that has another key now.
pub(super) fn alone(
    stages: &[Box<dyn Stage>],
    wanted: &Wanted<'_>,
    options: &Options,
    cache: &Cache,
    worker: &dyn Worker,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<()> {
    let hold = cache.hold()?;
    let _mode = cache.follow_mode();
    let stage = stages.iter().find(|stage| stage.id() == wanted.id);
    let Some(stage) = stage.map(AsRef::as_ref) else {
        let message = format!("the pipeline has no stage `{}` any more", shown(wanted.id));
        return Err(Error::failed(message).help(AGAIN));
    };
    let tell = teller(stage, observer);
    let mut above: BTreeMap<String, Box<Record>> = BTreeMap::new();
    for input in stage.inputs() {
        let Source::Stage { id, .. } = input.source else {
            continue;
        };
        let gone = || {
            let message = format!(
                "the result of `{}` has left the cache since this stage was sent to the cluster",
                shown(&id)
            );
            Error::failed(message).help("run the pipeline again: it makes that one first")
        };
        let key = wanted.from.get(&input.role).ok_or_else(gone)?;
        match cache.find_and_hold(key, &hold, &tell)? {
            Found::Hit(record) => drop(above.insert(id, record)),
            Found::Miss | Found::Damaged(_) => return Err(gone()),
        }
    }
    stop.check()?;
    let record = |id: &str| above.get(id).map(|record| &**record);
    let gathered = gather(stage, cache, record, stop, &tell)?;
    if gathered.key != wanted.key {
        return Err(changed(&gathered, wanted));
    }
    let around = Surroundings {
        options,
        cache,
        hold: &hold,
        worker,
        stop,
    };
    let task = Task {
        index: 0,
        stage,
        gathered: Box::new(gathered),
        forced: wanted.forced,
        reason: wanted.reason.to_owned(),
        afar: false,
    };
    perform(&task, &around, &tell).map(|_| ())
}

const AGAIN: &str = "run the pipeline again: it plans with what is there now";

/// What is another than when the stage was sent.
fn changed(now: &Gathered, wanted: &Wanted<'_>) -> Error {
    let is_other = |(role, digest): &(&String, &Digest)| wanted.inputs.get(*role) != Some(digest);
    let other = now.document.inputs.iter().filter(is_other);
    let other: Vec<_> = other
        .map(|(role, _)| format!("`{}`", shown(role)))
        .collect();
    let what = match other.as_slice() {
        // The same inputs, and another key: settings, or kfood itself.
        [] => "the program on this node makes it otherwise than the one that sent it".to_owned(),
        [one] => format!("its input {one} has changed since it was sent to the cluster"),
        several => format!(
            "its inputs {} have changed since it was sent to the cluster",
            several.join(", ")
        ),
    };
    let help = match other.is_empty() {
        true => "see that all nodes have the kfood of the machine that sends",
        false => AGAIN,
    };
    Error::failed(what).help(help)
}
