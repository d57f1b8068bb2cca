//! Fetching a result: aside, held against its digests, and published like one that was made here.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    Remote,
    manifest::{self, Blob, Manifest},
    objects::{self, Fetched},
};
use crate::{
    cache::{Attempt, Cache, Listing, Lock, Read, Record, listing},
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    stage::DigestedFile,
    stop::Stop,
};

/// For whom a result is fetched: the record names them, as of one that was made here.
#[derive(Clone, Copy, Debug)]
pub struct For<'a> {
    /// The stage; without one as the remote cache has it.
    pub stage: Option<&'a str>,
    /// The pipeline file.
    pub pipeline: Option<&'a str>,
    /// The root of the project: a pipeline file that the remote cache names is one below it.
    pub root: Option<&'a Path>,
}

/// What is wrong with an object that was altered.
pub(super) const NOT_ITS_CONTENT: &str = "does not have the content that its name says";

/// What a fetch of one object shares.
struct Arriving<'a> {
    remote: &'a Remote,
    attempt: &'a Attempt,
    stop: &'a Stop,
    count: &'a (dyn Fn(u64) + Sync),
}

impl Remote {
    /// Fetches a result into a cache, where its key's lock is held and its hold too. `None` where there is none or it cannot be used,
    /// which is told as a warning by the name of the object.
    ///
    /// # Errors
    /// When the remote cache cannot be reached, or the result cannot be written here.
    pub fn fetch(
        &self,
        cache: &Cache,
        key: &Digest,
        _lock: &Lock,
        made_for: For<'_>,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<Option<Box<Record>>> {
        let mut manifest = match self.manifest(key)? {
            None => return Ok(None),
            Some(Ok(manifest)) => manifest,
            Some(Err(what)) => {
                self.unusable(&what, tell);
                return Ok(None);
            }
        };
        let attempt = cache.attempt(key)?;
        let arrived = self.arrive(cache, &mut manifest, &attempt, stop, tell);
        let arrived = arrived.and_then(|arrived| {
            if arrived {
                self.publish(cache, manifest, &attempt, made_for, tell)
                    .map(Some)
            } else {
                Ok(None)
            }
        });
        if !matches!(arrived, Ok(Some(_))) {
            // What an interrupted attempt may go on from stays.
            let _ = files::remove(&attempt.out);
        } else if let Err(error) = self.objects.write(&format!("used/{key}"), Vec::new(), true) {
            // Who may only read leaves no mark.
            tracing::debug!("that a result was used is not noted: {error}");
        }
        arrived
    }

    /// Tells once of something that is lost or damaged.
    pub fn unusable(&self, what: &str, tell: Tell<'_>) {
        let mut told = self.told.lock().unwrap_or_else(|b| b.into_inner());
        if told.insert(what.to_owned()) {
            tell(StageEvent::Warning(format!(
                "in the remote cache `{}` {what}, so that it is not used",
                self.shown
            )));
        }
    }

