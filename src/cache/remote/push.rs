//! Sending results: what is there already is not sent again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use super::{
    Remote, UNDERWAY,
    counting::Counting,
    manifest::{self, Blob, Manifest},
    objects::{Object, PIECE, in_parallel},
};
use crate::{
    cache::{Cache, Record},
    digest::{Digest, Parts},
    error::{Error, Result},
    event::Tell,
    files,
    stop::Stop,
    text::shown_path,
};

/// What came of pushing a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Whether the remote cache had the result whole.
    pub there: bool,
    /// Objects that were sent.
    pub objects: usize,
    /// Bytes that were sent.
    pub bytes: u64,
}

/// From where results are sent.
#[derive(Clone, Copy, Debug)]
pub struct Local<'a> {
    /// The cache that holds them.
    pub cache: &'a Cache,
    /// The root of their project: places below it are named from there.
    pub root: &'a Path,
}

/// An object that is to be sent.
struct Missing {
    blob: Blob,
    path: PathBuf,
    /// Whether something lies under its name.
    replace: bool,
}

/// Sends results to a remote cache.
#[derive(Debug)]
pub struct Pusher<'a> {
    remote: &'a Remote,
    /// The objects that are there, where they were listed: by their digest.
    listed: Option<Mutex<HashMap<String, Object>>>,
}

/// An object that no result names goes after [`UNDERWAY`]; one that is as old as this is sent anew before a description relies on it.
const RELIED_ON: Duration = Duration::from_secs(UNDERWAY.as_secs() / 2);

impl<'a> Pusher<'a> {
    /// For a few results, each of which asks what is there.
    ///
    /// # Errors
    /// When the remote cache's folder cannot be made.
    pub fn new(remote: &'a Remote) -> Result<Self> {
        remote.prepare()?;
        Ok(Self {
            remote,
            listed: None,
        })
    }

