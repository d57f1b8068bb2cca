//! Reads a pack: one file of rows of equal size, memory-mapped.

use std::{
    borrow::Cow,
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{
    layout::{ENTRY, Entry, Head, PAGE, row_digest},
    row_jpeg,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    native::Map,
    settings::Storage,
};

/// Entries of the index that are in memory at a time.
const TOGETHER: usize = 1 << 12;

/// A memory-mapped pack; `layout` has its format. Opening reads the header and the index, and copies neither.
#[derive(Debug)]
pub struct Pack {
    map: Map,
    path: PathBuf,
    head: Head,
}

impl Pack {
    /// The file that holds it, in the folder of a result.
    pub const FILE: &'static str = "pixels.pack";

    /// Opens a pack and checks its header and its index against their digests. Rows are checked by [`Pack::verify`].
    ///
    /// # Errors
    /// When the file cannot be mapped, is no pack of this version, or is damaged.
    pub fn open(path: &Path) -> Result<Self> {
        let map = Map::open(path)?;
        let head = Head::parse(&map).map_err(|what| unusable(path, what))?;
        if head.length != map.len() {
            return Err(unusable(path, "its length is not what its header says"));
        }
        // Read and not mapped: all of it would count as this program's memory.
        let index = Digest::of_part(map.file(), PAGE as u64, (head.count * ENTRY) as u64)
            .map_err(|e| Error::io("read", path, e))?;
        if index != head.index {
            return Err(unusable(path, "its index is damaged"));
        }
        Ok(Self {
            map,
            path: path.to_owned(),
            head,
        })
    }

    /// The number of images, dropped ones too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.count
    }

    /// Whether it holds no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.count == 0
    }

    /// The width of every image in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.head.width
    }

    /// The height of every image in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.head.height
    }

    /// The bytes of one image: height x width x 3.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.head.row_bytes()
    }

    /// How its rows are stored.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.head.storage
    }

    /// Whether image `i` could not be decoded and was dropped: its row is black, and it belongs to no part.
    ///
    /// # Panics
    /// When `i` is not below [`Pack::len`]: a mistake of the caller, as with a slice.
    #[must_use]
    pub fn is_dropped(&self, i: usize) -> bool {
        self.index_entry(i).dropped
    }

    /// One image, u8 in height x width x (red, green, blue), in the order of `images.json`; borrowed where it is stored raw.
    ///
    /// # Errors
    /// When a JPEG row is damaged.
    ///
    /// # Panics
    /// When `i` is not below [`Pack::len`].
    pub fn row(&self, i: usize) -> Result<Cow<'_, [u8]>> {
        match self.head.storage {
            Storage::Raw => Ok(Cow::Borrowed(self.raw(i))),
            Storage::Jpeg => {
                let mut row = vec![0; self.row_bytes()];
                self.read(i, &mut row)?;
                Ok(Cow::Owned(row))
            }
        }
    }

    /// Copies or decodes one image into `out`, which is [`Pack::row_bytes`] long.
    ///
    /// # Errors
    /// When a JPEG row is damaged.
    ///
    /// # Panics
    /// When `i` is not below [`Pack::len`] or `out` is of another length.
    pub fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        if self.head.storage == Storage::Raw {
            out.copy_from_slice(self.raw(i));
            return Ok(());
        }
        let entry = self.index_entry(i);
        if entry.dropped {
            out.fill(0);
            return Ok(());
        }
        // The digest costs a hundredth of the decoding, and so the decoder sees nothing but what this program wrote.
        let stored = self.whole(i)?;
        row_jpeg::decode(stored, self.head.width, self.head.height, out)
            .map_err(|why| self.damaged(i).because(why))
    }

    /// Checks every row against its digest.
    ///
    /// # Errors
    /// When rows are damaged; the first one is named.
    pub fn verify(&self) -> Result<()> {
        (0..self.len())
            .into_par_iter()
            .find_map_first(|i| self.whole(i).err())
            .map_or(Ok(()), Err)
    }

    /// What the index says of all rows, in order; read piece by piece, so that it takes no more memory than a piece.
    pub(super) fn entries(&self) -> impl Iterator<Item = Result<(usize, Entry)>> {
        let mut bytes = vec![[0; ENTRY]; TOGETHER];
        (0..self.len()).map(move |i| {
            if i % TOGETHER == 0 {
                bytes.truncate(self.len() - i);
                let read = self
                    .file()
                    .read_exact_at(bytes.as_flattened_mut(), (PAGE + i * ENTRY) as u64);
                read.map_err(|e| Error::io("read", &self.path, e))?;
            }
            Ok((i, Entry::parse(&bytes[i % TOGETHER])))
        })
    }

    /// What row `i` was made of: see `layout::made_of`.
    #[cfg(test)]
    pub(super) fn made_of(&self, i: usize) -> Digest {
        self.index_entry(i).made_of
    }

    /// The bytes of row `i` as they are stored, and their digest; equal to that of the index.
    ///
    /// # Errors
    /// When they are not what the index says.
    pub(super) fn whole(&self, i: usize) -> Result<&[u8]> {
        let entry = self.index_entry(i);
        let stored = match self.head.storage {
            Storage::Raw => Some(self.raw(i)),
            Storage::Jpeg => usize::try_from(entry.offset)
                .ok()
                .and_then(|at| self.map.get(at..)?.get(..entry.length as usize)),
        };
        stored
            .filter(|stored| row_digest(stored) == entry.row)
            .ok_or_else(|| self.damaged(i))
    }

    /// As [`Pack::whole`]; raw rows are read into a buffer, so that a pass over all of them takes no more memory than one.
    pub(super) fn read_whole<'a>(&'a self, i: usize, buffer: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        if self.head.storage == Storage::Jpeg {
            return self.whole(i);
        }
        let entry = self.index_entry(i);
        buffer.resize(self.row_bytes(), 0);
        self.file()
            .read_exact_at(buffer, self.head.raw_at(i) as u64)
            .map_err(|e| Error::io("read", &self.path, e))?;
        if row_digest(buffer) != entry.row {
            return Err(self.damaged(i));
        }
        Ok(buffer)
    }

    /// The header, for who copies rows.
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// The open file, for who copies rows.
    pub(super) fn file(&self) -> &File {
        self.map.file()
    }

    fn raw(&self, i: usize) -> &[u8] {
        assert!(i < self.len(), "row {i} of {}", self.len());
        &self.map[self.head.raw_at(i)..][..self.row_bytes()]
    }

    /// What the index says of row `i`.
    pub(super) fn index_entry(&self, i: usize) -> Entry {
        assert!(i < self.len(), "row {i} of {}", self.len());
        let mut bytes = [0; ENTRY];
        bytes.copy_from_slice(&self.map[PAGE + i * ENTRY..][..ENTRY]);
        Entry::parse(&bytes)
    }

    fn damaged(&self, i: usize) -> Error {
        unusable(&self.path, &format!("row {i} is damaged"))
    }
}

