//! The resumable state of a training: a folder that is whole after every epoch and at every save within one.
//!
//! `NAME-EPOCH.safetensors` and `NAME-EPOCH-STEP.safetensors` hold groups of tensors, `epoch-N.safetensors` checkpoints, and
//! `state.json`, published in one step after them with its own checksum, names the files that count with their digests. Files that it does not name
//! are left-overs of an interruption.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::learner::{Groups, WEIGHTS};
use crate::{
    digest::{Digest, seal, unseal},
    error::{Error, Result},
    files,
    learn::judge::Sums,
    model::{StateDict, safetensors},
    record::{CheckpointInfo, EpochTiming, Fingerprint, Fit, History},
};

const FORMAT: u32 = 3;

/// `state.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    format: u32,
    /// What is known beside the tensors.
    pub(crate) now: Now,
    /// What the next step needs, by group.
    tensors: BTreeMap<String, Stored>,
    /// Checkpoints of finished epochs by number, the best and the last ones among them.
    epochs: BTreeMap<u32, Stored>,
}

/// What is known of a training beside its tensors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Now {
    /// The key of the stage that trains; states of earlier versions do not say it.
    #[serde(default)]
    pub(crate) key: Option<Digest>,
    /// What it has in common with the keys of trainings that may go on from here.
    #[serde(default)]
    pub(crate) kin: Option<Digest>,
    /// The machine that did it: on another one the bits would differ.
    pub(crate) fingerprint: Fingerprint,
    /// The course so far.
    pub(crate) history: History,
    /// What each epoch took.
    pub(crate) timing: Vec<EpochTiming>,
    /// The place within the epoch after those of `history`, where the state is not that of its end.
    pub(crate) within: Option<Within>,
}

/// A place within an epoch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Within {
    /// Steps of the epoch that are done.
    pub(crate) steps: usize,
    /// Sums over them.
    pub(crate) sums: Sums,
    /// Seconds that they took.
    pub(crate) seconds: f64,
    /// The mean loss of the first steps of the training, where they are among them.
    pub(crate) first_steps: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    file: String,
    digest: Digest,
}

impl Saved {
    fn stored(&self) -> impl Iterator<Item = &Stored> {
        self.tensors.values().chain(self.epochs.values())
    }
}

/// The folder.
pub(crate) struct StateFolder<'a>(pub(crate) &'a Path);

