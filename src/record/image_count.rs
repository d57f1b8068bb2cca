//! How many images `images.json` has, for who needs no more of it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// `images.json`, counted: of a million images it takes no more memory than of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageCount {
    /// Images.
    pub images: usize,
}

impl<'de> Deserialize<'de> for ImageCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Counting)
    }
}

struct Counting;

impl<'de> Visitor<'de> for Counting {
    type Value = ImageCount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the columns of images")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ImageCount, A::Error> {
        let mut images = None;
        while let Some(column) = map.next_key::<String>()? {
            match column.as_str() {
                // Image by image, before version 5.
                "digests" | "images" => images = Some(map.next_value::<Length>()?.0),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let images = images.ok_or_else(|| A::Error::missing_field("digests"))?;
        Ok(ImageCount { images })
    }
}

/// The length of a column.
struct Length(usize);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = Length;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column of images")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut column: A) -> Result<Length, A::Error> {
                let mut length = 0;
                while column.next_element::<IgnoredAny>()?.is_some() {
                    length += 1;
                }
                Ok(Length(length))
            }
        }
        deserializer.deserialize_seq(Items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_counted_in_every_form_and_anything_else_is_no_list() {
        let counted = |json: serde_json::Value| serde_json::from_value::<ImageCount>(json);
        let columns =
            serde_json::json!({ "paths": ["a", "b"], "digests": ["0", "1"], "bytes": [1, 2] });
        assert_eq!(counted(columns).unwrap().images, 2);
        let one_by_one = serde_json::json!({ "images": [{ "path": "a" }] });
        assert_eq!(counted(one_by_one).unwrap().images, 1);
        assert!(counted(serde_json::json!({ "paths": [] })).is_err());
    }
}
