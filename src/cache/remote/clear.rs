//! Removing results of a remote cache: the longest unused first, and never what a lock file pins.
//!
//! Others may push meanwhile. What holds then is age: an object goes only where no result names it, after descriptions were removed
//! and those that came meanwhile were read, and where it is older than a day at that moment. A push that relies on an object which is
//! half as old sends it anew first (`push`), and so makes it young.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::SystemTime,
};

use super::{
    FOLDERS, Remote, UNDERWAY,
    manifest::{self, Blob},
    objects::{Object, in_parallel},
};
use crate::{
    cache::{Entry, Gc},
    digest::Digest,
    error::{Error, Result},
    name,
    text::shown,
};

/// What was removed from a remote cache, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Results, sorted by key.
    pub entries: Vec<Entry>,
    /// Objects that no result names, and what uploads into a folder left that did not end; each older than a day.
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
    /// When each description was written that was read for this.
    written: BTreeMap<Digest, SystemTime>,
    /// The keys of the results that were to go.
    chosen: BTreeSet<Digest>,
}

impl Remote {
    /// What goes by `gc`, oldest use first, with the pins of these pipelines, which are forgotten. Nothing is removed yet.
    ///
    /// # Errors
    /// When the remote cache cannot be reached, a pin cannot be understood, or a pipeline to be forgotten has none.
    pub fn to_clear(&self, gc: &Gc, forget: &[String]) -> Result<Freed> {
        let all = self.pins()?;
        let pipelines: BTreeSet<_> = all.iter().map(|(_, pin)| pin.pipeline.as_str()).collect();
        if let Some(unknown) = forget.iter().find(|f| !pipelines.contains(f.as_str())) {
            return Err(self.is_not_pinned(unknown, &pipelines));
        }
        let (forgotten, pins): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(_, pin)| forget.contains(&pin.pipeline));
        let pinned: BTreeSet<Digest> = pins.into_iter().flat_map(|(_, pin)| pin.keys).collect();
        let mut freed = self.choose(gc, &pinned)?;
        freed.pins = forgotten.into_iter().map(|(name, _)| name).collect();
        Ok(freed)
    }

    fn is_not_pinned(&self, unknown: &str, pipelines: &BTreeSet<&str>) -> Error {
        let message = format!(
            "no lock file of `{}` is pinned in the remote cache `{}`",
            shown(unknown),
            self.shown
        );
        let near = name::nearest(unknown, pipelines.iter().copied());
        Error::usage(message).help(match (near, pipelines.first()) {
            (Some(near), _) => format!("did you mean `{}`?", shown(near)),
            (None, Some(_)) => {
                let pinned: Vec<_> = pipelines
                    .iter()
                    .map(|p| format!("`{}`", shown(p)))
                    .collect();
                format!("pinned are {}", pinned.join(", "))
            }
            (None, None) => "leave `--forget` out: nothing is pinned there".to_owned(),
        })
    }

    /// Removes what [`Self::to_clear`] found, less what was pushed, used or relied on since; gives what was removed.
    ///
    /// # Errors
    /// When the remote cache cannot be reached, or something cannot be removed.
    pub fn clear(&self, mut freed: Freed) -> Result<Freed> {
        for pin in &freed.pins {
            self.objects.remove(pin)?;
        }
        let used: BTreeMap<String, SystemTime> = (self.objects.list("used")?.into_iter())
            .map(|object| (object.name, object.modified))
            .collect();
        let written: BTreeMap<Digest, SystemTime> = self.descriptions()?.into_iter().collect();
        freed.entries.retain(
            |Entry {
                 key, used: then, ..
             }| {
                let unused = used.get(&key.to_string()).is_none_or(|used| used <= then);
                unused && written.get(key) == freed.written.get(key)
            },
        );
        // Descriptions first: a result without one is none, and one that names what is gone would be a miss with a warning.
        in_parallel(freed.entries.len(), |i| {
            let key = freed.entries[i].key;
            self.objects.remove(&manifest::name(&key))?;
            self.objects.remove(&format!("used/{key}"))
        })?;
        let named = self.named_since(&freed)?;
        freed.objects.retain(|object| !named.contains(object));
        let stays = Mutex::new(BTreeSet::new());
        in_parallel(freed.objects.len(), |i| {
            let name = &freed.objects[i];
            // Leftovers of uploads are none that the store tells of by their name.
            let young = self.objects.look(name)?.filter(is_young);
            match young {
                None => self.objects.remove(name)?,
                Some(object) => {
                    let mut stays = stays.lock().unwrap_or_else(|b| b.into_inner());
                    stays.insert((name.clone(), object.bytes));
                }
            }
            Ok(())
        })?;
        for (name, bytes) in stays.into_inner().unwrap_or_else(|b| b.into_inner()) {
            freed.objects.retain(|object| *object != name);
            freed.bytes -= bytes;
        }
        Ok(freed)
    }

    /// The objects that results name which came, or came anew, after a look, or that were spared since.
    fn named_since(&self, freed: &Freed) -> Result<BTreeSet<String>> {
        let now = self.descriptions()?.into_iter();
        let spared = |key: &Digest| freed.chosen.contains(key);
        let new = now.filter(|(key, at)| freed.written.get(key) != Some(at) || spared(key));
        let new: Vec<_> = new.collect();
        let named = Mutex::new(BTreeSet::new());
        in_parallel(new.len(), |i| {
            if let Some(Ok(manifest)) = self.manifest(&new[i].0)? {
                let mut named = named.lock().unwrap_or_else(|b| b.into_inner());
                named.extend(manifest.blobs().iter().map(Blob::name));
            }
            Ok(())
        })?;
        Ok(named.into_inner().unwrap_or_else(|b| b.into_inner()))
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
        freed.chosen = freed.entries.iter().map(|entry| entry.key).collect();
        freed.kept_bytes = left;
        let named: BTreeMap<String, usize> = named
            .into_iter()
            .map(|(blob, n)| (blob.digest.to_string(), n))
            .collect();
        for object in self.objects.list("objects")? {
            let named = named.get(&object.name).is_some_and(|n| *n > 0);
            if !named && !is_young(&object) {
                freed.bytes += object.bytes;
                freed.objects.push(format!("objects/{}", object.name));
            }
        }
        for folder in FOLDERS {
            let left = self.objects.leftovers(folder)?.into_iter();
            for object in left.filter(|object| !is_young(object)) {
                freed.bytes += object.bytes;
                freed.objects.push(format!("{folder}/{}", object.name));
            }
        }
        freed.objects.sort();
        freed.written = afar.written;
        Ok(freed)
    }
}

fn is_young(object: &Object) -> bool {
    let age = SystemTime::now().duration_since(object.modified);
    age.unwrap_or_default() < UNDERWAY
}
