//! The macros that declare single values: types that are read as they are, words, and tables with one key.

/// Types that are read as they are, each with what its values may be.
macro_rules! plain {
    ($($type:ty: $shape:expr),* $(,)?) => {
        $(impl $crate::settings::declare::Setting for $type {
            type Written = Self;

            fn settle(written: Self) -> Self {
                written
            }

            fn shape() -> $crate::settings::declare::Shape {
                $shape
            }
        })*
    };
}

/// One of a few words: the enum, its `ALL` and `name`, and how it is read and written.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        $(#[derive($($derive:ident),*)])?
        $vis:vis enum $name:ident {
            $($(# $attribute:tt)* $variant:ident = $word:literal),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        $(#[derive($($derive),*)])?
        $vis enum $name {
            $($(# $attribute)* #[serde(rename = $word)] $variant,)*
        }

        #[allow(dead_code, reason = "not every setting is listed or shown")]
        impl $name {
            /// All of them.
            $vis const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// As written in a pipeline file.
            #[must_use]
            $vis const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        $crate::settings::declare::plain! {
            $name: $crate::settings::declare::Shape::Word(vec![
                $($crate::settings::declare::Word {
                    name: $word,
                    doc: $crate::settings::declare::doc_of!($($attribute)*),
                }),*
            ])
        }
    };
}

/// The text of doc comments among attributes.
macro_rules! doc_of {
    ($([doc = $doc:literal])* $([default])?) => {
        concat!("" $(, $doc)*).trim_ascii()
    };
}

/// A table with exactly one of a few keys: the enum, and how it is read and written. A key whose value needs nothing may stand alone, as a
/// word. `as "optimizer"` names the setting in messages. With a trait behind it, `common` and `common_mut` give what its values have in common.
macro_rules! variants {
    (
        $(#[doc = $doc:literal])*
        #[derive($($derive:ident),*)]
        $vis:vis enum $name:ident as $setting:literal $(with $common:ident)? {
            $(
                $(#[doc = $vdoc:literal])*
                $(#[example = $example:literal])?
                $variant:ident($payload:ty) = $word:literal
            ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive($($derive,)* ::serde::Serialize)]
        $vis enum $name {
            $($(#[doc = $vdoc])* #[serde(rename = $word)] $variant($payload),)*
        }

        impl $crate::settings::declare::Ways for $name {
            fn expects() -> String {
                <Self as $crate::settings::declare::Setting>::accepts()
            }

            fn word(word: &str) -> Result<Self, $crate::settings::declare::Refused> {
                use $crate::settings::declare as d;
                $(if word == $word {
                    let nothing = d::empty_table::<$payload>();
                    return nothing.map(Self::$variant).map_err(|_| d::Refused::Alone);
                })*
                Err(d::Refused::Unknown(&[$($word),*]))
            }

            $crate::settings::declare::one_key! { $($variant ($payload) = $word),* }
        }

        $crate::settings::declare::by_ways! { $name }

        impl $name {
            /// As written in a pipeline file.
            #[must_use]
            $vis const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $word,)*
                }
            }
        }

        $crate::settings::declare::variants! { @common $name $($common)? [$($variant)*] }

        $crate::settings::declare::plain! {
            $name: {
                use $crate::settings::declare as d;
                d::Shape::OneOf(d::OneOf {
                    doc: concat!("" $(, $doc)*).trim_ascii(),
                    name: $setting,
                    variants: vec![$(d::Variant {
                        name: $word,
                        doc: concat!("" $(, $vdoc)*).trim_ascii(),
                        example: concat!("" $(, $example)?),
                        shape: <$payload as d::Setting>::shape(),
                    }),*],
                })
            }
        }
    };
    (@common $name:ident [$($variant:ident)*]) => {};
    (@common $name:ident $common:ident [$($variant:ident)*]) => {
        impl $name {
            /// What its values have in common.
            fn common(&self) -> &dyn $common {
                match self {
                    $(Self::$variant(value) => value,)*
                }
            }

            /// As `common`, to be changed.
            #[allow(dead_code, reason = "not every enum changes its values")]
            fn common_mut(&mut self) -> &mut dyn $common {
                match self {
                    $(Self::$variant(value) => value,)*
                }
            }
        }
    };
}

/// A word, or a table with that word as its one key: `loss = "focal"` or `loss.focal = { gamma = 2.0 }`. Alone, a word stands for an
/// empty table.
macro_rules! words_or_tables {
    (
        $(#[doc = $doc:literal])*
        #[derive($($derive:ident),*)]
        $vis:vis enum $name:ident as $setting:literal {
            $(
                $(#[doc = $vdoc:literal])*
                $(#[example = $example:literal])?
                $variant:ident $(($payload:ty))? = $word:literal
            ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive($($derive,)* ::serde::Serialize)]
        $vis enum $name {
            $($(#[doc = $vdoc])* #[serde(rename = $word)] $variant $(($payload))?,)*
        }

        impl $crate::settings::declare::Ways for $name {
            fn expects() -> String {
                <Self as $crate::settings::declare::Setting>::accepts()
            }

            fn word(word: &str) -> Result<Self, $crate::settings::declare::Refused> {
                use $crate::settings::declare as d;
                $(if word == $word {
                    return Ok(Self::$variant $((d::empty_table::<$payload>()?))?);
                })*
                Err(d::Refused::Unknown(&[$($word),*]))
            }

            $crate::settings::declare::one_key! { $($variant $(($payload))? = $word),* }
        }

        $crate::settings::declare::by_ways! { $name }

        impl $crate::settings::declare::Setting for $name {
            type Written = Self;

            fn settle(written: Self) -> Self {
                written
            }

            fn shape() -> $crate::settings::declare::Shape {
                use $crate::settings::declare as d;
                let words = vec![$(d::Word {
                    name: $word,
                    doc: concat!("" $(, $vdoc)*).trim_ascii(),
                }),*];
                let tables = [$(d::payload_shape!($($payload)?).map(|shape| d::Variant {
                    name: $word,
                    doc: concat!("" $(, $vdoc)*).trim_ascii(),
                    example: concat!("" $(, $example)?),
                    shape,
                })),*];
                d::Shape::Ways(vec![
                    d::Shape::Word(words),
                    d::Shape::OneOf(d::OneOf {
                        doc: concat!("" $(, $doc)*).trim_ascii(),
                        name: $setting,
                        variants: tables.into_iter().flatten().collect(),
                    }),
                ])
            }

            fn accepts() -> String {
                $crate::settings::declare::words_and_tables($setting, &[
                    $(($word, concat!("" $(, $example)?))),*
                ])
            }
        }
    };
}

/// How a table with exactly one of these keys is read.
macro_rules! one_key {
    ($($variant:ident $(($payload:ty))? = $word:literal),*) => {
        fn table<'de, A: ::serde::de::MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
            use ::serde::de::Error;
            use $crate::settings::declare as d;
            let key = map.next_key_seed(d::Key::variant(&[$($word),*]))?;
            let read = match key.unwrap_or_default() {
                $($word => {
                    d::no_payload!(map $(, $payload)?);
                    Self::$variant $((map.next_value::<$payload>()?))?
                })*
                _ => return Err(A::Error::custom("wanted exactly 1 element, found 0 elements")),
            };
            match map.next_key_seed(d::Key::variant(&[$($word),*]))? {
                Some(_) => Err(A::Error::custom("wanted exactly 1 element, more than 1 element")),
                None => Ok(read),
            }
        }
    };
}

/// Reads a type by the ways in which it may be written.
macro_rules! by_ways {
    ($name:ident) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                $crate::settings::declare::read_ways(deserializer)
            }
        }
    };
}

/// Reads the empty table of a variant that has no payload.
macro_rules! no_payload {
    ($map:ident) => {
        $map.next_value::<$crate::settings::declare::Empty>()?
    };
    ($map:ident, $payload:ty) => {};
}

/// What a variant's payload may be, if it has one.
macro_rules! payload_shape {
    () => {
        None::<$crate::settings::declare::Shape>
    };
    ($payload:ty) => {
        Some(<$payload as $crate::settings::declare::Setting>::shape())
    };
}

pub(crate) use {
    by_ways, doc_of, no_payload, one_key, payload_shape, plain, variants, words, words_or_tables,
};
