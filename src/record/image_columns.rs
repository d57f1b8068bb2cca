//! `images.json` for who goes through it in order or asks for single images: its columns lie in files without a name, so that memory
//! does not grow with the number of images.

mod reading;

use std::{ops::Range, path::Path};

use super::Crop;
use crate::{
    digest::Digest,
    error::{Error, Result},
    files::{Column, Scratch},
};

/// Names that are read together.
const TOGETHER: usize = 1 << 10;

/// See the module; [`super::Images`] holds the same in memory.
#[derive(Debug)]
pub struct ImageColumns {
    names: Names,
    digests: Column<32>,
    /// Those that have one, ascending.
    crops: Vec<(u32, Crop)>,
    /// The images without a byte, ascending.
    empty: Vec<u32>,
}

impl ImageColumns {
    /// Reads `images.json`; its columns go to a private folder on a disk, where they leave nothing behind.
    ///
    /// # Errors
    /// When the file cannot be read or is not of its shape, or nothing can be written to the folder.
    pub fn read(path: &Path, folder: &Path) -> Result<Self> {
        reading::read(path, folder)
    }

    /// How many images there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// The digest of an image's file.
    ///
    /// # Errors
    /// When it cannot be read from the disk.
    pub fn digest(&self, i: usize) -> Result<Digest> {
        self.digests.get(i).map(Digest)
    }

    /// The digests of the files of some images, in order.
    ///
    /// # Errors
    /// When they cannot be read from the disk.
    pub fn digests(&self, which: Range<usize>) -> Result<Vec<Digest>> {
        let mut digests = Vec::new();
        self.digests.read(which, &mut digests)?;
        Ok(digests.into_iter().map(Digest).collect())
    }

    /// The part of an image's photograph that is used; all of it where nothing is given.
    #[must_use]
    pub fn crop(&self, i: usize) -> Option<Crop> {
        let found = self
            .crops
            .binary_search_by_key(&i, |(image, _)| *image as usize);
        Some(self.crops[found.ok()?].1)
    }

    /// Whether an image's file was listed without a byte.
    #[must_use]
    pub fn has_no_bytes(&self, i: usize) -> bool {
        let found = self.empty.binary_search_by_key(&i, |image| *image as usize);
        found.is_ok()
    }

    /// The path of an image.
    ///
    /// # Errors
    /// When it cannot be read from the disk.
    pub fn path(&self, i: usize) -> Result<String> {
        let mut text = PathList::default();
        self.names.read(i..i + 1, &mut text)?;
        Ok(text.get(0).to_owned())
    }

    /// The paths of all images, for who needs them at once.
    ///
    /// # Errors
    /// When they cannot be read from the disk.
    pub fn all_paths(&self) -> Result<PathList> {
        let mut all = PathList::default();
        self.names.read(0..self.len(), &mut all)?;
        Ok(all)
    }

    /// The paths of images that are asked for in order.
    #[must_use]
    pub fn paths(&self) -> Paths<'_> {
        Paths {
            names: &self.names,
            from: 0,
            text: PathList::default(),
        }
    }

    /// Bytes that it holds in memory, whatever the disk has.
    #[cfg(test)]
    fn bytes_in_memory(&self) -> usize {
        let crops = self.crops.capacity() * size_of::<(u32, Crop)>();
        size_of::<Self>() + crops + self.empty.capacity() * size_of::<u32>()
    }
}

/// Paths by the place of their image, best in ascending order.
#[derive(Debug)]
pub struct Paths<'a> {
    names: &'a Names,
    /// The first that is at hand.
    from: usize,
    text: PathList,
}

impl Paths<'_> {
    /// One of them.
    ///
    /// # Errors
    /// When it cannot be read from the disk.
    pub fn get(&mut self, i: usize) -> Result<&str> {
        if i < self.from || i - self.from >= self.text.len() {
            let end = self.names.ends.len().min(i + TOGETHER);
            self.names.read(i..end, &mut self.text)?;
            self.from = i;
        }
        Ok(self.text.get(i - self.from))
    }
}

/// All paths one behind the other, and where each ends.
#[derive(Debug)]
struct Names {
    text: Column<1>,
    ends: Column<8>,
}

/// Paths in memory, one behind the other: of a million some 30 MB.
#[derive(Debug, Default)]
pub struct PathList {
    text: String,
    ends: Vec<usize>,
}

impl PathList {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One of them.
    ///
    /// # Panics
    /// When there are not so many: a mistake of the caller, as with a slice.
    #[must_use]
    pub fn get(&self, i: usize) -> &str {
        let from = i.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[from..self.ends[i]]
    }