impl StateFolder<'_> {
    /// The saved state, if there is one, every file of it checked against its digest.
    ///
    /// # Errors
    /// When it is there and not whole.
    pub(crate) fn read(&self) -> Result<Option<Saved>> {
        let path = self.0.join(Fit::INDEX);
        if !path.exists() {
            return Ok(None);
        }
        let text = files::read_text(&path)?;
        let unusable = |why: String| Error::failed(format!("`{}` {why}", path.display()));
        let body = unseal(&text).map_err(|what| unusable(what.to_owned()))?;
        let saved: Saved = serde_json::from_str(body)
            .map_err(|e| unusable(format!("cannot be understood: {e}")))?;
        if saved.format != FORMAT {
            return Err(unusable(format!("is of format {}", saved.format)));
        }
        for stored in saved.stored() {
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

    /// Saves the state after an epoch with its checkpoint; `before` is what was saved last. The checkpoints of so many last epochs
    /// as `keep` says stay, and that of the best.
    ///
    /// # Errors
    /// When the disk refuses; what was saved before then still holds.
    pub(crate) fn end_epoch(
        &self,
        before: Option<Saved>,
        now: Now,
        groups: &Groups,
        info: &CheckpointInfo,
        keep: u32,
    ) -> Result<Saved> {
        let epoch = info.epoch.epoch;
        files::create_folder(self.0)?;
        let mut epochs = before.map(|before| before.epochs).unwrap_or_default();
        epochs.retain(|number, _| *number == now.history.best_epoch || number + keep > epoch);
        let mut tensors = BTreeMap::new();
        for (name, state) in groups {
            // The weights are the checkpoint: written once.
            let (file, info) = if *name == WEIGHTS {
                (checkpoint_file(epoch), Some(info))
            } else {
                (format!("{name}-{epoch}.safetensors"), None)
            };
            let stored = self.store(file, state, info)?;
            if *name == WEIGHTS {
                epochs.insert(epoch, stored.clone());
            }
            tensors.insert((*name).to_owned(), stored);
        }
        self.publish(now, tensors, epochs)
    }

    /// Saves the state within an epoch.
    ///
    /// # Errors
    /// As [`StateFolder::end_epoch`].
    pub(crate) fn within_epoch(
        &self,
        before: Option<Saved>,
        now: Now,
        groups: &Groups,
        steps: usize,
    ) -> Result<Saved> {
        let epoch = now.history.epochs.len() + 1;
        files::create_folder(self.0)?;
        let mut tensors = BTreeMap::new();
        for (name, state) in groups {
            let file = format!("{name}-{epoch}-{steps}.safetensors");
            tensors.insert((*name).to_owned(), self.store(file, state, None)?);
        }
        let epochs = before.map(|before| before.epochs).unwrap_or_default();
        self.publish(now, tensors, epochs)
    }

    /// Takes the whole state of another folder over: `saved` is what it holds, `now` takes the place of what it knew, and the
    /// checkpoints say what `info` makes of their words.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(crate) fn adopt(
        &self,
        from: &StateFolder<'_>,
        saved: &Saved,
        now: Now,
        info: impl Fn(&mut CheckpointInfo),
    ) -> Result<Saved> {
        files::create_folder(self.0)?;
        let mut epochs = BTreeMap::new();
        for (number, stored) in &saved.epochs {
            let (state, mut said) = safetensors::read(&from.0.join(&stored.file))?;
            if let Some(said) = &mut said {
                info(said);
            }
            let stored = self.store(checkpoint_file(*number), &state, said.as_ref())?;
            epochs.insert(*number, stored);
        }
        let mut tensors = BTreeMap::new();
        for (name, stored) in &saved.tensors {
            let stored = if name == WEIGHTS {
                last(&epochs)?.clone()
            } else {
                let (state, _) = safetensors::read(&from.0.join(&stored.file))?;
                self.store(format!("{name}-earlier.safetensors"), &state, None)?
            };
            tensors.insert(name.clone(), stored);
        }
        self.publish(now, tensors, epochs)
    }

    /// Leaves what a longer training needs to go on in a folder beside its outputs `best.safetensors` and `last.safetensors`,
    /// which it names instead of copying them. Other epochs that were kept are copied.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn leave(&self, saved: &Saved, folder: &Path) -> Result<()> {
        files::create_folder(folder)?;
        let mut left = saved.clone();
        for (name, stored) in &mut left.tensors {
            let file = if name == WEIGHTS {
                "../last.safetensors".to_owned()
            } else {
                let file = format!("{name}.safetensors");
                copy(&self.0.join(&stored.file), &folder.join(&file))?;
                file
            };
            stored.file = file;
        }
        let end = saved.now.history.epochs.len() as u32;
        let best = saved.now.history.best_epoch;
        for (number, stored) in &mut left.epochs {
            stored.file = if *number == end {
                "../last.safetensors".to_owned()
            } else if *number == best {
                "../best.safetensors".to_owned()
            } else {
                let file = checkpoint_file(*number);
                copy(&self.0.join(&stored.file), &folder.join(&file))?;
                file
            };
        }
        files::write(&folder.join(Fit::INDEX), text(&left)?.as_bytes())
    }

    /// Removes tensors that `saved` does not name.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn clean(&self, saved: Option<&Saved>) -> Result<()> {
        let Ok(entries) = fs::read_dir(self.0) else {
            return Ok(());
        };
        let named: Vec<&str> = saved
            .into_iter()
            .flat_map(|saved| saved.stored().map(|stored| stored.file.as_str()))
            .collect();
        for entry in entries {
            let entry = entry.map_err(|e| Error::io("list", self.0, e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".safetensors") && !named.contains(&name.as_str()) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// The tensors of a group, if there is such a group.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(crate) fn group(&self, saved: &Saved, name: &str) -> Result<Option<StateDict>> {
        let Some(stored) = saved.tensors.get(name) else {
            return Ok(None);
        };
        Ok(Some(safetensors::read(&self.0.join(&stored.file))?.0))
    }

    /// The checkpoints of the best and of the last epoch.
    ///
    /// # Errors
    /// When no epoch is finished.
    pub(crate) fn checkpoints(&self, saved: &Saved) -> Result<[PathBuf; 2]> {
        let last = last(&saved.epochs)?;
        let best = saved.epochs.get(&saved.now.history.best_epoch);
        Ok([best.unwrap_or(last), last].map(|stored| self.0.join(&stored.file)))
    }

    /// The checkpoints of so many last epochs, oldest first; of all where there are fewer.
    pub(crate) fn kept(&self, saved: &Saved, keep: u32) -> Vec<PathBuf> {
        let end = saved.now.history.epochs.len() as u32;
        let kept = saved.epochs.range(end.saturating_sub(keep) + 1..);
        kept.map(|(_, stored)| self.0.join(&stored.file)).collect()
    }

    fn publish(
        &self,
        now: Now,
        tensors: BTreeMap<String, Stored>,
        epochs: BTreeMap<u32, Stored>,
    ) -> Result<Saved> {
        let saved = Saved {
            format: FORMAT,
            now,
            tensors,
            epochs,
        };
        // The names of the tensors are durable before `state.json` counts on them.
        files::sync_folder(self.0)?;
        files::publish(&self.0.join(Fit::INDEX), text(&saved)?.as_bytes())?;
        self.clean(Some(&saved))?;
        Ok(saved)
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

/// `state.json` with its checksum: the course, the best epoch and the sums are believed as the tensors are, by a digest.
fn text(saved: &Saved) -> Result<String> {
    let body = serde_json::to_string_pretty(saved)
        .map_err(|e| Error::failed("cannot write the state of the training").because(e))?;
    Ok(seal(&body))
}

fn checkpoint_file(epoch: u32) -> String {
    format!("epoch-{epoch}.safetensors")
}

fn last(epochs: &BTreeMap<u32, Stored>) -> Result<&Stored> {
    let last = epochs.last_key_value().map(|(_, stored)| stored);
    last.ok_or_else(|| Error::failed("the training ended without a finished epoch"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map_err(|e| Error::io("write", to, e))?;
    Ok(())
}
