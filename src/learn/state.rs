//! The resumable state of a training: a folder that is whole after every epoch.
//!
//! `weights-N.safetensors` are checkpoints, `optimizer-N.safetensors` the optimizer after the last finished epoch, and
//! `state.json`, published in one step after them, names the files that count with their digests. Files that it does not name
//! are left-overs of an interrupted epoch.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    error::{Error, Result},
    files,
    model::{StateDict, safetensors},
    record::{CheckpointInfo, EpochTiming, Fingerprint, History},
};

const FORMAT: u32 = 2;

/// `state.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    format: u32,
    /// What is trained: settings and data.
    pub(super) work: Digest,
    /// The machine that did it: on another one the bits would differ.
    pub(super) fingerprint: Fingerprint,
    /// The course so far.
    pub(super) history: History,
    /// What each epoch took.
    pub(super) timing: Vec<EpochTiming>,
    last: Stored,
    best: Stored,
    optimizer: Stored,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    file: String,
    digest: Digest,
}

/// The folder.
pub(super) struct StateFolder<'a>(pub(super) &'a Path);

impl StateFolder<'_> {
    /// The saved state, if there is one, every file of it checked against its digest.
    ///
    /// # Errors
    /// When it is there and not whole.
    pub(super) fn read(&self) -> Result<Option<Saved>> {
        let path = self.0.join("state.json");
        if !path.exists() {
            return Ok(None);
        }
        let saved: Saved = files::read_json(&path)?;
        if saved.format != FORMAT {
            return Err(Error::failed(format!(
                "`{}` is of format {}",
                path.display(),
                saved.format
            )));
        }
        for stored in [&saved.last, &saved.best, &saved.optimizer] {
            let path = self.0.join(&stored.file);
            if Digest::of_file(&path)? != stored.digest {
                return Err(Error::failed(format!(
                    "`{}` has another content than was written",
                    path.display()
                )));
            }
        }
        Ok(Some(saved))
    }

    /// Saves the state after an epoch; `saved` names what was saved before.
    pub(super) fn write(
        &self,
        before: Option<Saved>,
        now: Now<'_>,
        weights: &StateDict,
        info: &CheckpointInfo,
        optimizer: &StateDict,
    ) -> Result<Saved> {
        let epoch = info.epoch.epoch;
        files::create_folder(self.0)?;
        let last = self.store(format!("weights-{epoch}.safetensors"), weights, Some(info))?;
        let optimizer = self.store(format!("optimizer-{epoch}.safetensors"), optimizer, None)?;
        let best = match before {
            Some(before) if now.history.best_epoch != epoch => before.best,
            _ => last.clone(),
        };
        let saved = Saved {
            format: FORMAT,
            work: now.work,
            fingerprint: now.fingerprint.clone(),
            history: now.history.clone(),
            timing: now.timing.to_vec(),
            last,
            best,
            optimizer,
        };
        let text = serde_json::to_vec_pretty(&saved)
            .map_err(|e| Error::failed("cannot write the state of the training").because(e))?;
        files::publish(&self.0.join("state.json"), &text)?;
        self.clean(Some(&saved))?;
        Ok(saved)
    }

    /// Removes tensors that `saved` does not name.
    pub(super) fn clean(&self, saved: Option<&Saved>) -> Result<()> {
        let Ok(entries) = fs::read_dir(self.0) else {
            return Ok(());
        };
        let named: Vec<&str> = saved
            .into_iter()
            .flat_map(|s| [&s.last.file, &s.best.file, &s.optimizer.file])
            .map(String::as_str)
            .collect();
        for entry in entries {
            let entry = entry.map_err(|e| Error::io("list", self.0, e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = name.starts_with("weights-") || name.starts_with("optimizer-");
            if ours && !named.contains(&name.as_str()) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// The weights after the last epoch and the optimizer's state.
    pub(super) fn load(&self, saved: &Saved) -> Result<(StateDict, StateDict)> {
        let (weights, _) = safetensors::read(&self.0.join(&saved.last.file))?;
        let (optimizer, _) = safetensors::read(&self.0.join(&saved.optimizer.file))?;
        Ok((weights, optimizer))
    }

    /// The checkpoints of the best and of the last epoch.
    pub(super) fn checkpoints(&self, saved: &Saved) -> [PathBuf; 2] {
        [&saved.best, &saved.last].map(|stored| self.0.join(&stored.file))
    }

    fn store(
        &self,
        file: String,
        state: &StateDict,
        info: Option<&CheckpointInfo>,
    ) -> Result<Stored> {
        let path = self.0.join(&file);
        safetensors::write(&path, state, info)?;
        // Durable before `state.json` names it.
        files::sync_folder(&path)?;
        let digest = Digest::of_file(&path)?;
        Ok(Stored { file, digest })
    }
}

/// What is known after an epoch beside the tensors.
pub(super) struct Now<'a> {
    pub(super) work: Digest,
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) history: &'a History,
    pub(super) timing: &'a [EpochTiming],
}
