//! Values that may be written in several ways: a word or a table, a number or a list.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{self, DeserializeOwned, Unexpected},
};

/// A type with several ways of writing it; those that are not given here are refused.
pub(crate) trait Ways: Sized {
    /// Whether [`Self::numbers`] takes any.
    const LISTS: bool = false;

    /// What is accepted, in the words of a message.
    fn expects() -> String;

    /// From a text.
    fn word(_: &str) -> Result<Self, Refused> {
        Err(Refused::Type)
    }

    /// From a number.
    fn number(_: f64) -> Result<Self, Refused> {
        Err(Refused::Type)
    }

    /// From a whole number.
    fn whole(number: i64) -> Result<Self, Refused> {
        Self::number(number as f64)
    }

    /// From a list of numbers.
    fn numbers(_: &[f64]) -> Result<Self, Refused> {
        Err(Refused::Type)
    }

    /// From a table.
    fn table<'de, A: de::MapAccess<'de>>(_: A) -> Result<Self, A::Error> {
        let expects = Self::expects();
        Err(de::Error::invalid_type(Unexpected::Map, &expects.as_str()))
    }
}

/// A table in which nothing is given.
pub(crate) fn empty_table<T: DeserializeOwned>() -> Result<T, Refused> {
    let none = de::value::MapDeserializer::new(std::iter::empty::<(&str, bool)>());
    T::deserialize(none).map_err(|_: de::value::Error| Refused::Value)
}

/// Why a way of writing is refused.
pub(crate) enum Refused {
    /// Nothing of this type is taken.
    Type,
    /// This value is not.
    Value,
    /// The word is the key of a table, in which something must be given.
    Alone,
    /// The word is none of these.
    Unknown(&'static [&'static str]),
}

/// The way that a value is written in, as a value.
pub(crate) fn read_ways<'de, T: Ways, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(Visitor::<T>(PhantomData))
}

struct Visitor<T>(PhantomData<T>);

impl<T: Ways> Visitor<T> {
    fn told<E: de::Error>(self, read: Result<T, Refused>, found: Unexpected<'_>) -> Result<T, E> {
        read.map_err(|refused| match (refused, found) {
            (Refused::Unknown(words), Unexpected::Str(word)) => E::unknown_variant(word, words),
            // As serde says it of an enum; `config::wording` knows it.
            (Refused::Alone, _) => E::invalid_type(Unexpected::UnitVariant, &"newtype variant"),
            (Refused::Type, found) => E::invalid_type(found, &self),
            (_, found) => E::invalid_value(found, &self),
        })
    }
}

impl<'de, T: Ways> de::Visitor<'de> for Visitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&T::expects())
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<T, E> {
        self.told(T::word(word), Unexpected::Str(word))
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<T, E> {
        self.told(T::number(v), Unexpected::Float(v))
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<T, E> {
        self.told(T::whole(v), Unexpected::Signed(v))
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<T, E> {
        let read = i64::try_from(v).map_or(Err(Refused::Value), T::whole);
        self.told(read, Unexpected::Unsigned(v))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        let mut numbers = Vec::new();
        if T::LISTS {
            while let Some(number) = seq.next_element::<f64>()? {
                numbers.push(number);
            }
        }
        self.told(T::numbers(&numbers), Unexpected::Seq)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::table(map)
    }
}
