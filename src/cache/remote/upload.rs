//! Uploads in parts that go on where they were: which parts have arrived is noted in the local cache.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Mutex, MutexGuard},
};

use object_store::{multipart::PartId, path::Path as Name};
use serde::{Deserialize, Serialize};

use super::{
    objects::{Count, PIECE, in_parallel},
    store::{Parts, Store},
};
use crate::{
    digest::{seal, unseal},
    error::{Error, Result},
    files,
    stop::Stop,
};

/// Fewer than the 10,000 that S3 takes, and the 50,000 of Azure.
const MOST_PARTS: u64 = 9_000;

/// An upload that has begun.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    /// By which the store knows it.
    id: String,
    /// Size of each part but the last.
    part: u64,
    /// Size of all of it.
    length: u64,
    /// What the store answered to each part that arrived.
    arrived: Vec<Option<String>>,
}

/// A file on its way into a store.
pub(super) struct Whole<'a> {
    pub(super) name: &'a Name,
    pub(super) file: (&'a Path, &'a File),
    pub(super) length: u64,
    pub(super) notes: &'a Path,
}

impl Whole<'_> {
    pub(super) fn upload(
        &self,
        store: &Store,
        parts: &Parts,
        stop: &Stop,
        count: Count<'_>,
    ) -> Result<()> {
        if let Some(begun) = self.begun() {
            // The store may have dropped it since: then it begins anew.
            if self.go_on(begun, store, parts, stop, count)? {
                return Ok(());
            }
        }
        let part = PIECE.max(self.length.div_ceil(MOST_PARTS));
        let id = store.wait_made("write", parts.0.create_multipart(self.name))?;
        let n = self.length.div_ceil(part) as usize;
        let begun = Begun {
            id,
            part,
            length: self.length,
            arrived: vec![None; n],
        };
        self.note(&begun);
        match self.go_on(begun, store, parts, stop, count)? {
            true => Ok(()),
            false => Err(self.lost()),
        }
    }

    fn lost(&self) -> Error {
        let message = format!("the store dropped the upload of `{}`", self.name);
        Error::failed(message).help("push again")
    }

    /// Sends what has not arrived, and closes it; false where the store does not know this upload.
    fn go_on(
        &self,
        begun: Begun,
        store: &Store,
        parts: &Parts,
        stop: &Stop,
        count: Count<'_>,
    ) -> Result<bool> {
        let id = begun.id.clone();
        let (part, n) = (begun.part, begun.arrived.len());
        let begun = Mutex::new((begun, true));
        let locked = || -> MutexGuard<'_, (Begun, bool)> {
            begun.lock().unwrap_or_else(|broken| broken.into_inner())
        };
        in_parallel(n, |i| {
            stop.check()?;
            let from = i as u64 * part;
            let size = part.min(self.length - from);
            if locked().0.arrived[i].is_none() {
                let mut bytes = vec![0; size as usize];
                let (path, file) = self.file;
                file.read_exact_at(&mut bytes, from)
                    .map_err(|e| Error::io("read", path, e))?;
                let sent = parts.0.put_part(self.name, &id, i, bytes.into());
                let Some(sent) = store.wait("write", sent)? else {
                    locked().1 = false;
                    return Ok(());
                };
                let mut begun = locked();
                begun.0.arrived[i] = Some(sent.content_id);
                self.note(&begun.0);
            }
            count(size);
            Ok(())
        })?;
        let (begun, known) = begun.into_inner().unwrap_or_else(|b| b.into_inner());
        let arrived: Option<Vec<_>> = begun.arrived.into_iter().collect();
        let closed = match arrived.filter(|_| known) {
            Some(arrived) => {
                let arrived = arrived.into_iter().map(|content_id| PartId { content_id });
                let closing = parts
                    .0
                    .complete_multipart(self.name, &id, arrived.collect());
                store.wait("write", closing)?.is_some()
            }
            None => false,
        };
        // It serves no more; if it stays, the store does not know it.
        let _ = files::remove(self.notes);
        Ok(closed)
    }

    /// What an interrupted push noted of this file.
    fn begun(&self) -> Option<Begun> {
        let text = files::read_text(self.notes).ok()?;
        let begun: Begun = serde_json::from_str(unseal(&text).ok()?).ok()?;
        let fits = begun.part > 0
            && begun.length == self.length
            && begun.arrived.len() as u64 == self.length.div_ceil(begun.part);
        fits.then_some(begun)
    }

    /// Only a saving: where it cannot be written, an interrupted upload begins anew.
    fn note(&self, begun: &Begun) {
        let write = || {
            if let Some(folder) = self.notes.parent() {
                files::create_folder(folder)?;
            }
            let text = serde_json::to_string(begun)
                .map_err(|e| Error::failed("cannot note an upload").because(e))?;
            files::publish(self.notes, seal(&text).as_bytes())
        };
        if let Err(error) = write() {
            tracing::debug!("an upload is not noted: {error}");
        }
    }
}
