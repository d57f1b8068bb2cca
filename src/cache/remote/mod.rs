//! A cache for a team: results in a folder that all see, or in a bucket of S3, GCS or Azure.
//!
//! # Layout
//!
//! | object | what it is | written | removed |
//! |---|---|---|---|
//! | `results/KEY.json` | what a result is: its record, its own checksum in front, without places on a disk | last, where there is none | first, by gc |
//! | `objects/DIGEST` | the content of an output, a file beside it, or a list of outside files, by its blake3 | before it, where there is none | when no result names it, by gc |
//! | `used/KEY` | empty; its time is when the result was last fetched | after a fetch | with the result |
//! | `pins/NAME-DIGEST.json` | the keys of a lock file, its own checksum in front | by a push of its pipeline | when it is forgotten |
//!
//! An object for each content, and not an archive for each result: models come out equal (`best` and `last`, what a selection hands on),
//! a large one is fetched and sent in pieces, and what is there already is told by its name.
//!
//! Nothing that comes from a remote is believed: a result is written aside, each output held against its digest, and published by the
//! same step as one that was made here. What is lost or damaged is as if it were not there; the next push mends it.

mod address;
mod clear;
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

use std::{collections::BTreeSet, path::Path, sync::Mutex};

pub use clear::Freed;
pub use fetch::For;
pub use list::Afar;
pub use push::{Pushed, Pusher};
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
#[cfg(feature = "remote")]
const FOLDERS: [&str; 4] = ["results", "objects", "used", "pins"];

/// Descriptions of results and lists of keys are not larger.
const MOST: u64 = 64 << 20;

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
            Some(Err(what)) => Look::Damaged(what),
        })
    }

    /// The description of a result; `Err` says what is wrong with it.
    fn manifest(&self, key: &Digest) -> Result<Option<Result<Manifest, String>>> {
        let name = manifest::name(key);
        let Some(bytes) = self.small(&name)? else {
            return Ok(None);
        };
        Ok(Some(Manifest::parse(&bytes, key).map_err(|what| {
            self.is_damaged(&name);
            format!("`{name}` {what}")
        })))
    }

    /// A whole object that is not large.
    fn small(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut all = Vec::new();
        loop {
            let from = all.len() as u64;
            let Some(piece) = self.objects.read(name, from, PIECE)? else {
                return Ok(None);
            };
            all.extend_from_slice(&piece);
            if (piece.len() as u64) < PIECE || all.len() as u64 > MOST {
                return Ok(Some(all));
            }
        }
    }

    fn is_damaged(&self, name: &str) {
        let mut damaged = self.damaged.lock().unwrap_or_else(|b| b.into_inner());
        damaged.insert(name.to_owned());
    }

    /// Whether an object is known to be damaged; it is about to be replaced.
    fn mends(&self, name: &str) -> bool {
        let mut damaged = self.damaged.lock().unwrap_or_else(|b| b.into_inner());
        damaged.remove(name)
    }
}

/// What a look into a remote cache finds.
#[derive(Clone, Debug)]
pub enum Look {
    /// A result.
    Hit(Box<Record>),
    /// None.
    Miss,
    /// Something that cannot be used, said in a few words.
    Damaged(String),
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
