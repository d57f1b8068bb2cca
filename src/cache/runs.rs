//! Runs of before, in `runs`. They are small and stay: gc knows nothing of them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{Cache, entry::names, place::only_readable};
use crate::{
    digest::{Digest, seal, unseal},
    error::{Error, Result},
    files,
    record::PastRun,
    text::shown_path,
};

/// Hexadecimal digits of a run's name.
const NAME: usize = 8;

impl Cache {
    /// Keeps a run in mind. In a cache of which one may only read, nothing is written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember_run(&self, run: &PastRun) -> Result<()> {
        self.make()?;
        let _mode = self.follow_mode();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = now.unwrap_or_default().as_nanos();
        let name = format!("{}-{nanos:020}.json", of_pipeline(&run.pipeline));
        let path = self.root.join("runs").join(name);
        let body = serde_json::to_string_pretty(run).map_err(|e| {
            Error::failed(format!("cannot write `{}`", shown_path(&path))).because(e)
        })?;
        let written = files::publish(&path, seal(&body).as_bytes());
        written.or_else(|error| match only_readable(&error) {
            true => Ok(()),
            false => Err(error),
        })
    }

    /// The runs of a pipeline file, the oldest first, each with the name that it is called by: the beginning of its digest. What
    /// cannot be understood is left out.
    #[must_use]
    pub fn runs(&self, pipeline: &str) -> Vec<(String, PastRun)> {
        let paths = self.run_paths(pipeline).into_iter();
        paths.filter_map(|path| read(&path)).collect()
    }

    /// The newest run of a pipeline file.
    #[must_use]
    pub fn newest_run(&self, pipeline: &str) -> Option<PastRun> {
        let newest = self.run_paths(pipeline).pop()?;
        read(&newest).map(|(_, run)| run)
    }

    fn run_paths(&self, pipeline: &str) -> Vec<PathBuf> {
        let folder = self.root.join("runs");
        let begin = format!("{}-", of_pipeline(pipeline));
        let ours = |name: &String| name.starts_with(&begin) && name.ends_with(".json");
        let mut names: Vec<_> = names(&folder).into_iter().filter(ours).collect();
        names.sort();
        names.into_iter().map(|name| folder.join(name)).collect()
    }
}

/// What the names of a pipeline's runs begin with.
fn of_pipeline(pipeline: &str) -> String {
    Digest::of(pipeline.as_bytes()).short()
}

fn read(path: &Path) -> Option<(String, PastRun)> {
    let text = fs::read_to_string(path).ok()?;
    let run: PastRun = serde_json::from_str(unseal(&text).ok()?).ok()?;
    let mut name = Digest::of(text.as_bytes()).to_string();
    name.truncate(NAME);
    (run.format == 1).then_some((name, run))
}
