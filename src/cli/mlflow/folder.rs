//! A folder as MLflow's file store is: `mlflow migrate-filestore` brings it into a database.
//!
//! `EXPERIMENT/meta.yaml`, and for each run `EXPERIMENT/RUN/` with `meta.yaml`, `params/NAME`, `tags/NAME`, `metrics/NAME` (a line
//! `TIME VALUE STEP` for each value) and `artifacts/` (`mlflow/store/tracking/file_store.py`). Ids follow from names and keys, so that
//! what is reported again is in its old place.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{KEY, Kept, PARENT, Store};
use crate::{
    digest::Digest,
    error::{Error, Result},
    files,
};

/// `RunStatus.FINISHED` and `SourceType.LOCAL`.
const FINISHED: u32 = 3;
const LOCAL: u32 = 4;

/// A file store.
pub(super) struct Folder {
    /// Absolute: artifacts are found by it.
    root: PathBuf,
}

impl Folder {
    /// # Errors
    /// When it cannot be made.
    pub(super) fn at(folder: &Path) -> Result<Self> {
        files::create_folder(folder)?;
        let root = folder
            .canonicalize()
            .map_err(|e| Error::io("find", folder, e))?;
        Ok(Self { root })
    }

    fn uri(path: &Path) -> String {
        format!("file://{}", path.display())
    }
}

impl Store for Folder {
    fn experiment(&mut self, name: &str) -> Result<String> {
        // A whole number of 18 digits, as those that MLflow draws.
        let hex = Digest::of(name.as_bytes()).to_string();
        let number = u64::from_str_radix(&hex[..15], 16).unwrap_or(0);
        let id = format!(
            "{}",
            100_000_000_000_000_000 + number % 800_000_000_000_000_000
        );
        let place = self.root.join(&id);
        files::create_folder(&place)?;
        let meta = json!({
            "artifact_location": Self::uri(&place),
            "experiment_id": id,
            "lifecycle_stage": "active",
            "name": name,
        });
        yaml(&place.join("meta.yaml"), &meta)?;
        Ok(id)
    }

    fn keep(&mut self, kept: &Kept<'_>) -> Result<(String, bool)> {
        let run = kept.run;
        let known_by = [kept.experiment, kept.stage().unwrap_or_default(), &run.key];
        let id = Digest::of(known_by.join("\n").as_bytes()).to_string()[..32].to_owned();
        let place = self.root.join(kept.experiment).join(&id);
        let meta_path = place.join("meta.yaml");
        let there = meta_path.exists();
        if there && !kept.renewed {
            return Ok((id, true));
        }
        for folder in ["artifacts", "metrics", "params", "tags"] {
            files::create_folder(&place.join(folder))?;
        }
        for (name, value) in &run.params {
            put(&place.join("params").join(name), value)?;
        }
        let own = [(KEY.to_owned(), run.key.clone())];
        let named = [("mlflow.runName".to_owned(), run.name.clone())];
        let parent = kept.parent.map(|id| (PARENT.to_owned(), id.to_owned()));
        for (name, value) in (run.tags.iter()).chain(&own).chain(&named).chain(&parent) {
            put(&place.join("tags").join(name), value)?;
        }
        let mut metrics: BTreeMap<&str, String> = BTreeMap::new();
        for metric in &run.metrics {
            let line = format!("{} {} {}\n", metric.time, metric.value, metric.step);
            *metrics.entry(&metric.name).or_default() += &line;
        }
        for (name, lines) in metrics {
            put(&place.join("metrics").join(name), &lines)?;
        }
        for artifact in kept.files {
            let to = place.join("artifacts").join(artifact.name);
            if let Some(folder) = to.parent() {
                files::create_folder(folder)?;
            }
            files::replace_with_copy(&to, &artifact.path)?;
        }
        let meta = json!({
            "artifact_uri": Self::uri(&place.join("artifacts")),
            "end_time": run.ended,
            "entry_point_name": "",
            "experiment_id": kept.experiment,
            "lifecycle_stage": "active",
            "run_id": id,
            "run_name": run.name,
            "run_uuid": id,
            "source_name": "",
            "source_type": LOCAL,
            "source_version": "",
            "start_time": run.began,
            "status": FINISHED,
            "tags": [],
            "user_id": "",
        });
        // Last: a run without it is none.
        yaml(&meta_path, &meta)?;
        Ok((id, there))
    }
}

fn put(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        files::create_folder(folder)?;
    }
    files::write(path, text.as_bytes())
}

/// A line for each name, in one step; JSON is YAML, too.
fn yaml(path: &Path, meta: &Value) -> Result<()> {
    let lines = meta.as_object().into_iter().flatten();
    let text: String = lines
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    files::publish(path, text.as_bytes())
}
