//! The job that a stage would send to the worker, for a command that does something else with it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    digest::Digest,
    error::{Error, Result},
    record::{Fit, Job},
    stage::{Desk, Source, Stage},
};

/// The stages that a stage reads from, without those in the roles left out.
#[must_use]
pub fn needs(stage: &dyn Stage, without: &[&str]) -> Vec<String> {
    let inputs = stage.inputs().into_iter();
    let inputs = inputs.filter(|input| !without.contains(&input.role.as_str()));
    inputs
        .filter_map(|input| match input.source {
            Source::Stage { id, .. } => Some(id),
            Source::Files => None,
        })
        .collect()
}

/// The training that a stage would let the worker do; otherwise as [`of`].
///
/// # Errors
/// When the stage trains nothing, a file of it is not there, or `path` fails.
pub fn training(
    stage: &dyn Stage,
    path: impl Fn(&str, &str) -> Result<PathBuf>,
    folder: &Path,
    device: &str,
    threads: u32,
) -> Result<Fit> {
    match of(stage, path, folder, device, threads)? {
        Some(Job::Fit(fit)) => Ok(fit),
        _ => {
            let (id, kind) = (stage.id(), stage.kind());
            let message = format!("`{id}` is of kind `{kind}`, expected `train` or `transfer`");
            Err(Error::usage(message))
        }
    }
}

/// What a stage would let the worker do, in a folder; `path` says where an output of another stage lies. Nothing of other stages is
/// opened: what trains at all can be asked before they have run.
///
/// # Errors
/// When a file of the stage is not there, or `path` fails.
pub fn of(
    stage: &dyn Stage,
    path: impl Fn(&str, &str) -> Result<PathBuf>,
    folder: &Path,
    device: &str,
    threads: u32,
) -> Result<Option<Job>> {
    let mut inputs = BTreeMap::new();
    for input in stage.inputs() {
        match &input.source {
            Source::Stage { id, output } => {
                inputs.insert(input.role, path(id, output)?);
            }
            // A file that is not there is told with its place in the pipeline.
            Source::Files => drop(stage.files(&input.role)?),
        }
    }
    // What is tried out is kept nowhere, so that it has no key.
    let nothing = Digest::of(b"");
    stage.job(&Desk {
        out: folder,
        state: folder,
        key: nothing,
        kin: nothing,
        inputs: &inputs,
        earlier: &[],
        device,
        threads,
    })
}
