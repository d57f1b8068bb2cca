//! The record of a finished stage: what was done, with what, when, and what came out.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{KeyDocument, Stat};
use crate::{
    digest::Digest,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// blake3 of its content.
    pub digest: Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// What the file system said of it when it was last hashed.
    pub seen: Stat,
}

const HEAD: &str = "{\"checksum\":\"";
const MIDDLE: &str = "\",\"record\":";
const TAIL: &str = "}\n";

impl Record {
    /// Size of all outputs in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.outputs.values().map(|o| o.bytes).sum()
    }

    /// Writes it in one step, its checksum in front.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let body = serde_json::to_string_pretty(self).map_err(|e| {
            Error::failed(format!("cannot write `{}`", shown_path(path))).because(e)
        })?;
        let checksum = Digest::of(body.as_bytes());
        files::publish(
            path,
            format!("{HEAD}{checksum}{MIDDLE}{body}{TAIL}").as_bytes(),
        )
    }

    /// Understands and verifies its text. `Err` says in a few words what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (checksum, body) = text
            .strip_prefix(HEAD)
            .and_then(|rest| rest.strip_suffix(TAIL)?.split_once(MIDDLE))
            .ok_or("is truncated")?;
        if checksum != Digest::of(body.as_bytes()).to_string() {
            return Err("does not match its checksum".to_owned());
        }
        let record: Self =
            serde_json::from_str(body).map_err(|e| format!("cannot be understood: {e}"))?;
        if record.folder.is_empty() || record.folder.contains(['/', '.']) {
            return Err("names a folder outside its entry".to_owned());
        }
        Ok(record)
    }
}
