//! What is in a remote cache.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Mutex,
    time::SystemTime,
};

use super::{
    Remote,
    manifest::{Blob, Manifest},
    objects::{Object, in_parallel},
};
use crate::{cache::Entry, digest::Digest, error::Result};

/// The results of a remote cache.
#[derive(Debug, Default)]
pub struct Afar {
    /// Those that can be understood, sorted by key. Their sizes count what each of them names.
    pub entries: Vec<Entry>,
    /// The descriptions that cannot, sorted by name.
    pub damaged: Vec<Damaged>,
    /// The objects that each result names, in the order of `entries`.
    pub(super) blobs: Vec<BTreeSet<Blob>>,
    /// Of them, those that hold its outputs.
    pub(super) outputs: Vec<BTreeSet<Blob>>,
    /// When each description was written, those that cannot be understood too.
    pub(super) written: BTreeMap<Digest, SystemTime>,
}

/// An object that is not as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// The name of the object.
    pub name: String,
    /// What is wrong with it, in a few words that go on after its name.
    pub what: String,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name, self.what)
    }
}

impl Afar {
    /// Bytes of all objects that results name; each counts once.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let all: BTreeSet<&Blob> = self.blobs.iter().flatten().collect();
        all.into_iter().map(|blob| blob.bytes).sum()
    }
}

impl Remote {
    /// Lists the results.
    ///
    /// # Errors
    /// When the remote cache cannot be reached.
    pub fn list(&self) -> Result<Afar> {
        let mut used: BTreeMap<Digest, SystemTime> = BTreeMap::new();
        for object in self.objects.list("used")? {
            if let Ok(key) = object.name.parse() {
                used.insert(key, object.modified);
            }
        }
        let listed = self.descriptions()?;
        let found = Mutex::new(Vec::new());
        let damaged = Mutex::new(Vec::new());
        in_parallel(listed.len(), |i| {
            let (key, modified) = listed[i];
            match self.manifest(&key)? {
                Some(Ok(manifest)) => {
                    let used = used.get(&key).copied();
                    let used = used.map_or(modified, |used| used.max(modified));
                    let (blobs, outputs) = (manifest.blobs(), manifest.outputs());
                    let mut found = found.lock().unwrap_or_else(|b| b.into_inner());
                    found.push((entry(manifest, &blobs, used), (blobs, outputs)));
                }
                Some(Err(found)) => {
                    let mut damaged = damaged.lock().unwrap_or_else(|b| b.into_inner());
                    damaged.push(found);
                }
                None => {}
            }
            Ok(())
        })?;
        let mut found = found.into_inner().unwrap_or_else(|b| b.into_inner());
        found.sort_by_key(|(entry, _)| entry.key);
        let mut damaged = damaged.into_inner().unwrap_or_else(|b| b.into_inner());
        damaged.sort();
        let (entries, blobs): (_, Vec<_>) = found.into_iter().unzip();
        let (blobs, outputs) = blobs.into_iter().unzip();
        Ok(Afar {
            entries,
            damaged,
            blobs,
            outputs,
            written: listed.into_iter().collect(),
        })
    }

    /// The keys that have a description, and when each was written.
    pub(super) fn descriptions(&self) -> Result<Vec<(Digest, SystemTime)>> {
        let listed = self.objects.list("results")?.into_iter();
        // Anything else there is nothing of ours.
        let of = |object: Object| {
            let key = object.name.strip_suffix(".json")?;
            Some((key.parse().ok()?, object.modified))
        };
        Ok(listed.filter_map(of).collect())
    }
}

fn entry(manifest: Manifest, blobs: &BTreeSet<Blob>, used: SystemTime) -> Entry {
    let record = manifest.record;
    Entry {
        key: record.key,
        kind: record.document.kind,
        stage: record.stage,
        pipeline: record.pipeline,
        bytes: blobs.iter().map(|blob| blob.bytes).sum(),
        used,
    }
}
