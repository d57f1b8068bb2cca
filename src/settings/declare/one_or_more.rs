//! A list whose only item may stand alone: `on = "test"` for `on = ["test"]`.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        self, DeserializeOwned, IntoDeserializer, SeqAccess,
        value::{SeqAccessDeserializer, StrDeserializer},
    },
};
use toml::Spanned;

use super::{Setting, Shape};

/// A list, or a word for a list of that word; what it comes to, and so every key, is the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOrMore<T>(pub Vec<T>);

/// As it is written.
#[derive(Clone, Debug)]
pub enum WrittenOneOrMore<T> {
    /// A word.
    One(T),
    /// A list, with the places of its items.
    More(Vec<Spanned<T>>),
}

impl<T: Clone> WrittenOneOrMore<T> {
    /// The list, with the places of its items: that of a word is its own.
    pub fn items(written: &Spanned<Self>) -> Spanned<Vec<Spanned<T>>> {
        let items = match written.get_ref() {
            Self::One(one) => vec![Spanned::new(written.span(), one.clone())],
            Self::More(items) => items.clone(),
        };
        Spanned::new(written.span(), items)
    }
}

impl<T: Setting + DeserializeOwned> Setting for OneOrMore<T> {
    type Written = WrittenOneOrMore<T>;

    fn settle(written: WrittenOneOrMore<T>) -> Self {
        Self(match written {
            WrittenOneOrMore::One(one) => vec![one],
            WrittenOneOrMore::More(items) => items.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    fn shape() -> Shape {
        Shape::Ways(vec![T::shape(), Vec::<T>::shape()])
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for WrittenOneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

struct Visitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> de::Visitor<'de> for Visitor<T> {
    type Value = WrittenOneOrMore<T>;

    // What is accepted is said by the setting, where a type expects a sequence.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
        let word: StrDeserializer<'_, E> = word.into_deserializer();
        T::deserialize(word).map(WrittenOneOrMore::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items)).map(WrittenOneOrMore::More)
    }
}
