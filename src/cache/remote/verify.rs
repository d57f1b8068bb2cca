//! Verifying a remote cache: every object is fetched and held against its name.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Remote,
    fetch::NOT_ITS_CONTENT,
    manifest::{self, Blob},
    objects::{PIECE, in_parallel},
};
use crate::{
    digest::Digest,
    error::Result,
    event::{StageEvent, Tell},
    stop::Stop,
};

/// What verifying found.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Results that are as they were pushed.
    pub sound: usize,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Objects that are not.
    pub faults: Vec<Fault>,
}

/// A damaged or lost object.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which one, and what is wrong with it.
    pub what: String,
    /// The stages whose results name it.
    pub stages: Vec<String>,
}

impl Remote {
    /// Fetches and hashes every object that a result names. What is damaged is removed, with the descriptions of results whose
    /// outputs it was: the next push brings them again.
    ///
    /// # Errors
    /// When the remote cache cannot be reached, or nothing can be removed there.
    pub fn verify(&self, stop: &Stop, tell: Tell<'_>) -> Result<Faults> {
        let afar = self.list()?;
        let mut named: BTreeMap<Blob, Vec<usize>> = BTreeMap::new();
        for (i, blobs) in afar.blobs.iter().enumerate() {
            for blob in blobs {
                named.entry(*blob).or_default().push(i);
            }
        }
        let total: u64 = named.keys().map(|blob| blob.bytes).sum();
        let named: Vec<_> = named.into_iter().collect();
        let (done, wrong) = (AtomicU64::new(0), Mutex::new(Vec::new()));
        in_parallel(named.len(), |i| {
            let found = self.wrong(&named[i].0, stop, &|n| {
                tell(StageEvent::Progress {
                    what: "verifying".to_owned(),
                    done: (done.fetch_add(n, Ordering::Relaxed) + n) / 1_000,
                    total: total / 1_000,
                    unit: "kB".to_owned(),
                });
            })?;
            if let Some(what) = found {
                let mut wrong = wrong.lock().unwrap_or_else(|b| b.into_inner());
                wrong.push((i, what));
            }
            Ok(())
        })?;
        let mut wrong = wrong.into_inner().unwrap_or_else(|b| b.into_inner());
        wrong.sort();
        let mut faults = Faults {
            bytes: done.into_inner(),
            ..Faults::default()
        };
        let mut hit = vec![false; afar.entries.len()];
        for what in &afar.damaged {
            let name = what.split('`').nth(1).unwrap_or_default();
            self.objects.remove(name)?;
            faults.faults.push(Fault {
                what: what.clone(),
                stages: Vec::new(),
            });
        }
        for (i, what) in wrong {
            let (blob, results) = &named[i];
            for result in results {
                if !std::mem::replace(&mut hit[*result], true) {
                    let key = afar.entries[*result].key;
                    self.objects.remove(&manifest::name(&key))?;
                }
            }
            self.objects.remove(&blob.name())?;
            let stages = results.iter().map(|r| afar.entries[*r].stage.clone());
            faults.faults.push(Fault {
                what: format!("`{}` {what}", blob.name()),
                stages: stages.collect(),
            });
        }
        faults.sound = hit.iter().filter(|hit| !**hit).count();
        Ok(faults)
    }

    /// What is wrong with an object, if anything.
    fn wrong(&self, blob: &Blob, stop: &Stop, count: &dyn Fn(u64)) -> Result<Option<String>> {
        let name = blob.name();
        match self.objects.size(&name)? {
            None => return Ok(Some("is not there".to_owned())),
            Some(size) if size != blob.bytes => {
                let what = format!("has {size} bytes instead of {}", blob.bytes);
                return Ok(Some(what));
            }
            Some(_) => {}
        }
        let mut hasher = blake3::Hasher::new();
        let mut from = 0;
        while from < blob.bytes {
            stop.check()?;
            let piece = self.objects.read(&name, from, PIECE)?.unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            from += piece.len() as u64;
            count(piece.len() as u64);
        }
        let sound = Digest(*hasher.finalize().as_bytes()) == blob.digest;
        Ok((!sound).then(|| NOT_ITS_CONTENT.to_owned()))
    }
}
