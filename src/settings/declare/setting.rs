//! The types that a setting may have, and where settings are read from.

use serde::{Serialize, de::DeserializeOwned};
use toml::Spanned;

use super::{End, Interval, Shape, Table, plain};

/// A type that a setting may have.
pub trait Setting: Serialize + Sized {
    /// As it is read from a pipeline file: itself, or with the places of its parts.
    type Written: DeserializeOwned;

    /// Without the places.
    fn settle(written: Self::Written) -> Self;

    /// What a value may be.
    fn shape() -> Shape;

    /// What is accepted, in the words of a message.
    #[must_use]
    fn accepts() -> String {
        Self::shape().in_words()
    }

    /// What holds where it is left out and its declaration says nothing; `None` where it must be given.
    #[must_use]
    fn left_out() -> Option<Self> {
        None
    }
}

/// A table of settings that describes itself.
pub trait Described {
    /// Its settings, in the order of their declaration.
    fn table() -> Table;
}

/// Where the settings of a stage are read from, one by one, so that every mistake is found and not just the first.
pub trait Source {
    /// A value; `None` where it is left out, and after a mistake, which is noted.
    fn value<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        accepts: &dyn Fn() -> String,
    ) -> Option<Spanned<T>>;

    /// Notes that a setting is missing, if it is.
    fn must_have(&mut self, key: &'static str, accepts: &dyn Fn() -> String);
}

plain! {
    bool: Shape::Flag,
    u32: Shape::Whole { least: 0, most: u32::MAX },
    String: Shape::Text("a text"),
    f64: Shape::Number(Interval { low: End::Open, high: End::Open }),
}

impl<T: Setting> Setting for Option<T> {
    type Written = T::Written;

    fn settle(written: T::Written) -> Self {
        Some(T::settle(written))
    }

    fn shape() -> Shape {
        T::shape()
    }

    fn accepts() -> String {
        T::accepts()
    }

    fn left_out() -> Option<Self> {
        Some(None)
    }
}

/// Later checks ask where an item stands.
impl<T: Setting + DeserializeOwned> Setting for Vec<T> {
    type Written = Vec<Spanned<T>>;

    fn settle(written: Vec<Spanned<T>>) -> Self {
        written.into_iter().map(Spanned::into_inner).collect()
    }

    fn shape() -> Shape {
        Shape::List {
            item: Box::new(T::shape()),
            length: None,
        }
    }
}

impl<T: Setting, const N: usize> Setting for [T; N]
where
    Self: Serialize + DeserializeOwned,
{
    type Written = Self;

    fn settle(written: Self) -> Self {
        written
    }

    fn shape() -> Shape {
        Shape::List {
            item: Box::new(T::shape()),
            length: Some(N),
        }
    }
}