    /// One of them, where there are so many.
    #[must_use]
    pub fn find(&self, i: usize) -> Option<&str> {
        (i < self.len()).then(|| self.get(i))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|i| self.get(i))
    }
}

impl<'a> FromIterator<&'a str> for PathList {
    fn from_iter<T: IntoIterator<Item = &'a str>>(paths: T) -> Self {
        let mut all = Self::default();
        for path in paths {
            all.text.push_str(path);
            all.ends.push(all.text.len());
        }
        all
    }
}

impl Names {
    fn create(folder: &Scratch) -> Result<Self> {
        Ok(Self {
            text: Column::new(folder.another()?),
            ends: Column::new(folder.another()?),
        })
    }

    fn push(&mut self, path: &str) -> Result<()> {
        self.text.extend(path.as_bytes().as_chunks::<1>().0)?;
        self.ends.push((self.text.len() as u64).to_le_bytes())
    }

    fn read(&self, which: Range<usize>, into: &mut PathList) -> Result<()> {
        let before = which.start.saturating_sub(1);
        let mut ends = Vec::new();
        self.ends.read(before..which.end, &mut ends)?;
        let mut ends: Vec<usize> = ends
            .into_iter()
            .map(|end| u64::from_le_bytes(end) as usize)
            .collect();
        let from = match which.start {
            0 => 0,
            _ => ends.remove(0),
        };
        let mut text = Vec::new();
        let end = ends.last().copied().unwrap_or(from);
        self.text.read(from..end, &mut text)?;
        let text = String::from_utf8(text.into_flattened());
        into.text =
            text.map_err(|_| Error::failed("names that were put on the disk came back as others"))?;
        into.ends = ends.into_iter().map(|end| end - from).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        files::write_json,
        record::{Image, Images},
    };

    fn image(i: usize) -> Image {
        let crop = Crop {
            x: 1,
            y: 2,
            width: 3,
            height: i as u32,
        };
        let path = format!("train/김밥/{i}.jpg");
        Image {
            digest: Digest::of(path.as_bytes()),
            path,
            bytes: (i % 1000) as u64,
            crop: (i % 700 == 3).then_some(crop),
        }
    }

    fn read(json: &impl serde::Serialize) -> Result<ImageColumns> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Images::FILE);
        write_json(&path, json).unwrap();
        ImageColumns::read(&path, folder.path())
    }

    fn is_read(columns: &ImageColumns, images: &[Image]) {
        assert_eq!(columns.len(), images.len());
        let mut paths = columns.paths();
        for (i, image) in images.iter().enumerate() {
            assert_eq!(paths.get(i).unwrap(), image.path);
            assert_eq!(columns.digest(i).unwrap(), image.digest);
            assert_eq!(columns.crop(i), image.crop);
            assert_eq!(columns.has_no_bytes(i), image.bytes == 0);
        }
    }

    #[test]
    fn columns_on_the_disk_hold_what_is_written_and_hardly_any_memory() {
        let images: Vec<Image> = (0..5000).map(image).collect();
        let columns = read(&Images {
            images: images.clone(),
        })
        .unwrap();
        is_read(&columns, &images);
        assert_eq!(columns.path(4321).unwrap(), images[4321].path);
        assert!(
            columns
                .all_paths()
                .unwrap()
                .iter()
                .eq(images.iter().map(|image| &image.path))
        );
        assert_eq!(
            columns.digests(7..9).unwrap(),
            [images[7].digest, images[8].digest]
        );
        assert!(
            columns.bytes_in_memory() < 1000,
            "{}",
            columns.bytes_in_memory()
        );
        let one_by_one = serde_json::json!({ "images": [
            { "path": "train/a.jpg", "digest": Digest::of(b"a"), "bytes": 0, "crop": image(3).crop },
        ] });
        let listed = Image {
            path: "train/a.jpg".to_owned(),
            digest: Digest::of(b"a"),
            bytes: 0,
            crop: image(3).crop,
        };
        is_read(&read(&one_by_one).unwrap(), &[listed]);
        is_read(&read(&Images { images: Vec::new() }).unwrap(), &[]);
    }

    #[test]
    fn columns_that_do_not_belong_together_are_refused_in_the_same_words() {
        let some = Images {
            images: (0..5).map(image).collect(),
        };
        for (column, value) in [
            ("bytes", serde_json::json!([9])),
            ("crops", serde_json::json!([[7, image(3).crop]])),
            ("paths", serde_json::json!(7)),
        ] {
            let mut json = serde_json::to_value(&some).unwrap();
            json[column] = value;
            let told = serde_json::from_value::<Images>(json.clone()).unwrap_err();
            let error = read(&json).unwrap_err();
            let because = error.to_string();
            assert!(
                because.contains(&told.to_string()),
                "{because} is not {told}"
            );
        }
    }
}
