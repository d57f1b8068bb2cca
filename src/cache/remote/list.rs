//! What is in a remote cache.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::SystemTime,
};

use super::{
    Remote,
    manifest::{Blob, Manifest},
    objects::in_parallel,
};
use crate::{cache::Entry, digest::Digest, error::Result};

/// The results of a remote cache.
#[derive(Debug, Default)]
pub struct Afar {
    /// Those that can be understood, sorted by key. Their sizes count what each of them names.
    pub entries: Vec<Entry>,
    /// The names of descriptions that cannot.
    pub damaged: Vec<String>,
    /// The objects that each result names, in the order of `entries`.
    pub(super) blobs: Vec<BTreeSet<Blob>>,
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
        let listed = self.objects.list("results")?;
        let found = Mutex::new(Vec::new());
        let damaged = Mutex::new(Vec::new());
        in_parallel(listed.len(), |i| {
            let object = &listed[i];
            let key = object.name.strip_suffix(".json");
            let Some(key) = key.and_then(|key| key.parse::<Digest>().ok()) else {
                return Ok(()); // Nothing of ours.
            };
            match self.manifest(&key)? {
                Some(Ok(manifest)) => {
                    let used = used.get(&key).copied();
                    let used = used.map_or(object.modified, |used| used.max(object.modified));
                    let blobs = manifest.blobs();
                    let mut found = found.lock().unwrap_or_else(|b| b.into_inner());
                    found.push((entry(manifest, &blobs, used), blobs));
                }
                Some(Err(what)) => {
                    let mut damaged = damaged.lock().unwrap_or_else(|b| b.into_inner());
                    damaged.push(what);
                }
                None => {}
            }
            Ok(())
        })?;
        let mut found = found.into_inner().unwrap_or_else(|b| b.into_inner());
        found.sort_by_key(|(entry, _)| entry.key);
        let mut damaged = damaged.into_inner().unwrap_or_else(|b| b.into_inner());
        damaged.sort();
        let (entries, blobs) = found.into_iter().unzip();
        Ok(Afar {
            entries,
            damaged,
            blobs,
        })
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