    /// Everything into the attempt; false where an output is lost or damaged.
    fn arrive(
        &self,
        cache: &Cache,
        manifest: &mut Manifest,
        attempt: &Attempt,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<bool> {
        let total: u64 = manifest.blobs().iter().map(|blob| blob.bytes).sum();
        let done = AtomicU64::new(0);
        let count = |n: u64| {
            tell(StageEvent::Progress {
                what: "fetching".to_owned(),
                done: (done.fetch_add(n, Ordering::Relaxed) + n) / 1_000,
                total: total / 1_000,
                unit: "kB".to_owned(),
            });
        };
        let arriving = Arriving {
            remote: self,
            attempt,
            stop,
            count: &count,
        };
        let outputs = manifest.record.outputs.iter();
        if let Some(what) = arriving.all(outputs.map(|(name, o)| (name.as_str(), Blob::of(o))))? {
            self.unusable(&what, tell);
            return Ok(false);
        }
        let mut lost = Vec::new();
        for (name, left) in &manifest.record.beside {
            if let Some(what) = arriving.all([(name.as_str(), Blob::of(left))])? {
                // As where a file beside a result is damaged here: the result is sound without it.
                self.unusable(&what, tell);
                lost.push(name.clone());
            }
        }
        manifest
            .record
            .beside
            .retain(|name, _| !lost.contains(name));
        // What the file system says of the files; and once more that they are what they are said to be, now that they are durable.
        let names: Vec<_> = manifest.record.outputs.keys().cloned().collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let record = &mut manifest.record;
        let mut sealed = cache.seal(attempt, &names)?;
        let same = |(name, output): &(String, crate::cache::Output)| {
            (record.outputs.get(name)).is_some_and(|o| o.digest == output.digest)
        };
        if !sealed.iter().all(same) {
            return Err(Error::failed(
                "what was fetched changed while it was written",
            ));
        }
        let read = read_by(cache, record);
        cache.share(attempt, &mut sealed, &read)?;
        record.outputs = sealed.into_iter().collect();
        record.beside = cache.beside(attempt, &names)?.into_iter().collect();
        Ok(true)
    }

    fn publish(
        &self,
        cache: &Cache,
        manifest: Manifest,
        attempt: &Attempt,
        made_for: For<'_>,
        tell: Tell<'_>,
    ) -> Result<Box<Record>> {
        let mut record = Box::new(manifest.record);
        let named = record.pipeline.take().zip(made_for.root);
        let named = named.map(|(file, root)| root.join(file).display().to_string());
        record.pipeline = made_for.pipeline.map(str::to_owned).or(named);
        if let Some(stage) = made_for.stage {
            record.stage = stage.to_owned();
        }
        let listings = self.listings(&record, &manifest.listings, tell)?;
        let listings: Vec<_> = (listings.iter())
            .map(|(role, files)| (role.clone(), files.as_slice()))
            .collect();
        cache.publish(attempt.clone(), &mut record, &listings, true)?;
        Ok(record)
    }

    /// The lists of outside files, as far as they are what the key stands for: they only serve to explain.
    fn listings(
        &self,
        record: &Record,
        listings: &BTreeMap<String, Blob>,
        tell: Tell<'_>,
    ) -> Result<Vec<(String, Vec<DigestedFile>)>> {
        let mut found = Vec::new();
        for (role, blob) in listings {
            let name = blob.name();
            let bytes = self.small(&name)?.unwrap_or_default();
            let text = std::str::from_utf8(&bytes).ok();
            let text = text.filter(|_| Digest::of(&bytes) == blob.digest);
            let listing = text.and_then(listing::parse);
            match listing.filter(|listing| manifest::is_listing(record, role, listing)) {
                Some(listing) => found.push((role.clone(), digested(listing))),
                None => {
                    self.is_damaged(&name);
                    self.unusable(&format!("`{name}` {NOT_ITS_CONTENT}"), tell);
                }
            }
        }
        Ok(found)
    }
}

/// A listing as a result's files, without places.
fn digested(listing: Listing) -> Vec<DigestedFile> {
    let files = listing.into_iter().map(|(name, digest)| DigestedFile {
        name,
        path: Path::new("").into(),
        digest,
        bytes: 0,
        lost: None,
    });
    files.collect()
}

impl Arriving<'_> {
    /// Fetches files, each content once; what is wrong with the first that is lost or damaged.
    fn all<'n>(&self, files: impl IntoIterator<Item = (&'n str, Blob)>) -> Result<Option<String>> {
        let mut arrived: BTreeMap<Digest, &str> = BTreeMap::new();
        for (name, blob) in files {
            let to = self.attempt.out.join(name);
            if let Some(folder) = to.parent() {
                files::create_folder(folder)?;
            }
            if let Some(twin) = arrived.get(&blob.digest) {
                fs::copy(self.attempt.out.join(twin), &to)
                    .map_err(|e| Error::io("write", &to, e))?;
                (self.count)(blob.bytes);
                continue;
            }
            if let Some(what) = self.one(&blob, &to)? {
                let _ = files::remove(&to);
                return Ok(Some(what));
            }
            arrived.insert(blob.digest, name);
        }
        Ok(None)
    }

    fn one(&self, blob: &Blob, to: &Path) -> Result<Option<String>> {
        let name = blob.name();
        let objects = self.remote.objects.as_ref();
        let fetched = objects::fetch(objects, &name, blob.bytes, to, self.stop, self.count)?;
        let wrong = match fetched {
            Fetched::Wrong(what) => what,
            Fetched::Whole if Digest::of_file(to)? == blob.digest => return Ok(None),
            Fetched::Whole => NOT_ITS_CONTENT.to_owned(),
        };
        self.remote.is_damaged(&name);
        Ok(Some(format!("`{name}` {wrong}")))
    }
}

/// The outputs that a result was made from, as far as they are here: equal models are stored once.
fn read_by(cache: &Cache, record: &Record) -> Vec<Read> {
    let from = record.from.values().filter_map(|key| cache.record(key));
    let outputs = from.flat_map(|above| {
        let key = above.key;
        let outputs = above.outputs.into_iter();
        outputs.map(move |(name, output)| (key, name, output.digest))
    });
    outputs.collect()
}
