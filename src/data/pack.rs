//! Reads a pack: one file of decoded u8 pixels, memory-mapped.
//!
//! Format, numbers little-endian: 4096 bytes of header (`KFOODPK1`, u32 version 1, u32 width, u32 height, u32 channels 3,
//! u64 count, zeros), then `count` rows of height x width x 3 bytes in red, green, blue.

use std::path::Path;

use crate::{
    error::{Error, Result},
    native::Map,
};

/// The length of the header: one memory page, so that the rows begin on a page.
pub(super) const HEADER: usize = 4096;
pub(super) const MAGIC: &[u8; 8] = b"KFOODPK1";
pub(super) const VERSION: u32 = 1;
pub(super) const CHANNELS: usize = 3;

/// A memory-mapped pack. Opening reads the header alone.
#[derive(Debug)]
pub struct Pack {
    map: Map,
    width: usize,
    height: usize,
    count: usize,
}

impl Pack {
    /// Opens a pack.
    ///
    /// # Errors
    /// When the file cannot be mapped, is no pack, or is not as long as its header says.
    pub fn open(path: &Path) -> Result<Self> {
        let map = Map::open(path)?;
        let bad = |what: &str| {
            Error::failed(format!("`{}` is no usable pack: {what}", path.display())).help(
                "run `kfood cache verify`; it removes what is damaged, and the next run makes it again",
            )
        };
        let header = map.get(..HEADER).ok_or_else(|| bad("it is too short"))?;
        if &header[..8] != MAGIC {
            return Err(bad("it does not start as one"));
        }
        let number = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        if number(8) != VERSION || number(20) as usize != CHANNELS {
            return Err(bad("its version is not known here"));
        }
        let (width, height) = (number(12) as usize, number(16) as usize);
        let count = usize::try_from(u64::from(number(28)) << 32 | u64::from(number(24)))
            .map_err(|_| bad("its count is too large"))?;
        let expected = width
            .checked_mul(height)
            .and_then(|n| n.checked_mul(CHANNELS))
            .filter(|row| *row > 0)
            .and_then(|n| n.checked_mul(count))
            .and_then(|n| n.checked_add(HEADER));
        if expected != Some(map.len()) {
            return Err(bad("its length is not what its header says"));
        }
        Ok(Self {
            map,
            width,
            height,
            count,
        })
    }

    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The width of every image in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The height of every image in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bytes of one image: height x width x 3.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.width * self.height * CHANNELS
    }

    /// One image, u8 in height x width x (red, green, blue), in the order of `images.json`.
    ///
    /// # Panics
    /// When `i` is not below [`Pack::len`]: a mistake of the caller, as with a slice.
    #[must_use]
    pub fn row(&self, i: usize) -> &[u8] {
        assert!(i < self.count, "row {i} of {}", self.count);
        &self.map[HEADER + i * self.row_bytes()..][..self.row_bytes()]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::PackWriter, *};

    fn written(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("pixels.pack");
        let writer = PackWriter::create(&path, 2, 1, 2).unwrap();
        writer.write(1, &[7, 8, 9, 10, 11, 12]).unwrap();
        writer.write(0, &[1, 2, 3, 4, 5, 6]).unwrap();
        path
    }

    #[test]
    fn rows_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let pack = Pack::open(&written(folder.path())).unwrap();
        assert_eq!((pack.len(), pack.width(), pack.height()), (2, 2, 1));
        assert_eq!(pack.row(0), [1, 2, 3, 4, 5, 6]);
        let mut batch = [0; 12];
        super::super::gather(&pack, &[1, 0], &mut batch);
        assert_eq!(batch, [7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_damaged_pack_is_an_error_and_no_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let good = std::fs::read(&path).unwrap();
        let mut huge = good.clone();
        huge[24..32].fill(0xff);
        let mut other = good.clone();
        other[0] = b'X';
        for bad in [&good[..good.len() - 1], &good[..100], &[], &huge, &other] {
            std::fs::write(&path, bad).unwrap();
            assert!(Pack::open(&path).is_err());
        }
    }
}
