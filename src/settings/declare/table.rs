//! What the code of a declaration calls.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeSeed},
};

/// The key of an entry: one of some names.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    names: &'static [&'static str],
    variant: bool,
}

impl Key {
    /// That of a field.
    pub(crate) const fn field(names: &'static [&'static str]) -> Self {
        Self {
            names,
            variant: false,
        }
    }

    /// That of a variant.
    pub(crate) const fn variant(names: &'static [&'static str]) -> Self {
        Self {
            names,
            variant: true,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl de::Visitor<'_> for Key {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<&'static str, E> {
        let name = self.names.iter().find(|name| **name == word);
        name.copied().ok_or_else(|| match self.variant {
            true => E::unknown_variant(word, self.names),
            false => E::unknown_field(word, self.names),
        })
    }
}

/// A table without settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Empty {}

/// Whether a value is its default, as far as anybody can tell who reads it.
pub(crate) fn is_default<T: Serialize>(value: &T, default: Option<T>) -> bool {
    let written = |value: &T| serde_json::to_value(value).ok();
    default.is_some_and(|default| written(&default) == written(value))
}

/// What a setting takes that is one of some words, of which those with an example may be tables too.
pub(crate) fn words_and_tables(setting: &str, words: &[(&str, &str)]) -> String {
    let ways = words.iter().map(|(word, example)| match *example {
        "" => format!("`\"{word}\"`"),
        example => format!("`\"{word}\"` or `{setting}.{word} = {example}`"),
    });
    ways.collect::<Vec<_>>().join(", ")
}
