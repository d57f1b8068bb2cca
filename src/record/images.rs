//! `images.json` of a dataset stage: content, the input of preprocess. Entry `i` is that of `labels.json`; rows of a pack have the
//! same order.
//!
//! It is written column by column, for there may be a million images. Dataset stages before version 5 wrote it image by image, which
//! is still read.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::digest::Digest;

/// `images.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Sorted by part (train, then test) and then by path in code point order.
    pub images: Vec<Image>,
}

/// One image by content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Image {
    /// NFC, with `/`, relative to the data set and starting with its part: `train/김밥/0001.jpg`.
    pub path: String,
    /// blake3 of the file's bytes.
    pub digest: Digest,
    /// The file's size.
    pub bytes: u64,
    /// The part of the upright photograph that is used; all of it where nothing is given.
    #[serde(default)]
    pub crop: Option<Crop>,
}

/// A box in an upright photograph, in pixels; it is clipped to the photograph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Crop {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

/// What is wrong with columns that do not belong together.
pub(super) const LENGTHS: &str = "its columns are not of one length";

/// What is wrong with the crop of an image that is not there.
pub(super) fn no_image(i: usize) -> String {
    format!("there is no image {i} for its crop")
}

/// The columns as they are written.
#[derive(Serialize)]
struct Columns<'a> {
    paths: Vec<&'a str>,
    digests: Vec<Digest>,
    bytes: Vec<u64>,
    /// The images that have one, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    crops: Vec<(usize, Crop)>,
}

impl Serialize for Images {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let images = || self.images.iter();
        let crop = |(i, image): (usize, &Image)| Some((i, image.crop?));
        let columns = Columns {
            paths: images().map(|image| image.path.as_str()).collect(),
            digests: images().map(|image| image.digest).collect(),
            bytes: images().map(|image| image.bytes).collect(),
            crops: images().enumerate().filter_map(crop).collect(),
        };
        columns.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Images {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading)
    }
}

/// Reads everything that was ever written, each column straight into its images: no other copy of it is held.
struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Images;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the columns of images")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Images, A::Error> {
        let mut images: Vec<Image> = Vec::new();
        let mut columns = [0; 3];
        let mut crops: Vec<(usize, Crop)> = Vec::new();
        let mut one_by_one: Option<Vec<Image>> = None;
        while let Some(column) = map.next_key::<String>()? {
            match column.as_str() {
                "paths" => {
                    let put: fn(&mut Image, String) = |image, path| image.path = path;
                    columns[0] = map.next_value_seed(Column {
                        images: &mut images,
                        put,
                    })?;
                }
                "digests" => {
                    let put: fn(&mut Image, Digest) = |image, digest| image.digest = digest;
                    columns[1] = map.next_value_seed(Column {
                        images: &mut images,
                        put,
                    })?;
                }
                "bytes" => {
                    let put: fn(&mut Image, u64) = |image, bytes| image.bytes = bytes;
                    columns[2] = map.next_value_seed(Column {
                        images: &mut images,
                        put,
                    })?;
                }
                "crops" => crops = map.next_value()?,
                // Image by image, before version 5.
                "images" => one_by_one = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if let Some(images) = one_by_one {
            return Ok(Images { images });
        }
        if columns != [images.len(); 3] {
            return Err(A::Error::custom(LENGTHS));
        }
        for (i, crop) in crops {
            let image = images
                .get_mut(i)
                .ok_or_else(|| A::Error::custom(no_image(i)))?;
            image.crop = Some(crop);
        }
        images.shrink_to_fit();
        Ok(Images { images })
    }
}

/// One column, put into the images one by one; it gives its length.
struct Column<'i, T> {
    images: &'i mut Vec<Image>,
    put: fn(&mut Image, T),
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Column<'_, T> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Column<'_, T> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column of images")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut column: A) -> Result<usize, A::Error> {
        let mut n = 0;
        while let Some(value) = column.next_element()? {
            if n == self.images.len() {
                self.images.push(Image {
                    path: String::new(),
                    digest: Digest([0; 32]),
                    bytes: 0,
                    crop: None,
                });
            }
            (self.put)(&mut self.images[n], value);
            n += 1;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Images {
        let crop = Crop {
            x: 1,
            y: 2,
            width: 3,
            height: 4,
        };
        let image = |path: &str, crop| Image {
            path: path.to_owned(),
            digest: Digest::of(path.as_bytes()),
            bytes: 9,
            crop,
        };
        Images {
            images: vec![image("train/a.jpg", None), image("train/b.jpg", Some(crop))],
        }
    }

    #[test]
    fn images_survive_their_columns() {
        let json = serde_json::to_value(some()).unwrap();
        assert_eq!(json["paths"][1], "train/b.jpg");
        assert_eq!(json["crops"][0][0], 1);
        assert_eq!(serde_json::from_value::<Images>(json).unwrap(), some());
    }

    #[test]
    fn a_list_from_before_the_columns_is_read() {
        let digest = Digest::of(b"train/a.jpg");
        let json = serde_json::json!({ "images": [{ "path": "train/a.jpg", "digest": digest, "bytes": 9 }] });
        let read: Images = serde_json::from_value(json).unwrap();
        assert_eq!(read.images, some().images[..1]);
    }

    #[test]
    fn columns_that_do_not_belong_together_are_refused() {
        let mut json = serde_json::to_value(some()).unwrap();
        json["bytes"] = serde_json::json!([9]);
        assert!(serde_json::from_value::<Images>(json).is_err());
        let mut json = serde_json::to_value(some()).unwrap();
        json["crops"][0][0] = 7.into();
        assert!(serde_json::from_value::<Images>(json).is_err());
    }
}
