//! The bytes of a pack, format version 2.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4096 | the header: magic `KFOODPK2`, width, height, channels (3) and storage (0 raw, 1 JPEG) as u32; number of images, stride and length of the file as u64; blake3 of the index; zeros; in the last 32 bytes the blake3 of all before |
//! | from 4096 | the index, 56 bytes for each image: digest of what made the row (32), first 8 bytes of the blake3 of the row as stored, its offset (u64), its length (u32), its status (u32: 0 usable, 1 dropped) |
//! | from the next page | the rows: raw u8 in height x width x (red, green, blue), one each `stride` bytes; or JPEG files in the order of the images, where equal photographs share one |
//!
//! Numbers are little-endian. The raw stride is a multiple of a page where that costs little, so that file systems that
//! can share blocks do so when rows are copied from one pack to another.

use crate::{
    digest::{Digest, Parts},
    record::Crop,
    settings::Storage,
};

/// One memory page: the header's length, and what the index is rounded up to.
pub(super) const PAGE: usize = 4096;
/// The length of an index entry.
pub(super) const ENTRY: usize = 56;
/// The length of what an entry begins with: the digest of what makes the row.
pub(super) const MADE_OF: usize = 32;
/// Red, green and blue.
pub(super) const CHANNELS: usize = 3;
const MAGIC: &[u8; 8] = b"KFOODPK2";
/// Where the header's own digest begins.
const CHECKED: usize = PAGE - 32;

/// The header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) storage: Storage,
    pub(super) count: usize,
    /// Bytes from one raw row to the next; 0 for JPEG rows.
    pub(super) stride: usize,
    /// Of the whole file.
    pub(super) length: usize,
    /// blake3 of the index.
    pub(super) index: Digest,
}

impl Head {
    /// Of a pack whose index is not yet known; JPEG rows are still without length. `None` where the numbers are too large.
    pub(super) fn new(width: u32, height: u32, storage: Storage, count: usize) -> Option<Self> {
        let (width, height) = (width as usize, height as usize);
        let row = width.checked_mul(height)?.checked_mul(CHANNELS)?;
        let rows_at = count.checked_mul(ENTRY)?.checked_add(2 * PAGE)? / PAGE * PAGE;
        let stride = match storage {
            Storage::Raw => stride(row)?,
            Storage::Jpeg => 0,
        };
        let length = stride.checked_mul(count)?.checked_add(rows_at)?;
        // Offsets are handed to the system as signed numbers.
        (row > 0 && i64::try_from(length).is_ok()).then_some(Self {
            width,
            height,
            storage,
            count,
            stride,
            length,
            index: Digest([0; 32]),
        })
    }

    /// Understands a header page; the error says in a few words what is wrong.
    pub(super) fn parse(page: &[u8]) -> Result<Self, &'static str> {
        let (Some(page), true) = (page.get(..PAGE), page.starts_with(b"KFOODPK")) else {
            return Err("it does not start as one");
        };
        if !page.starts_with(MAGIC) {
            return Err("it was made by another version of kfood");
        }
        if Digest::of(&page[..CHECKED]).0 != page[CHECKED..] {
            return Err("its header is damaged");
        }
        let short = |at: usize| u32::from_le_bytes(part(page, at));
        let long = |at: usize| usize::try_from(u64::from_le_bytes(part(page, at)));
        let storage = match short(20) {
            0 => Storage::Raw,
            1 => Storage::Jpeg,
            _ => return Err("its storage is not known here"),
        };
        let numbers = (long(24), long(32), long(40));
        let (Ok(count), Ok(stride), Ok(length)) = numbers else {
            return Err("its header holds nonsense");
        };
        let made = Self::new(short(8), short(12), storage, count)
            .filter(|made| made.stride == stride && short(16) as usize == CHANNELS)
            .filter(|made| match storage {
                Storage::Raw => made.length == length,
                Storage::Jpeg => made.length <= length,
            });
        let made = made.ok_or("its header holds nonsense")?;
        Ok(Self {
            length,
            index: Digest(part(page, 48)),
            ..made
        })
    }

    /// The header page.
    pub(super) fn page(&self) -> Vec<u8> {
        let mut page = MAGIC.to_vec();
        let storage = match self.storage {
            Storage::Raw => 0,
            Storage::Jpeg => 1,
        };
        for number in [
            self.width as u32,
            self.height as u32,
            CHANNELS as u32,
            storage,
        ] {
            page.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.count, self.stride, self.length] {
            page.extend_from_slice(&(number as u64).to_le_bytes());
        }
        page.extend_from_slice(&self.index.0);
        page.resize(CHECKED, 0);
        let digest = Digest::of(&page);
        page.extend_from_slice(&digest.0);
        page
    }

    /// The bytes of one image: height x width x 3.
    pub(super) fn row_bytes(&self) -> usize {
        self.width * self.height * CHANNELS
    }

    /// Where the rows begin.
    pub(super) fn rows_at(&self) -> usize {
        (self.count * ENTRY + 2 * PAGE) / PAGE * PAGE
    }

    /// Where a raw row begins.
    pub(super) fn raw_at(&self, i: usize) -> usize {
        self.rows_at() + i * self.stride
    }
}

