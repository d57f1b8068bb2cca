//! The remote cache that a command line or `kfood.toml` names.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use serde_json::Value;

use super::{folder, open::Opened, print};
use crate::{
    cache::Remote,
    config::{self, Place},
    digest::Digest,
    error::{Error, Result},
    exec::{Outcome, StageSummary, Summary, Team},
    settings::{Plain, Push},
};

/// Which remote cache, and what to do with it; before what `kfood.toml` says.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Asked {
    /// Look for results in this remote cache too: a folder, s3://BUCKET/PLACE, gs://... or az://...
    #[arg(long, value_name = "PLACE")]
    pub remote: Option<String>,
    /// Whether a run sends what it makes into the remote cache [default: auto].
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "never"])]
    pub push: Option<String>,
}

impl Asked {
    /// As settings of a place, by path. A folder on a command line is one in the working folder.
    ///
    /// # Errors
    /// When there is no working folder.
    pub(super) fn flags(&self) -> Result<Vec<(&'static str, Value)>> {
        let remote = self.remote.as_deref().map(absolute).transpose()?;
        let remote = remote.map(|remote| ("cache.remote", remote.into()));
        let push = self.push.as_ref();
        let push = push.map(|push| ("cache.push", push.clone().into()));
        Ok([remote, push].into_iter().flatten().collect())
    }
}

/// A remote cache of a command line as `kfood.toml` would name it.
fn absolute(place: &str) -> Result<String> {
    if place.is_empty() {
        return Err(Error::usage("`--remote` is empty, expected a remote cache").help(NAME_ONE));
    }
    if place.contains("://") {
        return Ok(place.to_owned());
    }
    let path = folder::meant(Path::new(place), "`--remote`", &here()?)?;
    Ok(path.to_string_lossy().into_owned())
}

/// The way out where no remote cache is named.
const NAME_ONE: &str = "name one (a folder, `s3://BUCKET/PLACE`, `gs://...` or `az://...`), or set `cache.remote` in kfood.toml";

fn here() -> Result<PathBuf> {
    env::current_dir().map_err(|e| Error::failed("cannot find the working directory").because(e))
}

/// The remote cache of a command about a pipeline; none where none is named.
///
/// # Errors
/// When it is named wrongly.
pub(super) fn of(opened: &Opened) -> Result<Option<Team>> {
    let root = &opened.pipeline.root;
    let remote = of_place(&opened.place, root)?;
    let push = opened.place.cache.push == Push::Auto;
    Ok(remote.map(|remote| Team::new(Arc::new(remote), root.clone(), push)))
}

/// The remote cache that is in effect; a relative folder is one in the project.
fn of_place(place: &Place, root: &Path) -> Result<Option<Remote>> {
    let named = place.cache.remote.as_ref();
    let open = |remote: &Plain| match remote.as_str() {
        address if address.contains("://") => Remote::open(address, root),
        path => {
            let path = folder::meant(Path::new(path), "`cache.remote`", root)?;
            Remote::open(&path.to_string_lossy(), root)
        }
    };
    named.map(open).transpose()
}

/// The remote cache that is named on the command line, else the one in effect in the working folder.
///
/// # Errors
/// When none is named, or wrongly.
pub(super) fn named(named: Option<&str>) -> Result<Remote> {
    let here = here()?;
    if let Some(named) = named {
        return Remote::open(&absolute(named)?, &here);
    }
    let place = config::place(&here, &[], &config::environment)?;
    of_place(&place, &super::open::project(&here))?
        .ok_or_else(|| Error::usage("no remote cache is named").help(NAME_ONE))
}

/// Pins the lock file of a run in the remote cache that the run pushed to: gc leaves there what a lock file names.
pub(super) fn pin(team: &Team, opened: &Opened, summary: &Summary) {
    let Some(remote) = team.remote().filter(|_| team.pushes()) else {
        return;
    };
    // Where nothing was new, nothing is to be pinned, and the remote cache is not asked.
    let new = |s: &StageSummary| matches!(s.outcome, Outcome::Ran | Outcome::Fetched);
    if !summary.stages().iter().any(new) {
        return;
    }
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
