//! Remembered digests as their file holds them, looked up in place: of a million files nothing is copied.

use super::Stat;
use crate::digest::Digest;

/// The head of a file of remembered digests; another version is ignored.
pub(super) const HEAD: &[u8] = b"kfood digests 1\n";
/// Stat (4 x 8 bytes) and digest (32 bytes) of an entry.
const FIXED: usize = 64;

/// The entries of a file, sorted by path.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    body: &'a [u8],
    /// Where each begins.
    starts: Vec<usize>,
}

impl<'a> Known<'a> {
    /// `None` where the content is not what was written; an empty file knows nothing.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let rest = bytes.strip_prefix(HEAD)?;
        let (checksum, body) = rest.split_at_checked(32)?;
        if checksum != Digest::of(body).0 {
            return None;
        }
        let mut starts = Vec::with_capacity(body.len() / 100);
        let mut at = 0;
        while at < body.len() {
            starts.push(at);
            let length = *body.get(at..)?.first_chunk::<4>()?;
            at = at.checked_add(4 + u32::from_le_bytes(length) as usize + FIXED)?;
        }
        (at == body.len()).then_some(Self { body, starts })
    }

    /// What is known of a path, and the place of its entry. `near` is where it probably stands: files are asked for in nearly the order
    /// of the entries.
    pub(super) fn get(&self, path: &[u8], near: usize) -> Option<(usize, Stat, Digest)> {
        let place = match self.starts.get(near) {
            Some(start) if self.path(*start) == path => near,
            _ => self
                .starts
                .binary_search_by(|start| self.path(*start).cmp(path))
                .ok()?,
        };
        let (stat, digest) = self.entry(self.starts[place]);
        Some((place, stat, digest))
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// An entry by its place: they are in the order of paths.
    pub(super) fn at(&self, place: usize) -> (&'a [u8], Stat, Digest) {
        let start = self.starts[place];
        let (stat, digest) = self.entry(start);
        (self.path(start), stat, digest)
    }

    fn length(&self, start: usize) -> usize {
        let length = self.body[start..].first_chunk::<4>();
        length.map_or(0, |length| u32::from_le_bytes(*length) as usize)
    }

    fn path(&self, start: usize) -> &'a [u8] {
        &self.body[start + 4..][..self.length(start)]
    }

    fn entry(&self, start: usize) -> (Stat, Digest) {
        let fixed = &self.body[start + 4 + self.length(start)..][..FIXED];
        let word = |i: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&fixed[i * 8..i * 8 + 8]);
            word
        };
        let stat = Stat {
            bytes: u64::from_le_bytes(word(0)),
            mtime: i64::from_le_bytes(word(1)),
            ctime: i64::from_le_bytes(word(2)),
            inode: u64::from_le_bytes(word(3)),
        };
        let mut digest = [0; 32];
        digest.copy_from_slice(&fixed[32..]);
        (stat, Digest(digest))
    }
}
