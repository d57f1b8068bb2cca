//! Outputs of equal bytes, stored once: within an entry, and in the entry that they came from.
//!
//! Where the file system can share blocks between files (`FICLONE`: btrfs, xfs), a copy costs nothing and stays a file of its own.
//! Elsewhere the record says where the content lies; it is checked there like any output, and gc keeps what a result that stays
//! refers to. Hard links are no way: damage to one name must not reach the other unseen, and the stat of one moves with the other's.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Attempt, Cache, Output, Record, Stat};
use crate::{
    digest::Digest,
    error::{Error, Result},
    files,
};

/// Where the content of an output lies that has no file of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The entry; its own without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
    /// The output there.
    pub name: String,
}

/// An output of another entry that a stage read: its key, its name, its content.
pub type Read = (Digest, String, Digest);

/// Smaller files are not worth a look at another entry.
const LEAST: u64 = 1 << 16;
/// Places lead at most so far; each is one step where nothing was made anew.
const FARTHEST: u32 = 4;

impl Place {
    /// Whether it names an output and no file elsewhere.
    pub(super) fn is_sound(&self) -> bool {
        !self.name.is_empty() && !self.name.contains('/') && !self.name.starts_with('.')
    }
}

impl Cache {
    /// Where the content of an output of a finished stage lies.
    #[must_use]
    pub fn output(&self, record: &Record, name: &str) -> PathBuf {
        self.follow(record, name, FARTHEST)
    }

    fn follow(&self, record: &Record, name: &str, left: u32) -> PathBuf {
        let place = record
            .outputs
            .get(name)
            .and_then(|output| output.at.as_ref());
        match place.filter(|_| left > 0) {
            None => self.result(record).join(name),
            Some(Place { key: None, name }) => self.follow(record, name, left - 1),
            Some(Place {
                key: Some(key),
                name,
            }) => match self.record(key) {
                Some(source) => self.follow(&source, name, left - 1),
                // It is lost, and this is where it was.
                None => self.entry(key).join(name),
            },
        }
    }

    /// Gives the files of a sealed attempt away whose content another output has, or one that the stage read.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn share(
        &self,
        attempt: &Attempt,
        outputs: &mut [(String, Output)],
        read: &[Read],
    ) -> Result<()> {
        for i in 0..outputs.len() {
            let (name, output) = &outputs[i];
            if !is_model(name) || output.bytes < LEAST {
                continue;
            }
            // The later one stays: the state that a longer training goes on from names `last.safetensors`.
            let twin = outputs[i + 1..]
                .iter()
                .find(|(other, o)| is_model(other) && o.digest == output.digest);
            let place = match twin {
                Some((other, _)) => Some((
                    Place {
                        key: None,
                        name: other.clone(),
                    },
                    attempt.out.join(other),
                )),
                None => self.source(read, output.digest),
            };
            let Some((place, path)) = place else { continue };
            let own = attempt.out.join(name);
            if Digest::of_file(&path).is_ok_and(|digest| digest == output.digest)
                && !cloned(&path, &own)?
            {
                files::remove(&own)?;
                let meta = fs::metadata(&path).map_err(|e| Error::io("read", &path, e))?;
                outputs[i].1.seen = Stat::of(&meta);
                outputs[i].1.at = Some(place);
            }
        }
        Ok(())
    }

    /// The output with this content among those that were read, where its file is.
    fn source(&self, read: &[Read], content: Digest) -> Option<(Place, PathBuf)> {
        let same = |(_, name, digest): &&Read| is_model(name) && *digest == content;
        let (key, name, _) = read.iter().find(same)?;
        let (mut key, mut name) = (*key, name.clone());
        for _ in 0..FARTHEST {
            let record = self.record(&key)?;
            match record.outputs.get(&name)?.at.clone() {
                None => {
                    let path = self.result(&record).join(&name);
                    let key = Some(key);
                    return Some((Place { key, name }, path));
                }
                Some(at) => (key, name) = (at.key.unwrap_or(key), at.name),
            }
        }
        None
    }
}

impl Record {
    /// The other entries that hold content of its outputs.
    pub(super) fn refers_to(&self) -> impl Iterator<Item = Digest> {
        let places = self
            .outputs
            .values()
            .filter_map(|output| output.at.as_ref());
        places.filter_map(|place| place.key)
    }
}

/// Only models are large, come out equal, and are handed on as they are.
fn is_model(name: &str) -> bool {
    name.ends_with(".safetensors")
}

/// Puts a file that shares its blocks with `from` in the place of `to`; false where the file system has no such files.
#[cfg(target_os = "linux")]
fn cloned(from: &Path, to: &Path) -> Result<bool> {
    let aside = files::aside(to);
    let shared = File::open(from).and_then(|from| {
        let to = File::create(&aside)?;
        rustix::fs::ioctl_ficlone(&to, &from)?;
        to.sync_all()
    });
    if shared.is_err() {
        files::remove(&aside)?;
        return Ok(false);
    }
    files::rename(&aside, to)?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn cloned(_: &Path, _: &Path) -> Result<bool> {
    Ok(false)
}