    /// For many: what is there is listed once.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn of_many(remote: &'a Remote) -> Result<Self> {
        let mut pusher = Self::new(remote)?;
        let listed = remote.objects.list("objects")?.into_iter();
        let listed = listed.map(|object| (object.name.clone(), object)).collect();
        pusher.listed = Some(Mutex::new(listed));
        Ok(pusher)
    }

    /// Sends a result whose outputs are as they were made: its objects first, its description last. Of two results of one key the
    /// first stays, for others have it, unless an object of it is lost or damaged that only its maker has.
    ///
    /// # Errors
    /// When the remote cache cannot be reached or written, or a file of the result has changed.
    pub fn push(
        &self,
        from: Local<'_>,
        record: &Record,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<Pushed> {
        let name = manifest::name(&record.key);
        let described = self.remote.manifest(&record.key)?;
        let own = files_of(from.cache, record);
        if let Some(Ok(known)) = &described {
            let lacking = self.lacking(&known.blobs())?;
            if lacking.is_empty() {
                return Ok(Pushed {
                    there: true,
                    ..Pushed::default()
                });
            }
            if lacking.iter().all(|blob| own.contains_key(blob)) {
                let wanted = own.into_iter().filter(|(blob, _)| lacking.contains(blob));
                return self.send_all(from.cache, self.missing(wanted, false)?, stop, tell);
            }
        }
        let pushed = self.send_all(from.cache, self.missing(own.clone(), true)?, stop, tell)?;
        let listings = listings_of(from.cache, record).into_iter();
        let listings = listings.map(|(role, (_, blob))| (role, blob)).collect();
        let mut manifest = Manifest::of(record, from.root, listings);
        let damaged = from.cache.damaged_beside(record);
        manifest
            .record
            .beside
            .retain(|name, _| !damaged.contains(name));
        // Whatever is there cannot be used.
        let replace = described.is_some();
        let text = manifest.text()?.into_bytes();
        self.remote.objects.write(&name, text, replace)?;
        self.remote.is_mended(&name);
        Ok(pushed)
    }

    /// The objects that are not there as they should be, as far as that is known without reading them.
    fn lacking(&self, blobs: &BTreeSet<Blob>) -> Result<BTreeSet<Blob>> {
        let blobs: Vec<_> = blobs.iter().collect();
        let lacking = Mutex::new(BTreeSet::new());
        in_parallel(blobs.len(), |i| {
            let blob = blobs[i];
            let there = self.there(blob)?;
            let whole = there.is_some_and(|object| object.bytes == blob.bytes);
            if !whole || self.remote.known_damaged(&blob.name()) {
                lock(&lacking).insert(*blob);
            }
            Ok(())
        })?;
        Ok(lacking.into_inner().unwrap_or_else(|b| b.into_inner()))
    }

    fn there(&self, blob: &Blob) -> Result<Option<Object>> {
        match &self.listed {
            Some(listed) => Ok(lock(listed).get(&blob.digest.to_string()).cloned()),
            None => self.remote.objects.look(&blob.name()),
        }
    }

    /// What of these has to be sent. What a new description relies on must not be about to go, for no result may name it now.
    fn missing(
        &self,
        files: impl IntoIterator<Item = (Blob, PathBuf)>,
        described_anew: bool,
    ) -> Result<Vec<Missing>> {
        let files: Vec<_> = files.into_iter().collect();
        let missing = Mutex::new(Vec::new());
        let now = SystemTime::now();
        in_parallel(files.len(), |i| {
            let (blob, path) = &files[i];
            let there = self.there(blob)?;
            let sound = there.as_ref().is_some_and(|object| {
                let age = now.duration_since(object.modified).unwrap_or_default();
                object.bytes == blob.bytes && !(described_anew && age > RELIED_ON)
            });
            if !sound || self.remote.known_damaged(&blob.name()) {
                lock(&missing).push(Missing {
                    blob: *blob,
                    path: path.clone(),
                    replace: there.is_some(),
                });
            }
            Ok(())
        })?;
        Ok(missing.into_inner().unwrap_or_else(|b| b.into_inner()))
    }

    fn send_all(
        &self,
        cache: &Cache,
        missing: Vec<Missing>,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<Pushed> {
        let bytes = missing.iter().map(|m| m.blob.bytes).sum();
        let counting = Counting::new("pushing", bytes, tell);
        let (small, large): (Vec<_>, Vec<_>) = missing.iter().partition(|m| m.blob.bytes <= PIECE);
        in_parallel(small.len(), |i| self.send(cache, small[i], stop, &counting))?;
        // One after the other: of a large file several parts are sent at once already.
        large
            .iter()
            .try_for_each(|one| self.send(cache, one, stop, &counting))?;
        Ok(Pushed {
            there: false,
            objects: missing.len(),
            bytes,
        })
    }

    fn send(
        &self,
        cache: &Cache,
        missing: &Missing,
        stop: &Stop,
        counting: &Counting<'_>,
    ) -> Result<()> {
        stop.check()?;
        let Missing {
            blob,
            path,
            replace,
        } = missing;
        let changed = || {
            let message = format!("`{}` is not as it was made", shown_path(path));
            Error::failed(message).help("`kfood cache verify` removes what is damaged")
        };
        let objects = &self.remote.objects;
        let name = blob.name();
        if blob.bytes > PIECE {
            if Digest::of_file(path)? != blob.digest {
                return Err(changed());
            }
            let notes = self.notes(cache, blob);
            objects.upload(&name, path, &notes, stop, &|n| counting.add(n))?;
        } else {
            let bytes = files::read(path)?;
            if Digest::of(&bytes) != blob.digest {
                return Err(changed());
            }
            // One of this name that came meanwhile is this one.
            objects.write(&name, bytes, *replace)?;
            counting.add(blob.bytes);
        }
        self.remote.is_mended(&name);
        if let Some(listed) = &self.listed {
            let object = Object {
                name: blob.digest.to_string(),
                bytes: blob.bytes,
                modified: SystemTime::now(),
            };
            lock(listed).insert(object.name.clone(), object);
        }
        Ok(())
    }

    /// Where an upload is noted that may be interrupted.
    fn notes(&self, cache: &Cache, blob: &Blob) -> PathBuf {
        let mut parts = Parts::new("kfood 2026 upload to a remote cache");
        parts.part(self.remote.shown()).part(blob.name());
        let name = format!("{}.json", parts.finish());
        cache.root().join("uploads").join(name)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// The files of a result by their content; each once.
fn files_of(cache: &Cache, record: &Record) -> BTreeMap<Blob, PathBuf> {
    let outputs = record.outputs.iter();
    let outputs = outputs.map(|(name, o)| (Blob::of(o), cache.output(record, name)));
    let beside = record
        .beside
        .iter()
        .filter_map(|(name, left)| Some((Blob::of(left), cache.file_beside(record, name)?)));
    let listings = listings_of(cache, record).into_values();
    let listings = listings.map(|(path, blob)| (blob, path));
    listings.chain(beside).chain(outputs).collect()
}

/// The lists of outside files, by role.
fn listings_of(cache: &Cache, record: &Record) -> BTreeMap<String, (PathBuf, Blob)> {
    let roles = record.document.inputs.keys();
    let found = roles.filter_map(|role| {
        cache.listing(record, role)?;
        let path = cache.listing_file(&record.key, role);
        let blob = Blob {
            digest: Digest::of_file(&path).ok()?,
            bytes: path.metadata().ok()?.len(),
        };
        Some((role.clone(), (path, blob)))
    });
    found.collect()
}
