//! The key of a stage: the digest of a readable document of everything that can change its result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    digest::{Digest, Parts},
    stage::{Resource, Reuse, Stage},
};

/// The version of the key document.
pub const FORMAT: u32 = 1;

/// libtorch's version without its build suffix, part of the key of every tensor stage.
pub const LIBTORCH: &str = env!("KFOOD_LIBTORCH");

/// Everything that can change the result of a stage, and nothing else: no name, no place, no number of jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyDocument {
    /// [`FORMAT`].
    pub format: u32,
    /// The stage's kind.
    pub kind: String,
    /// The version of its implementation.
    pub version: u32,
    /// Its settings, defaults filled in.
    pub settings: Value,
    /// [`LIBTORCH`], for a tensor stage.
    pub libtorch: Option<String>,
    /// Content digests of what it reads, by role.
    pub inputs: BTreeMap<String, Digest>,
}

impl KeyDocument {
    /// The document of a stage with these inputs.
    #[must_use]
    pub fn of(stage: &dyn Stage, inputs: BTreeMap<String, Digest>) -> Self {
        Self {
            format: FORMAT,
            kind: stage.kind().to_owned(),
            version: stage.version(),
            settings: stage.settings(),
            libtorch: (stage.resource() == Resource::Tensor).then(|| LIBTORCH.to_owned()),
            inputs,
        }
    }

    /// The one text of this document: JSON without white space, keys in code point order, floats in their shortest form.
    #[must_use]
    pub fn canonical(&self) -> String {
        let inputs: serde_json::Map<_, _> = self
            .inputs
            .iter()
            .map(|(role, digest)| (role.clone(), Value::String(digest.to_string())))
            .collect();
        let mut text = String::new();
        write(
            &serde_json::json!({
                "format": self.format,
                "kind": self.kind,
                "version": self.version,
                "settings": self.settings,
                "libtorch": self.libtorch,
                "inputs": inputs,
            }),
            &mut text,
        );
        text
    }

    /// Equal for results of which one may go on from the other: the digest of all but the setting that `reuse` lets differ. That of
    /// everything where it lets none.
    #[must_use]
    pub fn kin(&self, reuse: Reuse) -> Digest {
        let path: &[&str] = match reuse {
            Reuse::OtherSetting(path) => path,
            Reuse::Nothing | Reuse::OtherInputs(_) => &[],
        };
        Parts::new("kfood 2026 kin of a stage key")
            .part(self.without(path).canonical())
            .finish()
    }

    /// The document without one setting, by its path of keys.
    #[must_use]
    pub(super) fn without(&self, path: &[&str]) -> Self {
        let mut document = self.clone();
        if let Some((last, above)) = path.split_last() {
            let place = above
                .iter()
                .try_fold(&mut document.settings, |value, key| value.get_mut(key));
            if let Some(Value::Object(map)) = place {
                map.remove(*last);
            }
        }
        document
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Digest {
        Parts::new("kfood 2026 stage key")
            .part(self.canonical())
            .finish()
    }
}

/// Writes canonical JSON. Keys are sorted here: `serde_json` keeps another order when some crate asks it to.
pub(super) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> KeyDocument {
        KeyDocument {
            format: 1,
            kind: "train".to_owned(),
            version: 3,
            settings: serde_json::json!({
                "lr": 0.001, "epochs": 50, "names": ["김밥", "a\"b"], "big": 1e21, "nested": {"b": 1.0, "a": null}
            }),
            libtorch: Some(LIBTORCH.to_owned()),
            inputs: BTreeMap::from([("split".to_owned(), Digest::of(b"split"))]),
        }
    }

    #[test]
    fn the_canonical_document_is_pinned() {
        assert_eq!(
            document().canonical(),
            "{\"format\":1,\"inputs\":{\"split\":\"SPLIT\"},\"kind\":\"train\",\
             \"libtorch\":\"2.11.0\",\"settings\":{\"big\":1e+21,\"epochs\":50,\"lr\":0.001,\"names\":[\"김밥\",\"a\\\"b\"],\
             \"nested\":{\"a\":null,\"b\":1.0}},\"version\":3}"
                .replace("SPLIT", &Digest::of(b"split").to_string())
        );
    }

    #[test]
    fn the_key_is_pinned() {
        assert_eq!(
            document().key().to_string(),
            "24f810ea2d8fcf4c3c7b2db9454afe07921a737dc7d692d54ea766ee4a3cf02e"
        );
    }

    #[test]
    fn the_order_of_keys_does_not_count_and_the_order_of_lists_does() {
        let with = |text: &str| {
            KeyDocument {
                settings: serde_json::from_str(text).unwrap(),
                ..document()
            }
            .key()
        };
        assert_eq!(with(r#"{"a":1,"b":2}"#), with(r#"{ "b":2, "a":1 }"#));
        assert_ne!(with(r#"{"a":[1,2]}"#), with(r#"{"a":[2,1]}"#));
        assert_ne!(with(r#"{"a":1}"#), with(r#"{"a":1,"b":null}"#));
    }

    #[test]
    fn every_field_counts() {
        let plain = document().key();
        let changed = [
            KeyDocument {
                format: 2,
                ..document()
            },
            KeyDocument {
                kind: "transfer".to_owned(),
                ..document()
            },
            KeyDocument {
                version: 4,
                ..document()
            },
            KeyDocument {
                settings: serde_json::json!({}),
                ..document()
            },
            KeyDocument {
                libtorch: None,
                ..document()
            },
            KeyDocument {
                inputs: BTreeMap::new(),
                ..document()
            },
        ];
        assert!(changed.iter().all(|c| c.key() != plain));
    }
}
