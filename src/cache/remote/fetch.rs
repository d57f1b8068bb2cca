//! Fetching a result: aside, held against its digests, and published like one that was made here.

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    Damaged, Remote,
    counting::Counting,
    manifest::{self, Blob, Manifest},
    objects::{self, Arrival},
};
use crate::{
    cache::{Attempt, Cache, Listing, Lock, Output, Read, Record, Stat, listing},
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    stage::DigestedFiles,
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

/// What came of fetching a result.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// It is in the local cache.
    Whole(Box<Record>),
    /// The remote cache has none.
    Absent,
    /// What it has is lost or damaged in part, which was told as a warning.
    Unusable,
}

/// What is wrong with an object that was altered.
pub(super) const NOT_ITS_CONTENT: &str = "does not have the content that its name says";

/// What a fetch of one object shares.
struct Arriving<'a> {
    remote: &'a Remote,
    attempt: &'a Attempt,
    stop: &'a Stop,
    counting: &'a Counting<'a>,
}

impl Remote {
    /// Fetches a result into a cache, where its key's lock is held and its hold too. What cannot be used is told as a warning by the
    /// name of the object.
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
    ) -> Result<Fetched> {
        let mut manifest = match self.manifest(key)? {
            None => return Ok(Fetched::Absent),
            Some(Ok(manifest)) => manifest,
            Some(Err(damaged)) => {
                self.unusable(&damaged, tell);
                return Ok(Fetched::Unusable);
            }
        };
        let attempt = cache.attempt(key)?;
        let arrived = self.arrive(cache, &mut manifest, &attempt, stop, tell);
        let arrived = arrived.and_then(|arrived| match arrived {
            true => self
                .publish(cache, manifest, &attempt, made_for, tell)
                .map(Fetched::Whole),
            false => Ok(Fetched::Unusable),
        });
        if !matches!(arrived, Ok(Fetched::Whole(_))) {
            // What an interrupted attempt may go on from stays.
            let _ = files::remove(&attempt.out);
        } else if let Err(error) = self.objects.write(&format!("used/{key}"), Vec::new(), true) {
            // Who may only read leaves no mark.
            tracing::debug!("that a result was used is not noted: {error}");
        }
        arrived
    }

    /// Tells once of something that is lost or damaged.
    pub fn unusable(&self, damaged: &Damaged, tell: Tell<'_>) {
        let mut told = self.told.lock().unwrap_or_else(|b| b.into_inner());
        if told.insert(damaged.to_string()) {
            tell(StageEvent::Warning(format!(
                "in the remote cache `{}` {damaged}, so that it is not used",
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
        let total = manifest.blobs().iter().map(|blob| blob.bytes).sum();
        let counting = Counting::new("fetching", total, tell);
        let arriving = Arriving {
            remote: self,
            attempt,
            stop,
            counting: &counting,
        };
        let record = &mut manifest.record;
        if let Err(damaged) = arriving.all(record.outputs.iter_mut())? {
            self.unusable(&damaged, tell);
            return Ok(false);
        }
        let mut lost = Vec::new();
        for (name, left) in &mut record.beside {
            if let Err(damaged) = arriving.all([(name, left)])? {
                // As where a file beside a result is damaged here: the result is sound without it.
                self.unusable(&damaged, tell);
                lost.push(name.clone());
            }
        }
        record.beside.retain(|name, _| !lost.contains(name));
        files::sync_tree(&attempt.out)?;
        // Each was hashed as it lies there; that it is durable now changes nothing of what the file system says of it.
        let mut files = record.outputs.iter().chain(&record.beside);
        if let Some((name, _)) = files.find(|(name, file)| !is_still(&attempt.out.join(name), file))
        {
            let message = format!("`{name}`, which was fetched, changed while it was written");
            return Err(
                Error::failed(message).help("look who else writes into the cache, and run again")
            );
        }
        let read = read_by(cache, record);
        let mut outputs: Vec<_> = std::mem::take(&mut record.outputs).into_iter().collect();
        cache.share(attempt, &mut outputs, &read)?;
        record.outputs = outputs.into_iter().collect();
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
            .map(|(role, files)| (role.clone(), files))
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
    ) -> Result<Vec<(String, DigestedFiles)>> {
        let mut found = Vec::new();
        for (role, blob) in listings {
            let name = blob.name();
            let bytes = self.whole(&name, blob.bytes)?.unwrap_or_default();
            let text = std::str::from_utf8(&bytes).ok();
            let text = text.filter(|_| Digest::of(&bytes) == blob.digest);
            let listing = text.and_then(listing::parse);
            match listing.filter(|listing| manifest::is_listing(record, role, listing)) {
                Some(listing) => found.push((role.clone(), digested(&listing))),
                None => {
                    self.is_damaged(&name);
                    let what = NOT_ITS_CONTENT.to_owned();
                    self.unusable(&Damaged { name, what }, tell);
                }
            }
        }
        Ok(found)
    }
}

/// A listing as a result's files, without places.
fn digested(listing: &Listing) -> DigestedFiles {
    let files = listing.keys().map(|name| (name, "")).collect();
    let contents = listing.values().map(|digest| (*digest, 0)).collect();
    DigestedFiles::new(files, contents, BTreeMap::new())
}

/// Whether a file is as it was when it was hashed.
fn is_still(path: &Path, file: &Output) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| Stat::of(&meta) == file.seen)
}

impl Arriving<'_> {
    /// Fetches files, each content once, and notes what the file system says of each as it was hashed; `Err` is the first that is lost
    /// or damaged.
    fn all<'n>(
        &self,
        files: impl IntoIterator<Item = (&'n String, &'n mut Output)>,
    ) -> Result<Result<(), Damaged>> {
        let mut arrived: BTreeMap<Digest, &String> = BTreeMap::new();
        for (name, file) in files {
            let blob = Blob::of(file);
            let to = self.attempt.out.join(name);
            if let Some(folder) = to.parent() {
                files::create_folder(folder)?;
            }
            let wrong = match arrived.get(&blob.digest) {
                Some(twin) => {
                    fs::copy(self.attempt.out.join(twin), &to)
                        .map_err(|e| Error::io("write", &to, e))?;
                    self.counting.add(blob.bytes);
                    None
                }
                None => self.one(&blob, &to)?,
            };
            let meta = || fs::symlink_metadata(&to).map_err(|e| Error::io("read", &to, e));
            // Before it is hashed, so that whatever is done to it since shows.
            let seen = match wrong {
                None => Some(Stat::of(&meta()?)),
                Some(_) => None,
            };
            let is_it = seen.is_some() && Digest::of_file(&to)? == blob.digest;
            if !is_it {
                let _ = files::remove(&to);
                let name = blob.name();
                self.remote.is_damaged(&name);
                let what = wrong.unwrap_or_else(|| NOT_ITS_CONTENT.to_owned());
                return Ok(Err(Damaged { name, what }));
            }
            file.seen = seen.unwrap_or_default();
            file.at = None;
            arrived.insert(blob.digest, name);
        }
        Ok(Ok(()))
    }

    /// What is wrong with an object before its content is looked at.
    fn one(&self, blob: &Blob, to: &Path) -> Result<Option<String>> {
        let count = |n| self.counting.add(n);
        let objects = self.remote.objects.as_ref();
        let name = blob.name();
        let arrived = objects::fetch(objects, &name, blob.bytes, to, self.stop, &count)?;
        Ok(match arrived {
            Arrival::Wrong(what) => Some(what),
            Arrival::Whole => None,
        })
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