/// Whole pages where at most a sixteenth is lost to them.
fn stride(row: usize) -> Option<usize> {
    let pages = row.checked_next_multiple_of(PAGE)?;
    Some(if pages - row <= row / 16 { pages } else { row })
}

/// What the index says of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Of what the row was made of: see [`made_of`].
    pub(super) made_of: Digest,
    /// Of the row as stored: see [`row_digest`].
    pub(super) row: u64,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) dropped: bool,
}

impl Entry {
    pub(super) fn parse(bytes: &[u8; ENTRY]) -> Self {
        Self {
            made_of: Digest(part(bytes, 0)),
            row: u64::from_le_bytes(part(bytes, 32)),
            offset: u64::from_le_bytes(part(bytes, 40)),
            length: u32::from_le_bytes(part(bytes, 48)),
            dropped: u32::from_le_bytes(part(bytes, 52)) != 0,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.made_of.0);
        out.extend_from_slice(&self.row.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&u32::from(self.dropped).to_le_bytes());
    }
}

/// The digest of all that makes a row, beside the settings of its pack: the bytes of the file and the crop.
pub(super) fn made_of(file: &Digest, crop: Option<Crop>) -> Digest {
    let mut parts = Parts::new("kfood 2026 row of a pack");
    parts.part(file.0);
    if let Some(crop) = crop {
        for number in [crop.x, crop.y, crop.width, crop.height] {
            parts.part(number.to_le_bytes());
        }
    }
    parts.finish()
}

/// What tells damage of a stored row: the first 8 bytes of its blake3.
pub(super) fn row_digest(stored: &[u8]) -> u64 {
    short(&Digest::of(stored))
}

/// The part of a row's digest that is kept.
pub(super) fn short(digest: &Digest) -> u64 {
    u64::from_le_bytes(part(&digest.0, 0))
}

/// `N` bytes from `at` on; callers hand in bytes that are long enough.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_and_an_entry_survive_their_bytes() {
        for storage in [Storage::Raw, Storage::Jpeg] {
            let head = Head {
                index: Digest::of(b"index"),
                ..Head::new(224, 224, storage, 33_593).unwrap()
            };
            assert_eq!(Head::parse(&head.page()), Ok(head));
        }
        let entry = Entry {
            made_of: Digest::of(b"image"),
            row: 7,
            offset: 1 << 40,
            length: 9,
            dropped: true,
        };
        let mut bytes = Vec::new();
        entry.write(&mut bytes);
        assert_eq!(Entry::parse(&bytes.try_into().unwrap()), entry);
    }

    #[test]
    fn rows_lie_on_pages_where_that_costs_little() {
        assert_eq!(stride(224 * 224 * 3), Some(151_552));
        assert_eq!(stride(32 * 32 * 3), Some(3072));
        assert_eq!(stride(usize::MAX), None);
        assert_eq!(Head::new(1, 1, Storage::Raw, usize::MAX), None);
        assert_eq!(Head::new(0, 1, Storage::Raw, 1), None);
    }

    #[test]
    fn a_crop_makes_another_row() {
        let made_of = |crop| made_of(&Digest::of(b"x"), crop);
        let crop = |width| {
            Some(Crop {
                x: 0,
                y: 0,
                width,
                height: 1,
            })
        };
        assert_ne!(made_of(None), made_of(crop(1)));
        assert_ne!(made_of(crop(2)), made_of(crop(1)));
    }
}
