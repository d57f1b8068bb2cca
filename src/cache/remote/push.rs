//! Sending results: what is there already is not sent again.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Remote,
    manifest::{self, Blob, Manifest},
    objects::{PIECE, in_parallel},
};
use crate::{
    cache::{Cache, Record},
    digest::{Digest, Parts},
    error::{Error, Result},
    event::{StageEvent, Tell},
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

/// An object that is to be sent.
struct Missing {
    blob: Blob,
    path: PathBuf,
    /// Whether what is there under its name is damaged.
    replace: bool,
}

/// Sends results of one cache to a remote one.
#[derive(Debug)]
pub struct Pusher<'a> {
    remote: &'a Remote,
    cache: &'a Cache,
    root: &'a Path,
    /// The objects that are there, where they were listed: by their digest, with their size.
    listed: Option<HashMap<String, u64>>,
}

impl<'a> Pusher<'a> {
    /// For a few results, each of which asks what is there. `root` is that of the project: places below it are named from there.
    ///
    /// # Errors
    /// When the remote cache's folder cannot be made.
    pub fn new(remote: &'a Remote, cache: &'a Cache, root: &'a Path) -> Result<Self> {
        remote.prepare()?;
        Ok(Self {
            remote,
            cache,
            root,
            listed: None,
        })
    }

    /// For many: what is there is listed once.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn of_many(remote: &'a Remote, cache: &'a Cache, root: &'a Path) -> Result<Self> {
        let mut pusher = Self::new(remote, cache, root)?;
        let listed = remote.objects.list("objects")?.into_iter();
        pusher.listed = Some(listed.map(|object| (object.name, object.bytes)).collect());
        Ok(pusher)
    }

    /// Sends a result whose outputs are as they were made: its objects first, its description last.
    ///
    /// # Errors
    /// When the remote cache cannot be reached or written, or a file of the result has changed.
    pub fn push(&self, record: &Record, stop: &Stop, tell: Tell<'_>) -> Result<Pushed> {
        let name = manifest::name(&record.key);
        let known = match self.remote.manifest(&record.key)? {
            Some(Ok(known)) => Some(known),
            Some(Err(_)) | None => None,
        };
        // Of two results of one key the first stays: others have it.
        let own = known
            .as_ref()
            .is_none_or(|known| known.record.contents() == record.contents());
        if !own {
            return Ok(Pushed {
                there: true,
                ..Pushed::default()
            });
        }
        let pushed = self.objects(record, known.as_ref(), stop, tell)?;
        if known.is_some() {
            let there = pushed.objects == 0;
            return Ok(Pushed { there, ..pushed });
        }
        let listings = self.listings(record).into_iter();
        let listings = listings.map(|(role, (_, blob))| (role, blob)).collect();
        let mut manifest = Manifest::of(record, self.root, listings);
        let damaged = self.cache.damaged_beside(record);
        manifest
            .record
            .beside
            .retain(|name, _| !damaged.contains(name));
        let replace = self.remote.mends(&name);
        let text = manifest.text()?.into_bytes();
        self.remote.objects.write(&name, text, replace)?;
        Ok(pushed)
    }

    /// Sends what is missing of a result's objects; of one whose description is there, what that names.
    fn objects(
        &self,
        record: &Record,
        known: Option<&Manifest>,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<Pushed> {
        let wanted = known.map(Manifest::blobs);
        let wanted = |blob: &Blob| wanted.as_ref().is_none_or(|wanted| wanted.contains(blob));
        let files = self.files(record).into_iter();
        let files: Vec<_> = files.filter(|(blob, _)| wanted(blob)).collect();
        let missing = Mutex::new(Vec::new());
        in_parallel(files.len(), |i| {
            let (blob, path) = &files[i];
            let there = match &self.listed {
                Some(listed) => listed.get(&blob.digest.to_string()).copied(),
                None => self.remote.objects.size(&blob.name())?,
            };
            let mends = self.remote.mends(&blob.name());
            if mends || there != Some(blob.bytes) {
                let mut missing = missing.lock().unwrap_or_else(|b| b.into_inner());
                missing.push(Missing {
                    blob: *blob,
                    path: path.clone(),
                    replace: mends || there.is_some(),
                });
            }
            Ok(())
        })?;
        let missing = missing.into_inner().unwrap_or_else(|b| b.into_inner());
        let bytes = missing.iter().map(|m| m.blob.bytes).sum();
        let sent = AtomicU64::new(0);
        let count = |n: u64| {
            let done = sent.fetch_add(n, Ordering::Relaxed) + n;
            tell(StageEvent::Progress {
                what: "pushing".to_owned(),
                done: done / 1_000,
                total: bytes / 1_000,
                unit: "kB".to_owned(),
            });
        };
        let (small, large): (Vec<_>, Vec<_>) = missing.iter().partition(|m| m.blob.bytes <= PIECE);
        in_parallel(small.len(), |i| self.send(small[i], stop, &count))?;
        // Each of them is several parts at once.
        large
            .iter()
            .try_for_each(|one| self.send(one, stop, &count))?;
        Ok(Pushed {
            there: false,
            objects: missing.len(),
            bytes,
        })
    }

    fn send(&self, missing: &Missing, stop: &Stop, count: &(dyn Fn(u64) + Sync)) -> Result<()> {
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
        if blob.bytes > PIECE {
            if Digest::of_file(path)? != blob.digest {
                return Err(changed());
            }
            let notes = self.notes(blob);
            return objects.upload(&blob.name(), path, &notes, stop, count);
        }
        let bytes = files::read(path)?;
        if Digest::of(&bytes) != blob.digest {
            return Err(changed());
        }
        // One of this name that came meanwhile is this one.
        objects.write(&blob.name(), bytes, *replace)?;
        count(blob.bytes);
        Ok(())
    }

    /// The files of a result by their content; each once.
    fn files(&self, record: &Record) -> BTreeMap<Blob, PathBuf> {
        let outputs = record.outputs.iter();
        let outputs = outputs.map(|(name, o)| (Blob::of(o), self.cache.output(record, name)));
        let beside = record.beside.iter().filter_map(|(name, left)| {
            Some((Blob::of(left), self.cache.file_beside(record, name)?))
        });
        let listings = self.listings(record).into_values();
        let listings = listings.map(|(path, blob)| (blob, path));
        listings.chain(beside).chain(outputs).collect()
    }

    /// The lists of outside files, by role.
    fn listings(&self, record: &Record) -> BTreeMap<String, (PathBuf, Blob)> {
        let roles = record.document.inputs.keys();
        let found = roles.filter_map(|role| {
            self.cache.listing(record, role)?;
            let path = self.cache.listing_file(&record.key, role);
            let blob = Blob {
                digest: Digest::of_file(&path).ok()?,
                bytes: path.metadata().ok()?.len(),
            };
            Some((role.clone(), (path, blob)))
        });
        found.collect()
    }

    /// Where an upload is noted that may be interrupted.
    fn notes(&self, blob: &Blob) -> PathBuf {
        let mut parts = Parts::new("kfood 2026 upload to a remote cache");
        parts.part(self.remote.shown()).part(blob.name());
        let name = format!("{}.json", parts.finish());
        self.cache.root().join("uploads").join(name)
    }
}
