//! One stage of a pipeline alone, on what others made: what a job of a cluster does.

use super::{
    attempt::perform,
    executor::teller,
    gather::gather,
    options::Options,
    run::Surroundings,
    status::{Status, Survey},
};
use crate::{
    cache::Cache,
    digest::Digest,
    error::{Error, Result},
    event::Observer,
    plan::Graph,
    stage::{Stage, Worker},
    stop::Stop,
};

/// Which stage, and what it is expected to be.
pub(super) struct Wanted<'a> {
    pub(super) id: &'a str,
    pub(super) key: Digest,
    pub(super) forced: bool,
    pub(super) reason: &'a str,
}

/// Makes the result of one stage under its key, if it is not there. The same lock, attempt and publishing as in a run.
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
    let graph = Graph::new(stages)?;
    let hold = cache.hold()?;
    let _mode = cache.follow_mode();
    let of_run = Some((&hold, stop));
    let survey = Survey::make(stages, &graph, options, cache, of_run, observer)?;
    stop.check()?;
    let unlike = |why: &str| {
        Err(
            Error::failed(format!("{why} since it was sent to the cluster"))
                .help("run the pipeline again"),
        )
    };
    let number = |id: &str| stages.iter().position(|stage| stage.id() == id);
    let Some(index) = number(wanted.id) else {
        return unlike("the pipeline has changed");
    };
    match &survey.status[index] {
        Some(Status::Cached { record }) if !wanted.forced && record.key == wanted.key => {
            return Ok(());
        }
        Some(Status::Waits { .. }) | None => {
            return unlike("something that it reads has left the cache");
        }
        Some(Status::Cached { .. } | Status::Afar { .. } | Status::Run { .. }) => {}
    }
    let stage = stages[index].as_ref();
    let tell = teller(stage, observer);
    let record = |id: &str| match survey.status[number(id)?].as_ref()? {
        Status::Cached { record } => Some(&**record),
        _ => None,
    };
    let gathered = gather(stage, cache, record, stop, &tell)?;
    if gathered.key != wanted.key {
        return unlike("what it reads, or how, has changed");
    }
    let around = Surroundings {
        options,
        cache,
        hold: &hold,
        worker,
        stop,
    };
    let reason = wanted.reason.to_owned();
    perform(stage, &gathered, wanted.forced, reason, &around, &tell).map(|_| ())
}
