//! How many images `images.json` has, for who needs no more of it.

use serde::{Deserialize, de::IgnoredAny};

/// `images.json`, counted: of a million images it takes no more memory than of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct ImageCount {
    /// Images.
    pub images: usize,
}

#[derive(Deserialize)]
struct Written {
    /// Image by image before version 5. What is ignored has no size, so that a list of it takes no memory.
    #[serde(alias = "images")]
    digests: Vec<IgnoredAny>,
}

impl From<Written> for ImageCount {
    fn from(written: Written) -> Self {
        Self {
            images: written.digests.len(),
        }
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
