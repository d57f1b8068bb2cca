//! Verifying a remote cache: every object is fetched and held against its name.

use std::{collections::BTreeMap, sync::Mutex};

use super::{
    Damaged, Remote,
    counting::Counting,
    fetch::NOT_ITS_CONTENT,
    manifest::{self, Blob},
    objects::{PIECE, in_parallel},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    event::Tell,
    stop::Stop,
};

/// What verifying found.
#[derive(Debug, Default)]
pub struct Faults {
    /// Results whose outputs are as they were pushed.
    pub sound: usize,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Objects that are not.
    pub faults: Vec<Fault>,
    /// Why what is damaged could not be removed, where that is so: the first reason.
    pub kept: Option<Error>,
}

/// A damaged or lost object.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which one, and what is wrong with it.
    pub damaged: Damaged,
    /// The stages whose results name it; none of a description that cannot be understood.
    pub stages: Vec<String>,
    /// Whether it holds nothing of their outputs: the results are sound without it.
    pub beside: bool,
}

impl Remote {
    /// Fetches and hashes every object that a result names. What is damaged is removed, with the descriptions of results whose
    /// outputs it was: the next push brings them again. A result of which only something beside its outputs is damaged stays.
    ///
    /// # Errors
    /// When the remote cache cannot be reached. That nothing can be removed there is told with what was found.
    pub fn verify(&self, stop: &Stop, tell: Tell<'_>) -> Result<Faults> {
        let afar = self.list()?;
        let mut named: BTreeMap<Blob, Vec<usize>> = BTreeMap::new();
        for (i, blobs) in afar.blobs.iter().enumerate() {
            for blob in blobs {
                named.entry(*blob).or_default().push(i);
            }
        }
        let named: Vec<_> = named.into_iter().collect();
        let blobs: Vec<&Blob> = named.iter().map(|(blob, _)| blob).collect();
        let (wrong, bytes) = self.all_wrong(&blobs, stop, tell)?;
        let mut faults = Faults {
            bytes,
            ..Faults::default()
        };
        let mut hit = vec![false; afar.entries.len()];
        let mut kept = None;
        let mut remove = |name: &str| {
            if let Err(error) = self.objects.remove(name) {
                kept.get_or_insert(error);
            }
        };
        for damaged in afar.damaged {
            remove(&damaged.name);
            faults.faults.push(Fault {
                damaged,
                stages: Vec::new(),
                beside: false,
            });
        }
        for (i, what) in wrong {
            let (blob, results) = &named[i];
            let outputs: Vec<_> = results
                .iter()
                .filter(|result| afar.outputs[**result].contains(blob))
                .collect();
            for result in &outputs {
                if !std::mem::replace(&mut hit[**result], true) {
                    let key = afar.entries[**result].key;
                    remove(&manifest::name(&key));
                }
            }
            remove(&blob.name());
            let stages = results.iter().map(|r| afar.entries[*r].stage.clone());
            faults.faults.push(Fault {
                damaged: Damaged {
                    name: blob.name(),
                    what,
                },
                stages: stages.collect(),
                beside: outputs.is_empty(),
            });
        }
        faults.kept = kept;
        faults.sound = hit.iter().filter(|hit| !**hit).count();
        Ok(faults)
    }

    /// Which of these objects are wrong, and how; and the bytes that were hashed.
    fn all_wrong(
        &self,
        blobs: &[&Blob],
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<(Vec<(usize, String)>, u64)> {
        let total = blobs.iter().map(|blob| blob.bytes).sum();
        let counting = Counting::new("verifying", total, tell);
        let wrong = Mutex::new(Vec::new());
        in_parallel(blobs.len(), |i| {
            if let Some(what) = self.wrong(blobs[i], stop, &counting)? {
                let mut wrong = wrong.lock().unwrap_or_else(|b| b.into_inner());
                wrong.push((i, what));
            }
            Ok(())
        })?;
        let mut wrong = wrong.into_inner().unwrap_or_else(|b| b.into_inner());
        wrong.sort();
        Ok((wrong, counting.done()))
    }

    /// What is wrong with an object, if anything.
    fn wrong(&self, blob: &Blob, stop: &Stop, counting: &Counting<'_>) -> Result<Option<String>> {
        let name = blob.name();
        match self.objects.look(&name)?.map(|object| object.bytes) {
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
            let wanted = PIECE.min(blob.bytes - from);
            let piece = self.objects.read(&name, from, wanted)?.unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            from += piece.len() as u64;
            counting.add(piece.len() as u64);
        }
        let sound = Digest(*hasher.finalize().as_bytes()) == blob.digest;
        Ok((!sound).then(|| NOT_ITS_CONTENT.to_owned()))
    }
}