fn unusable(path: &Path, what: &str) -> Error {
    Error::failed(format!("`{}` is no usable pack: {what}", path.display())).help(
        "run `kfood cache verify`; it removes what is damaged, and the next run makes it again",
    )
}

#[cfg(test)]
mod tests {
    use super::{super::PackWriter, *};

    const ROWS: [[u8; 6]; 2] = [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]];

    fn written(folder: &Path, storage: Storage) -> PathBuf {
        let path = folder.join(Pack::FILE);
        let made_of = vec![Digest::of(b"a"), Digest::of(b"b"), Digest::of(b"c")];
        let writer = PackWriter::create(&path, 2, 1, storage, made_of).unwrap();
        writer.drop_row(2).unwrap();
        writer.write(1, &ROWS[1]).unwrap();
        writer.write(0, &ROWS[0]).unwrap();
        writer.finish().unwrap();
        path
    }

    #[test]
    fn rows_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let pack = Pack::open(&written(folder.path(), Storage::Raw)).unwrap();
        assert_eq!((pack.len(), pack.width(), pack.height()), (3, 2, 1));
        assert_eq!(*pack.row(0).unwrap(), ROWS[0]);
        assert_eq!(*pack.row(2).unwrap(), [0; 6]);
        let dropped: Vec<_> = (0..3).map(|i| pack.is_dropped(i)).collect();
        assert_eq!(dropped, [false, false, true]);
        assert_eq!(pack.made_of(1), Digest::of(b"b"));
        let mut batch = [0; 12];
        super::super::gather(&pack, &[1, 0], &mut batch).unwrap();
        assert_eq!(batch, [7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6]);
        pack.verify().unwrap();
    }

    #[test]
    fn jpeg_rows_come_back_nearly_and_a_dropped_one_is_black() {
        let folder = tempfile::tempdir().unwrap();
        let pack = Pack::open(&written(folder.path(), Storage::Jpeg)).unwrap();
        let row = pack.row(1).unwrap();
        let near = row.iter().zip(ROWS[1]).all(|(a, b)| a.abs_diff(b) <= 3);
        assert!(near, "{row:?}");
        assert_eq!(*pack.row(2).unwrap(), [0; 6]);
        assert!(pack.is_dropped(2));
        pack.verify().unwrap();
    }

    #[test]
    fn a_cut_or_foreign_file_is_an_error_and_no_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), Storage::Raw);
        let good = std::fs::read(&path).unwrap();
        let mut other = good.clone();
        other[7] = b'1';
        for bad in [&good[..good.len() - 1], &good[..100], &[], &other] {
            std::fs::write(&path, bad).unwrap();
            assert!(Pack::open(&path).is_err());
        }
        std::fs::write(&path, other).unwrap();
        let told = Pack::open(&path).unwrap_err().to_string();
        assert!(told.contains("another version of kfood"), "{told}");
    }

    #[test]
    fn a_flipped_bit_is_noticed_wherever_it_is() {
        for storage in [Storage::Raw, Storage::Jpeg] {
            let folder = tempfile::tempdir().unwrap();
            let path = written(folder.path(), storage);
            let good = std::fs::read(&path).unwrap();
            let rows_at = Pack::open(&path).unwrap().head().rows_at();
            let (mut at_opening, mut in_rows) = (0, 0);
            // Between the index and the rows lie zeros that mean nothing.
            let places = (0..PAGE).step_by(5).chain(PAGE..PAGE + 3 * ENTRY);
            for at in places.chain(rows_at..good.len()) {
                let mut bad = good.clone();
                bad[at] ^= 1 << (at % 8);
                std::fs::write(&path, &bad).unwrap();
                match Pack::open(&path) {
                    Err(_) => at_opening += 1,
                    Ok(pack) => {
                        assert!(at >= rows_at && pack.verify().is_err(), "{storage:?} {at}");
                        in_rows += 1;
                    }
                }
            }
            assert_eq!(at_opening, PAGE.div_ceil(5) + 3 * ENTRY);
            assert_eq!(in_rows, good.len() - rows_at);
        }
    }

    #[test]
    fn an_unfinished_pack_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Pack::FILE);
        let made_of = vec![Digest::of(b"a"), Digest::of(b"b")];
        let writer = PackWriter::create(&path, 2, 1, Storage::Raw, made_of).unwrap();
        writer.write(1, &ROWS[1]).unwrap();
        assert!(Pack::open(&path).is_err());
        let told = writer.finish().unwrap_err().to_string();
        assert!(told.contains("row 0 was never written"), "{told}");
    }
}
