//! A cache for a team: results in a folder that all see, or in a bucket of S3, GCS or Azure.
//!
//! # Layout
//!
//! | object | what it is | written | removed |
//! |---|---|---|---|
//! | `results/KEY.json` | what a result is: its record, its own checksum in front, without places on a disk | last, where there is none | first, by gc |
//! | `objects/DIGEST` | the content of an output, a file beside it, or a list of outside files, by its blake3 | before it, where there is none or an old one | when no result names it and it is a day old, by gc |
//! | `used/KEY` | empty; its time is when the result was last fetched | after a fetch | with the result |
//! | `objects/DIGEST#N` | in a folder: an upload that is under way | renamed when it is whole | when it is a day old, by gc |
//! | `pins/NAME-DIGEST.json` | the keys of a lock file, its own checksum in front | by a push of its pipeline | when it is forgotten |
//!
//! An object for each content, and not an archive for each result: models come out equal (`best` and `last`, what a selection hands on),
//! a large one is fetched and sent in pieces, and what is there already is told by its name.
//!
//! Nothing that comes from a remote is believed: a result is written aside, each output held against its digest, and published by the
//! same step as one that was made here. What is lost or damaged is as if it were not there; the next push mends it.

mod address;
mod clear;
mod counting;
#[cfg(feature = "remote")]
mod credentials;
#[cfg(feature = "remote")]
mod failure;
mod fetch;
#[cfg(feature = "remote")]
mod http;
mod list;
mod manifest;
mod objects;
mod pins;
mod push;
#[cfg(feature = "remote")]
mod store;
#[cfg(feature = "remote")]
mod upload;
mod verify;

use std::{collections::BTreeSet, path::Path, sync::Mutex, time::Duration};

pub use clear::Freed;
pub use fetch::{Fetched, For};
pub use list::{Afar, Damaged};
pub use push::{Local, Pushed, Pusher};
pub use verify::{Fault, Faults};

use self::{
    address::Address,
    manifest::Manifest,
    objects::{Objects, PIECE},
};
use crate::{
    cache::Record,
    digest::Digest,
    error::{Error, Result},
};

/// The folders of the layout.
const FOLDERS: [&str; 4] = ["results", "objects", "used", "pins"];

/// Descriptions of results and lists of keys are not larger, in bytes.
const MOST: u64 = 64 << 20;

/// Descriptions are asked for so many at once: they are small, and what takes time is the way.
const ASKED_AT_ONCE: usize = 16;

/// So long after it was sent, an object that no result names may be about to be named: a push sends the description last.
const UNDERWAY: Duration = Duration::from_hours(24);

/// A remote cache.
#[derive(Debug)]
pub struct Remote {
    shown: String,
    objects: Box<dyn Objects>,
    /// Objects that turned out to be damaged: a push replaces them.
    damaged: Mutex<BTreeSet<String>>,
    /// What has been said of them.
    told: Mutex<BTreeSet<String>>,
}

impl Remote {
    /// Names a remote cache: a folder, `s3://BUCKET/PLACE`, `gs://BUCKET/PLACE` or `az://CONTAINER/PLACE`; a relative folder is one in
    /// `root`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// When the text names none.
    pub fn open(text: &str, root: &Path) -> Result<Self> {
        let address = Address::parse(text, root)?;
        if let Address::Folder(folder) = &address
            && folder.join("entries").is_dir()
        {
            let message = format!(
                "`{}` is a local cache, expected a remote one",
                address.shown()
            );
            return Err(Error::usage(message)
                .help("name another folder; to work in that cache itself, set KFOOD_CACHE to it"));
        }
        Ok(Self {
            shown: address.shown(),
            objects: store(address)?,
            damaged: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// For people.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Makes what has to be there before anything can be pushed: of a folder, the folder, where the one above it is there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn prepare(&self) -> Result<()> {
        self.objects.prepare()
    }

    /// The result that it has for a key, by its description alone; its objects are not looked at.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn find(&self, key: &Digest) -> Result<Look> {
        Ok(match self.manifest(key)? {
            None => Look::Miss,
            Some(Ok(manifest)) => Look::Hit(Box::new(manifest.record)),
            Some(Err(damaged)) => Look::Damaged(damaged),
        })
    }

    /// As [`Self::find`], for many at once. Where one cannot be asked for, others may be left out.
    #[must_use]
    pub fn find_all(&self, keys: &[Digest]) -> Vec<(Digest, Result<Look>)> {
        let answers = Mutex::new(Vec::new());
        let ask = |i: usize| {
            let answer = self.find(&keys[i]);
            let failed = answer
                .as_ref()
                .err()
                .map(|_| Error::failed("not asked for"));
            let mut answers = answers.lock().unwrap_or_else(|b| b.into_inner());
            answers.push((keys[i], answer));
            failed.map_or(Ok(()), Err)
        };
        // The errors are among the answers.
        let _ = objects::several(ASKED_AT_ONCE, keys.len(), ask);
        answers.into_inner().unwrap_or_else(|b| b.into_inner())
    }

    /// The description of a result; `Err` says what is wrong with it.
    fn manifest(&self, key: &Digest) -> Result<Option<Result<Manifest, Damaged>>> {
        let name = manifest::name(key);
        let Some(bytes) = self.whole(&name, MOST)? else {
            return Ok(None);
        };
        Ok(Some(Manifest::parse(&bytes, key).map_err(|what| {
            self.is_damaged(&name);
            Damaged { name, what }
        })))
    }

    /// All of an object, and of one that has more than `most` bytes no more than these: so it is not what it should be.
    fn whole(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let mut all = Vec::new();
        loop {
            let from = all.len() as u64;
            let wanted = PIECE.min(most - from);
            if wanted == 0 {
                return Ok(Some(all));
            }
            let Some(piece) = self.objects.read(name, from, wanted)? else {
                return Ok(None);
            };
            all.extend_from_slice(&piece);
            if (piece.len() as u64) < wanted {
                return Ok(Some(all));
            }
        }
    }

    fn is_damaged(&self, name: &str) {
        let mut damaged = self.damaged.lock().unwrap_or_else(|b| b.into_inner());
        damaged.insert(name.to_owned());
    }

    /// Whether an object is known to be damaged.
    fn known_damaged(&self, name: &str) -> bool {
        let damaged = self.damaged.lock().unwrap_or_else(|b| b.into_inner());
        damaged.contains(name)
    }

    /// Takes note that an object was replaced.
    fn is_mended(&self, name: &str) {
        let mut damaged = self.damaged.lock().unwrap_or_else(|b| b.into_inner());
        damaged.remove(name);
    }
}

/// What a look into a remote cache finds.
#[derive(Clone, Debug)]
pub enum Look {
    /// A result.
    Hit(Box<Record>),
    /// None.
    Miss,
    /// A description that cannot be used.
    Damaged(Damaged),
}

#[cfg(feature = "remote")]
fn store(address: Address) -> Result<Box<dyn Objects>> {
    Ok(Box::new(store::Store::new(address)))
}

#[cfg(not(feature = "remote"))]
fn store(_: Address) -> Result<Box<dyn Objects>> {
    Err(Error::usage("this kfood was built without remote caches")
        .help("build it with `--features remote`, which is among the default ones"))
}
