//! The record of a finished stage: what was done, with what, when, and what came out.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{KeyDocument, Place, Stat};
use crate::{
    digest::{Digest, seal, unseal},
    error::{Error, Result},
    files,
    record::Fingerprint,
    text::shown_path,
};

/// `record.json`. Outputs and key document are the result; everything else tells where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The key, the digest of `document`.
    pub key: Digest,
    /// What the key stands for.
    pub document: KeyDocument,
    /// The folder below the entry that holds the result, such as `out-1`.
    pub folder: String,
    /// The outputs by name.
    pub outputs: BTreeMap<String, Output>,
    /// The files that it left beside its outputs and that are no result (times, the state to go on from), by their path below
    /// the folder. An earlier kfood did not write them down.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beside: BTreeMap<String, Output>,
    /// For each input that came from another stage, by role: the key of the entry it was read from.
    pub from: BTreeMap<String, Digest>,
    /// The stage that it was first made for.
    pub stage: String,
    /// The pipeline file of that stage, as it was given.
    pub pipeline: Option<String>,
    /// When it started, in seconds since 1970.
    pub started: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// The machine, as far as it changes results; from the stage's `fingerprint.json`.
    pub fingerprint: Option<Fingerprint>,
    /// The version of kfood that made it.
    pub kfood: String,
}

/// One output of a finished stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// blake3 of its content.
    pub digest: Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// What the file system said of it when it was last hashed.
    pub seen: Stat,
    /// Where its content lies, where it has no file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
}

impl Record {
    /// The file that holds it, in the folder of an entry.
    pub(super) const FILE: &'static str = "record.json";

    /// The content of each output.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<&str, Digest> {
        let outputs = self.outputs.iter();
        outputs.map(|(name, o)| (name.as_str(), o.digest)).collect()
    }

    /// Size of the outputs that have a file of their own, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let own = self.outputs.values().filter(|output| output.at.is_none());
        own.map(|output| output.bytes).sum()
    }

    /// Writes it in one step, its checksum in front.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let body = serde_json::to_string_pretty(self).map_err(|e| {
            Error::failed(format!("cannot write `{}`", shown_path(path))).because(e)
        })?;
        files::publish(path, seal(&body).as_bytes())
    }

    /// Understands and verifies its text. `Err` says in a few words what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let body = unseal(text)?;
        let record: Self =
            serde_json::from_str(body).map_err(|e| format!("cannot be understood: {e}"))?;
        if record.folder.is_empty() || record.folder.contains(['/', '.']) {
            return Err("names a folder outside its entry".to_owned());
        }
        let mut places = record
            .outputs
            .values()
            .filter_map(|output| output.at.as_ref());
        if !places.all(Place::is_sound) {
            return Err("names an output outside its entry".to_owned());
        }
        Ok(record)
    }
}
