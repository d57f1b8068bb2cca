//! Content digests: blake3, domain-separated and length-prefixed.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, Result};

/// Files from this size on are hashed on all cores; below it one is faster.
const LARGE: u64 = 16 << 20;

/// Bytes that are read at once of such a file.
const PIECE: u64 = 8 << 20;

/// A 32-byte blake3 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of plain bytes, equal to what `b3sum` prints.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of a file's content, equal to what `b3sum` prints.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let fail = |e| Error::io("read", path, e);
        let file = File::open(path).map_err(fail)?;
        let mut hasher = blake3::Hasher::new();
        if file.metadata().map_err(fail)?.len() >= LARGE {
            update_rayon(&mut hasher, file).map_err(fail)?;
        } else {
            hasher.update_reader(file).map_err(fail)?;
        }
        Ok(Self(*hasher.finalize().as_bytes()))
    }

    /// The first twelve hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

/// Hashes a large file on all cores, the next piece being read meanwhile. Not mapped: all of it would count as this program's memory.
fn update_rayon(hasher: &mut blake3::Hasher, mut file: File) -> io::Result<()> {
    let mut fill = |buffer: &mut Vec<u8>| {
        buffer.clear();
        file.by_ref().take(PIECE).read_to_end(buffer)
    };
    let (mut at_hand, mut next) = (Vec::new(), Vec::new());
    fill(&mut at_hand)?;
    while !at_hand.is_empty() {
        let (_, filled) = rayon::join(|| hasher.update_rayon(&at_hand).count(), || fill(&mut next));
        filled?;
        std::mem::swap(&mut at_hand, &mut next);
    }
    Ok(())
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = blake3::HexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(*blake3::Hash::from_hex(text)?.as_bytes()))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Hashes a sequence of parts so that no two different sequences meet: a domain first, and each part behind its length.
pub struct Parts(blake3::Hasher);

impl Parts {
    /// Starts a sequence in its own domain, such as `"kfood 2026 stage key"`.
    #[must_use]
    pub fn new(domain: &'static str) -> Self {
        Self(blake3::Hasher::new_derive_key(domain))
    }

    /// Adds one part.
    pub fn part(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// The digest of all parts so far.
    #[must_use]
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let digest = |parts: &[&str]| {
            let mut all = Parts::new("test");
            for part in parts {
                all.part(part);
            }
            all.finish()
        };
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["ab"]), digest(&["ab", ""]));
    }

    #[test]
    fn a_digest_survives_its_text() {
        let digest = Digest::of("김밥".as_bytes());
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
    }
}
