//! How a run ended.

use std::{collections::BTreeSet, path::PathBuf};

use crate::{
    cache::{Cache, Record},
    digest::Digest,
    error::{Error, Result},
    event::NotRun,
    record::PastJobs,
};

/// How a run ended for each stage that was needed, in order.
#[derive(Debug)]
pub struct Summary {
    stages: Vec<StageSummary>,
    cache: Cache,
    jobs: Vec<PastJobs>,
}

/// How a run ended for one stage.
#[derive(Debug)]
pub struct StageSummary {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Wall time in seconds; of the run that made it when cached.
    pub seconds: f64,
    /// The result, if there is one: key, output digests, where it comes from.
    pub record: Option<Box<Record>>,
}

/// How a stage ended.
#[derive(Debug)]
pub enum Outcome {
    /// Its result was there.
    Cached,
    /// It came from the remote cache.
    Fetched,
    /// It ran.
    Ran,
    /// It failed or was interrupted.
    Failed(Error),
    /// It was not run.
    Skipped {
        /// Why not.
        because: NotRun,
    },
}

impl Summary {
    pub(super) fn new(stages: Vec<StageSummary>, cache: Cache) -> Self {
        Self {
            stages,
            cache,
            jobs: Vec::new(),
        }
    }

    pub(super) fn with_jobs(self, jobs: Vec<PastJobs>) -> Self {
        Self { jobs, ..self }
    }

    /// The jobs of a cluster that stages had, in order.
    #[must_use]
    pub fn jobs(&self) -> &[PastJobs] {
        &self.jobs
    }

    /// All stages in order.
    #[must_use]
    pub fn stages(&self) -> &[StageSummary] {
        &self.stages
    }

    /// One stage.
    #[must_use]
    pub fn stage(&self, id: &str) -> Option<&StageSummary> {
        self.stages.iter().find(|s| s.id == id)
    }

    /// The record of a finished stage.
    #[must_use]
    pub fn record(&self, id: &str) -> Option<&Record> {
        self.stage(id)?.record.as_deref()
    }

    /// Where an output of a finished stage lies.
    ///
    /// # Errors
    /// When the stage has not finished or has no such output.
    pub fn output(&self, id: &str, name: &str) -> Result<PathBuf> {
        let record = self.finished(id)?;
        if !record.outputs.contains_key(name) {
            return Err(Error::failed(format!(
                "stage `{id}` has no output `{name}`"
            )));
        }
        Ok(self.cache.output(record, name))
    }

    /// A file that a finished stage left beside its outputs, as it was left; `None` where it is damaged or there is none.
    #[must_use]
    pub fn beside(&self, id: &str, name: &str) -> Option<PathBuf> {
        self.cache.file_beside(self.record(id)?, name)
    }

    /// The keys of all finished stages.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<Digest> {
        self.stages
            .iter()
            .filter_map(|s| Some(s.record.as_ref()?.key))
            .collect()
    }

    /// Whether every stage finished.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.stages
            .iter()
            .all(|s| matches!(s.outcome, Outcome::Cached | Outcome::Fetched | Outcome::Ran))
    }

    /// The first failure, if there is one, of class `Interrupted` if any stage was interrupted.
    #[must_use]
    pub fn first_error(&self) -> Option<&Error> {
        let errors = || {
            self.stages.iter().filter_map(|s| match &s.outcome {
                Outcome::Failed(error) => Some(error),
                _ => None,
            })
        };
        let interrupted = errors().find(|e| e.class() == crate::error::Class::Interrupted);
        interrupted.or_else(|| errors().next())
    }

    fn finished(&self, id: &str) -> Result<&Record> {
        self.record(id)
            .ok_or_else(|| Error::failed(format!("stage `{id}` has no finished result")))
    }
}
