//! `images.json` of a dataset stage: content, the input of preprocess. Entry `i` is that of `labels.json`; rows of a pack have the
//! same order.
//!
//! It is written column by column, for there may be a million images. Dataset stages before version 5 wrote it image by image, which
//! is still read.

use serde::{Deserialize, Serialize, Serializer};

use crate::digest::Digest;

/// `images.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
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

/// Everything that was ever written.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    digests: Vec<Digest>,
    #[serde(default)]
    bytes: Vec<u64>,
    #[serde(default)]
    crops: Vec<(usize, Crop)>,
    /// Image by image.
    images: Option<Vec<Image>>,
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

impl TryFrom<Written> for Images {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if let Some(images) = written.images {
            return Ok(Self { images });
        }
        let n = written.paths.len();
        if [written.digests.len(), written.bytes.len()] != [n, n] {
            return Err("its columns are not of one length".to_owned());
        }
        let mut images: Vec<_> = written
            .paths
            .into_iter()
            .zip(written.digests)
            .zip(written.bytes)
            .map(|((path, digest), bytes)| Image {
                path,
                digest,
                bytes,
                crop: None,
            })
            .collect();
        for (i, crop) in written.crops {
            let image = images.get_mut(i);
            let image = image.ok_or_else(|| format!("there is no image {i} for its crop"))?;
            image.crop = Some(crop);
        }
        Ok(Self { images })
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
