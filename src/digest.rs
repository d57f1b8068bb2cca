//! Content digests: blake3, domain-separated and length-prefixed.

use std::{cell::RefCell, fmt, fs::File, io, os::unix::fs::FileExt, path::Path, str::FromStr};

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    error::{Error, Result},
    files,
};

/// Files from this size on are hashed on all cores; below it one is faster.
const LARGE: u64 = 16 << 20;

/// Bytes that one thread reads at once of such a file.
const PIECE: usize = 256 << 10;

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
        let file = files::open_regular(path)?;
        let length = file.metadata().map_err(fail)?.len();
        if length >= LARGE {
            return of_large(&file, length).map_err(fail);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(file).map_err(fail)?;
        Ok(Self(*hasher.finalize().as_bytes()))
    }

    /// The digest of a part of a file, which is never in memory as a whole.
    ///
    /// # Errors
    /// When it cannot be read, or the file ends before.
    pub fn of_part(file: &File, from: u64, length: u64) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; PIECE.min(length as usize)];
        let end = from + length;
        for at in (from..end).step_by(PIECE) {
            let piece = &mut buffer[..PIECE.min((end - at) as usize)];
            file.read_exact_at(piece, at)?;
            hasher.update(piece);
        }
        Ok(Self(*hasher.finalize().as_bytes()))
    }

    /// What stands for the content of a file that cannot be read: its name, and why. Once it can be read, it is another.
    #[must_use]
    pub fn of_lost(name: &str, why: &str) -> Self {
        let mut parts = Parts::new("kfood 2026 unreadable file");
        parts.part(name).part(why);
        parts.finish()
    }

    /// As much of it as a number holds: smaller ones are of smaller digests, equal ones nearly always of equal digests.
    #[must_use]
    pub fn leading(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(first)
    }

    /// The first twelve hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

/// The digest of a large file, on all cores: blake3 is a tree of halves, and each thread reads what it hashes into a buffer that its
/// nearest caches hold. Not mapped: all of it would count as this program's memory, and a file that shrinks would end it.
fn of_large(file: &File, length: u64) -> io::Result<Digest> {
    let left = left_subtree_len(length);
    let (left, right) = rayon::join(
        || subtree(file, 0, left),
        || subtree(file, left, length - left),
    );
    let root = merge_subtrees_root(&left?, &right?, Mode::Hash);
    Ok(Digest(*root.as_bytes()))
}

/// The part of a file from `from` on that is a subtree and not all of it.
fn subtree(file: &File, from: u64, length: u64) -> io::Result<ChainingValue> {
    if length > PIECE as u64 {
        let left = left_subtree_len(length);
        let (left, right) = rayon::join(
            || subtree(file, from, left),
            || subtree(file, from + left, length - left),
        );
        return Ok(merge_subtrees_non_root(&left?, &right?, Mode::Hash));
    }
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; PIECE]);
    }
    BUFFER.with_borrow_mut(|buffer| {
        let buffer = &mut buffer[..length as usize];
        file.read_exact_at(buffer, from)?;
        let mut hasher = blake3::Hasher::new();
        Ok(hasher
            .set_input_offset(from)
            .update(buffer)
            .finalize_non_root())
    })
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
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Digest, E> {
                text.parse().map_err(E::custom)
            }
        }
        // Records of a million photographs have as many of them: none is copied as text.
        deserializer.deserialize_str(Text)
    }
}

const HEAD: &str = "{\"checksum\":\"";
const MIDDLE: &str = "\",\"record\":";
const TAIL: &str = "}\n";

/// JSON with its own checksum in front, itself JSON: what is read from it later is what was written, or is told.
#[must_use]
pub fn seal(json: &str) -> String {
    let checksum = Digest::of(json.as_bytes());
    format!("{HEAD}{checksum}{MIDDLE}{json}{TAIL}")
}

/// The JSON that [`seal`] was given.
///
/// # Errors
/// What is wrong with the text, in a few words.
pub fn unseal(text: &str) -> Result<&str, &'static str> {
    let (checksum, json) = text
        .strip_prefix(HEAD)
        .and_then(|rest| rest.strip_suffix(TAIL)?.split_once(MIDDLE))
        .ok_or("is truncated")?;
    if checksum != Digest::of(json.as_bytes()).to_string() {
        return Err("does not match its checksum");
    }
    Ok(json)
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
    fn a_large_file_has_the_digest_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let bytes: Vec<u8> = (0..17_000_000_u32)
            .map(|i| (i.wrapping_mul(i) >> 11) as u8)
            .collect();
        for length in [16 << 20, (16 << 20) + 1, 17_000_000 - 77] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert_eq!(
                Digest::of_file(&path).unwrap(),
                Digest::of(&bytes[..length])
            );
        }
    }

    #[test]
    fn sealed_json_is_read_back_and_one_changed_bit_anywhere_is_noticed() {
        let text = seal("{\"best_epoch\": 3}");
        assert_eq!(unseal(&text), Ok("{\"best_epoch\": 3}"));
        for bit in 0..8 * text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let sound = String::from_utf8(bytes).is_ok_and(|t| unseal(&t).is_ok());
            assert!(!sound, "bit {bit}");
        }
        assert!((0..text.len()).all(|end| unseal(&text[..end]).is_err()));
    }

    #[test]
    fn a_digest_survives_its_text() {
        let digest = Digest::of("김밥".as_bytes());
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
    }
}
