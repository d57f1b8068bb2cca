//! Removing results of a remote cache: the longest unused first, and never what a lock file pins.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use super::{
    Remote,
    manifest::{self, Blob},
    objects::in_parallel,
};
use crate::{
    cache::{Entry, Gc},
    digest::Digest,
    error::Result,
};

/// What was removed from a remote cache, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Results, sorted by key.
    pub entries: Vec<Entry>,
    /// Objects that no result names: what only removed ones named, and what pushes left that did not end.
    pub objects: Vec<String>,
    /// Pins that were to be forgotten.
    pub pins: Vec<String>,
    /// Bytes of the objects.
    pub bytes: u64,
    /// Results that stay.
    pub kept: usize,
    /// Bytes of their objects.
    pub kept_bytes: u64,
    /// Of them, those that are pinned.
    pub pinned: usize,
}

/// What no result names may be about to be named: a push sends the description last.
const UNDERWAY: Duration = Duration::from_secs(24 * 3_600);

impl Remote {
    /// Removes results by `gc`, oldest use first, and the pins of these pipelines before; `dry` only says what that would be.
    ///
    /// # Errors
    /// When the remote cache cannot be reached, a pin cannot be understood, or something cannot be removed.
    pub fn clear(&self, gc: &Gc, forget: &[String], dry: bool) -> Result<Freed> {
        let (forgotten, pins): (Vec<_>, Vec<_>) = self
            .pins()?
            .into_iter()
            .partition(|(_, pin)| forget.contains(&pin.pipeline));
        let pinned: BTreeSet<Digest> = pins.into_iter().flat_map(|(_, pin)| pin.keys).collect();
        let mut freed = self.choose(gc, &pinned)?;
        freed.pins = forgotten.into_iter().map(|(name, _)| name).collect();
        if !dry {
            for pin in &freed.pins {
                self.objects.remove(pin)?;
            }
            // Descriptions first: a result without one is none, and one that names what is gone would be a miss with a warning.
            in_parallel(freed.entries.len(), |i| {
                let key = freed.entries[i].key;
                self.objects.remove(&manifest::name(&key))?;
                self.objects.remove(&format!("used/{key}"))
            })?;
            in_parallel(freed.objects.len(), |i| {
                self.objects.remove(&freed.objects[i])
            })?;
        }
        Ok(freed)
    }

    fn choose(&self, gc: &Gc, pinned: &BTreeSet<Digest>) -> Result<Freed> {
        let afar = self.list()?;
        let now = SystemTime::now();
        let mut named: BTreeMap<Blob, usize> = BTreeMap::new();
        for blob in afar.blobs.iter().flatten() {
            *named.entry(*blob).or_default() += 1;
        }
        let mut left = afar.bytes();
        let mut order: Vec<usize> = (0..afar.entries.len()).collect();
        order.sort_by_key(|i| (afar.entries[*i].used, afar.entries[*i].key));
        let mut freed = Freed::default();
        for i in order {
            let entry = &afar.entries[i];
            let age = now.duration_since(entry.used).unwrap_or_default();
            let old = gc.older_than.is_some_and(|limit| age > limit);
            let too_much = gc.max_bytes.is_some_and(|limit| left > limit);
            let young = gc.since.is_some_and(|since| entry.used >= since);
            let stays = pinned.contains(&entry.key) || gc.keep.contains(&entry.key) || young;
            if stays || !(old || too_much) {
                freed.kept += 1;
                freed.pinned += usize::from(pinned.contains(&entry.key));
                continue;
            }
            for blob in &afar.blobs[i] {
                if let Some(n) = named.get_mut(blob) {
                    *n -= 1;
                    left -= if *n == 0 { blob.bytes } else { 0 };
                }
            }
            freed.entries.push(entry.clone());
        }
        freed.entries.sort_by_key(|entry| entry.key);
        freed.kept_bytes = left;
        let named: BTreeMap<String, usize> = named
            .into_iter()
            .map(|(blob, n)| (blob.digest.to_string(), n))
            .collect();
        for object in self.objects.list("objects")? {
            let age = now.duration_since(object.modified).unwrap_or_default();
            let goes = match named.get(&object.name) {
                Some(n) => *n == 0,
                None => age > UNDERWAY,
            };
            if goes {
                freed.bytes += object.bytes;
                freed.objects.push(format!("objects/{}", object.name));
            }
        }
        freed.objects.sort();
        Ok(freed)
    }
}
