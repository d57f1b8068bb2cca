//! The remote cache that a command line asks for.

use std::{collections::BTreeSet, env};

use clap::{Args, ValueEnum};

use super::{open::Opened, print};
use crate::{
    cache::Remote,
    digest::Digest,
    error::{Error, Result},
    exec::{Summary, Team},
};

/// Which remote cache, and what to do with it.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Asked {
    /// Look for results in this remote cache too: a folder, s3://BUCKET/PLACE, gs://... or az://...
    #[arg(long, value_name = "PLACE")]
    pub remote: Option<String>,
    /// Whether a run sends what it makes into the remote cache.
    #[arg(long, value_name = "WHEN")]
    pub push: Option<Push>,
}

/// When results are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Push {
    /// Once they are in the local cache.
    Auto,
    /// By `kfood cache push` alone.
    Never,
}

/// The remote cache of a command about a pipeline; none where none is named.
///
/// # Errors
/// When it is named wrongly.
pub(super) fn of(asked: &Asked, opened: &Opened) -> Result<Option<Team>> {
    let Some(place) = &asked.remote else {
        return match asked.push {
            Some(Push::Auto) => Err(Error::usage("`--push auto` names no remote cache")
                .help("name it: `--remote s3://BUCKET/PLACE`")),
            _ => Ok(None),
        };
    };
    let remote = here(place)?;
    let push = asked.push == Some(Push::Auto);
    Ok(Some(Team::new(remote, opened.pipeline.root.clone(), push)))
}

/// A remote cache by its name on the command line.
///
/// # Errors
/// When it is named wrongly.
pub(super) fn here(place: &str) -> Result<Remote> {
    let here = env::current_dir()
        .map_err(|e| Error::failed("cannot find the working directory").because(e))?;
    Remote::open(place, &here)
}

/// Pins the lock file of a run in the remote cache that the run pushed to: gc leaves there what a lock file names.
pub(super) fn pin(team: &Team, opened: &Opened, summary: &Summary) {
    let Some(remote) = team.remote().filter(|_| team.pushes()) else {
        return;
    };
    let records = summary.stages().iter().filter_map(|s| s.record.as_ref());
    let keys: BTreeSet<Digest> = records.map(|record| record.key).collect();
    if let Err(error) = remote.pin(&name(opened), keys) {
        print::say(&format!(
            "warning: the lock file is not pinned in the remote cache: {error}"
        ));
    }
}

/// A pipeline file as seen from its project's root.
pub(super) fn name(opened: &Opened) -> String {
    let (file, root) = (&opened.pipeline.file, &opened.pipeline.root);
    let below = file.strip_prefix(root).unwrap_or(file);
    below.to_string_lossy().into_owned()
}
