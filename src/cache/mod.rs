//! Keys, the store of results, remembered file digests, reasons for a rerun, gc, remote caches.
//!
//! # Layout
//!
//! | path below the cache's root | what it is | written | removed |
//! |---|---|---|---|
//! | `CACHEDIR.TAG` | tells backup programs to leave the folder out | once | never |
//! | `format` | the version of this layout | once | never |
//! | `entries/KEY/record.json` | a [`Record`], its own checksum in front; an entry counts only with it | last, in one step | first |
//! | `entries/KEY/out-N/` | a result; the record says which `N` holds | one rename of an attempt's `out` | by a damaged result's rerun, by gc |
//! | | a model whose content another output or entry has is stored there alone, and the record says where (`shared`) | | |
//! | `entries/KEY/ROLE.files` | for an input of outside files: digest and name of each, as `b3sum` writes it | before the record | with the entry |
//! | `attempts/KEY/out/` | what a stage is writing now | while it runs | on publication, or before the next attempt |
//! | `attempts/KEY/state/` | what a stage may resume from | while it runs | on publication |
//! | `locks/KEY.lock` | held alone by who makes that entry | empty | **never**: a lock file that is unlinked can have two holders |
//! | `locks/store.lock` | held shared for a look-up by a run, alone by gc | empty | **never** |
//! | `runs/.N.keys` | the keys that a running process refers to; locked while it lives | a line for each | at its end; when it died, by the next run or gc |
//! | `runs/PIPELINE-TIME.json` | a [`PastRun`](crate::record::PastRun), its own checksum in front: what `kfood runs` lists | in one step, at the end of a run | never |
//! | `uploads/ID.json` | which parts of a large object a remote cache has | after each part | at the upload's end; when a week old, by gc |
//! | `jobs/submit.lock`, `jobs/KEY.json`, `jobs/NAME/` | what runs and their jobs on a cluster write down for each other (`exec::slurm`) | while jobs are sent and run | when they are done; when two weeks old, by the next run with a cluster |
//! | `digests/ROOT.bin` | remembered digests of the files below one folder outside | in one step | never (ignored when unreadable) |
//!
//! `KEY` is the blake3 digest of a [`KeyDocument`] in 64 hexadecimal digits.
//!
//! Who may only read a cache uses what is in it: such a process holds the store's lock shared instead of a list in `runs`.
//!
//! A process that is killed leaves at most an attempt, or a result without a record; neither is ever read as a result.
//! The system drops its locks with it. Forced reruns give a new `out-N`, and the old one stays until gc for those who still read it.

mod digests;
mod earlier;
mod entry;
mod gc;
mod hold;
mod key;
mod known;
mod listing;
mod lock;
mod memory;
mod past;
mod place;
mod record;
mod remote;
mod runs;
mod shared;
mod stale;
mod stat;
mod verify;

use std::path::{Path, PathBuf};

pub use entry::{Attempt, Found};
pub use gc::{Entry, Gc, Leftover, Removed};
pub use hold::Hold;
pub use key::{FORMAT, KeyDocument, LIBTORCH};
pub use listing::{Changes, Listing, digest_of_files};
pub use lock::Lock;
pub use past::{MadeFor, Records, Renamed};
pub use record::{Output, Record};
pub use remote::{
    Afar, Damaged as DamagedAfar, Fault, Faults, Fetched, For, Freed, Local, Look, Pushed, Pusher,
    Remote,
};
pub use shared::{Place, Read};
pub use stale::{NotFetched, Reason, in_toml, reasons, same_settings};
pub use stat::Stat;
pub use verify::{Damaged, Verified};

use crate::digest::Digest;

/// A folder of results by key. Any number of processes may use it at once.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache's folder, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of an entry.
    #[must_use]
    pub fn entry(&self, key: &Digest) -> PathBuf {
        self.root.join("entries").join(key.to_string())
    }

    /// The folder with all files that a finished stage left, outputs and others.
    #[must_use]
    pub fn result(&self, record: &Record) -> PathBuf {
        self.entry(&record.key).join(&record.folder)
    }

    /// The folder of what an unfinished attempt at a key left to go on from; there may be none.
    #[must_use]
    pub fn attempt_state(&self, key: &Digest) -> PathBuf {
        self.attempt_folder(key).join("state")
    }

    fn attempt_folder(&self, key: &Digest) -> PathBuf {
        self.root.join("attempts").join(key.to_string())
    }
}
