//! `images.json`, column by column to the disk.

use std::{fmt, marker::PhantomData, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{ImageColumns, Names};
use crate::{
    digest::Digest,
    error::{Error, Result},
    files::{Column, Scratch, read_json_into},
    record::images::{Crop, Image, LENGTHS, no_image},
};

/// See [`ImageColumns::read`].
pub(super) fn read(path: &Path, folder: &Path) -> Result<ImageColumns> {
    let mut failed = None;
    let reading = Reading {
        columns: Unfinished::create(folder)?,
        failed: &mut failed,
    };
    let read = read_json_into(path, reading);
    match failed {
        // What the disk says, and not that the file is not of its shape.
        Some(error) => Err(error),
        None => read?.finish(),
    }
}

/// Columns that are still added to.
struct Unfinished {
    names: Names,
    digests: Column<32>,
    /// How many sizes there were.
    sizes: usize,
    crops: Vec<(u32, Crop)>,
    empty: Vec<u32>,
}

impl Unfinished {
    fn create(folder: &Path) -> Result<Self> {
        let folder = Scratch::create(folder)?;
        let names = Names::create(&folder)?;
        Ok(Self {
            names,
            digests: Column::new(folder),
            sizes: 0,
            crops: Vec::new(),
            empty: Vec::new(),
        })
    }

    fn add_size(&mut self, bytes: u64) {
        if bytes == 0 {
            self.empty.push(self.sizes as u32);
        }
        self.sizes += 1;
    }

    fn finish(self) -> Result<ImageColumns> {
        Ok(ImageColumns {
            names: Names {
                text: self.names.text.written()?,
                ends: self.names.ends.written()?,
            },
            digests: self.digests.written()?,
            crops: self.crops,
            empty: self.empty,
        })
    }
}

/// Reads everything that was ever written, as [`crate::record::Images`] does.
struct Reading<'f> {
    columns: Unfinished,
    /// Takes what the disk refused.
    failed: &'f mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Unfinished;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Unfinished, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Unfinished;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the columns of images")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unfinished, A::Error> {
        let Self {
            columns: mut to,
            failed,
        } = self;
        let mut crops: Vec<(usize, Crop)> = Vec::new();
        while let Some(column) = map.next_key::<String>()? {
            match column.as_str() {
                "paths" => map.next_value_seed(Each::new(&mut *failed, |path: String| {
                    to.names.push(&path)
                }))?,
                "digests" => map.next_value_seed(Each::new(&mut *failed, |digest: Digest| {
                    to.digests.push(digest.0)
                }))?,
                "bytes" => map.next_value_seed(Each::new(&mut *failed, |bytes| {
                    to.add_size(bytes);
                    Ok(())
                }))?,
                "crops" => crops = map.next_value()?,
                // Image by image, before version 5.
                "images" => map.next_value_seed(Each::new(&mut *failed, |image: Image| {
                    crops.extend(image.crop.map(|crop| (to.digests.len(), crop)));
                    to.names.push(&image.path)?;
                    to.digests.push(image.digest.0)?;
                    to.add_size(image.bytes);
                    Ok(())
                }))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let count = to.digests.len();
        if [to.names.ends.len(), to.sizes] != [count; 2] {
            return Err(A::Error::custom(LENGTHS));
        }
        crops.sort_by_key(|(i, _)| *i);
        for (i, crop) in crops {
            if i >= count {
                return Err(A::Error::custom(no_image(i)));
            }
            to.crops.push((i as u32, crop));
        }
        Ok(to)
    }
}

/// One column, handed on item by item.
struct Each<'f, T, P> {
    failed: &'f mut Option<Error>,
    put: P,
    of: PhantomData<T>,
}

impl<'f, T, P: FnMut(T) -> Result<()>> Each<'f, T, P> {
    fn new(failed: &'f mut Option<Error>, put: P) -> Self {
        Self {
            failed,
            put,
            of: PhantomData,
        }
    }
}

impl<'de, T: Deserialize<'de>, P: FnMut(T) -> Result<()>> DeserializeSeed<'de> for Each<'_, T, P> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, P: FnMut(T) -> Result<()>> Visitor<'de> for Each<'_, T, P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column of images")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut column: A) -> Result<(), A::Error> {
        while let Some(item) = column.next_element()? {
            (self.put)(item).map_err(|error| {
                let told = A::Error::custom(error.message());
                *self.failed = Some(error);
                told
            })?;
        }
        Ok(())
    }
}
