//! `photographs.json` of a preprocess stage: what was seen of each file while decoding.

use serde::{Deserialize, Serialize};

/// One entry for each image, in the order of `images.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Photographs {
    /// The images.
    pub photographs: Vec<Photograph>,
}

/// What was seen of one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Photograph {
    /// Upright width in pixels before the resize; 0 where nothing could be decoded.
    pub width: u32,
    /// Upright height.
    pub height: u32,
    /// The format by content, such as `JPEG`; empty where nothing could be decoded.
    pub format: String,
    /// Mean of the row's pixels over all channels, from 0 to 255.
    pub brightness: f32,
    /// What is unusual: `turned by EXIF`, `turned by XMP`, `CMYK`, `transparent`, `animated`, `16 bit`, `palette` and `floats` of a TIFF, `has a colour profile`, `named .jpg, is WebP`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
    /// Why it was dropped (`unreadable = "drop"`); it then belongs to no part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
}
