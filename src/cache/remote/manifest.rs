//! `results/KEY.json`: what a result is, and which objects hold it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path},
};

use serde::{Deserialize, Serialize};

use crate::{
    cache::{Output, Record, Stat, listing},
    digest::{Digest, seal, unseal},
    error::{Error, Result},
};

/// A result in a remote cache: the record without anything of the machine's disk, and the lists of outside files that it read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) record: Record,
    /// By role; each is an object too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) listings: BTreeMap<String, Blob>,
}

/// An object by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Blob {
    /// blake3 of it.
    pub(super) digest: Digest,
    /// Size in bytes.
    pub(super) bytes: u64,
}

impl Blob {
    pub(super) fn of(output: &Output) -> Self {
        Self {
            digest: output.digest,
            bytes: output.bytes,
        }
    }

    /// The name of its object.
    pub(super) fn name(&self) -> String {
        format!("objects/{}", self.digest)
    }
}

/// The name of a result's object.
pub(super) fn name(key: &Digest) -> String {
    format!("results/{key}.json")
}

impl Manifest {
    /// Of a record of the local cache. Its pipeline file is named as seen from the project's root, or not at all.
    pub(super) fn of(record: &Record, root: &Path, listings: BTreeMap<String, Blob>) -> Self {
        let mut record = record.clone();
        record.folder = "out".to_owned();
        let below = |place: &str| {
            let place = Path::new(place).strip_prefix(root).ok()?;
            Some(place.to_str()?.to_owned())
        };
        record.pipeline = record.pipeline.as_deref().and_then(below);
        for output in record
            .outputs
            .values_mut()
            .chain(record.beside.values_mut())
        {
            output.seen = Stat::default();
            output.at = None;
        }
        Self { record, listings }
    }

    pub(super) fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Error::failed("cannot write a result's description").because(e))?;
        Ok(seal(&text))
    }

    /// Understands and verifies what a store gave. `Err` says in a few words what is wrong.
    pub(super) fn parse(bytes: &[u8], key: &Digest) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "is no text")?;
        let manifest: Self = serde_json::from_str(unseal(text)?)
            .map_err(|e| format!("cannot be understood: {e}"))?;
        let record = &manifest.record;
        if record.key != *key || record.document.key() != *key {
            return Err("is that of another result".to_owned());
        }
        let plain = |name: &String| is_below(name) && !name.contains('/');
        let named = record.outputs.keys().all(plain)
            && record.beside.keys().all(|name| is_below(name))
            && manifest.listings.keys().all(|role| !role.is_empty());
        // Who reads a file beside the outputs must not find an output there, nor a folder where a file is.
        let apart = |name: &String| {
            Path::new(name)
                .ancestors()
                .all(|above| !record.outputs.contains_key(&*above.to_string_lossy()))
        };
        if !named || !record.beside.keys().all(apart) || record.outputs.is_empty() {
            return Err("names a file outside its result".to_owned());
        }
        if record.outputs.values().any(|output| output.at.is_some()) {
            return Err("names an output outside its result".to_owned());
        }
        Ok(manifest)
    }

    /// The objects of its outputs.
    pub(super) fn outputs(&self) -> BTreeSet<Blob> {
        self.record.outputs.values().map(Blob::of).collect()
    }

    /// All its objects.
    pub(super) fn blobs(&self) -> BTreeSet<Blob> {
        let beside = self.record.beside.values().map(Blob::of);
        let mut all = self.outputs();
        all.extend(beside.chain(self.listings.values().copied()));
        all
    }
}

/// Whether a name stays in its folder.
fn is_below(name: &str) -> bool {
    let plain = |part: Component<'_>| match part {
        Component::Normal(part) => !part.to_string_lossy().starts_with('.'),
        _ => false,
    };
    !name.is_empty() && !name.contains('\0') && Path::new(name).components().all(plain)
}

/// Whether a list of outside files is the one that a record's key stands for.
pub(super) fn is_listing(record: &Record, role: &str, listing: &listing::Listing) -> bool {
    record.document.inputs.get(role) == Some(&listing::digest(listing))
}
