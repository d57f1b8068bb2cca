//! The file of remembered digests, written anew.

use std::{
    collections::BTreeMap,
    os::unix::ffi::OsStrExt,
    path::Path,
    sync::atomic::{AtomicU8, Ordering},
};

use rayon::prelude::*;

use super::{
    Stat,
    digests::{HOLDS, NOT_LOOKED_AT, relative},
    known::{HEAD, Known},
};
use crate::{
    digest::Digest,
    error::Result,
    files::{self, FileList},
};

/// What is written: the files that were hashed now, and what was known before as far as it holds.
pub(super) struct Memory<'a> {
    pub(super) root: &'a Path,
    pub(super) listed: &'a FileList,
    pub(super) contents: &'a [(Digest, u64)],
    pub(super) hashed: &'a BTreeMap<usize, Stat>,
    pub(super) known: &'a Known<'a>,
    pub(super) looked_at: &'a [AtomicU8],
}

impl Memory<'_> {
    /// Writes what is known now: these files, and others below the same root that are still there (another stage's).
    pub(super) fn save(&self, store: &Path) -> Result<()> {
        let order = |a: &usize, b: &usize| self.path(*a).cmp(&self.path(*b));
        let mut new: Vec<usize> = self.hashed.keys().copied().collect();
        new.par_sort_unstable_by(order);
        let old = (0..self.known.len()).into_par_iter();
        let old: Vec<usize> = old.filter(|place| self.holds(*place)).collect();
        let mut new = new.into_iter().map(|i| (self.path(i), i)).peekable();
        let mut body = Vec::with_capacity((old.len() + self.hashed.len()) * 110);
        let add = |body: &mut Vec<u8>, (path, i): &(Vec<u8>, usize)| {
            put(body, path, &self.hashed[i], &self.contents[*i].0);
        };
        for place in old {
            let (path, stat, digest) = self.known.at(place);
            while let Some(next) = new.next_if(|(next, _)| next.as_slice() < path) {
                add(&mut body, &next);
            }
            put(&mut body, path, &stat, &digest);
        }
        new.for_each(|next| add(&mut body, &next));
        let mut bytes = HEAD.to_vec();
        bytes.extend_from_slice(&Digest::of(&body).0);
        bytes.extend_from_slice(&body);
        files::publish(store, &bytes)
    }

    fn path(&self, i: usize) -> Vec<u8> {
        relative(&self.listed.get(i).path(), self.root).to_vec()
    }

    /// Whether an entry that was known is still to be remembered.
    fn holds(&self, place: usize) -> bool {
        match self.looked_at[place].load(Ordering::Relaxed) {
            NOT_LOOKED_AT => {
                let mut whole = self.root.as_os_str().as_bytes().to_vec();
                whole.extend_from_slice(self.known.at(place).0);
                Path::new(std::ffi::OsStr::from_bytes(&whole)).exists()
            }
            looked_at => looked_at == HOLDS,
        }
    }
}

fn put(body: &mut Vec<u8>, path: &[u8], stat: &Stat, digest: &Digest) {
    let Ok(length) = u32::try_from(path.len()) else {
        return; // No file system has such paths.
    };
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(path);
    body.extend_from_slice(&stat.bytes.to_le_bytes());
    body.extend_from_slice(&stat.mtime.to_le_bytes());
    body.extend_from_slice(&stat.ctime.to_le_bytes());
    body.extend_from_slice(&stat.inode.to_le_bytes());
    body.extend_from_slice(&digest.0);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn remembered_digests_survive_their_file_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("x.bin");
        let stat = Stat {
            bytes: 1,
            mtime: 2,
            ctime: 3,
            inode: 4,
        };
        let memory = Memory {
            root: Path::new("/r"),
            listed: &FileList::of("김밥", Path::new("/r/김밥")),
            contents: &[(Digest::of(b"x"), 1)],
            hashed: &BTreeMap::from([(0, stat)]),
            known: &Known::default(),
            looked_at: &[],
        };
        memory.save(&store).unwrap();
        let mut bytes = fs::read(&store).unwrap();
        let known = Known::parse(&bytes).unwrap();
        let path = "/김밥".as_bytes();
        // Whether the guess of its place is right or wrong.
        for near in [0, 7] {
            assert_eq!(known.get(path, near), Some((0, stat, Digest::of(b"x"))));
        }
        assert_eq!(known.get(b"/a", 0), None);
        assert!(Known::parse(&bytes[..bytes.len() - 1]).is_none());
        *bytes.last_mut().unwrap() ^= 1;
        assert!(Known::parse(&bytes).is_none());
    }
}
