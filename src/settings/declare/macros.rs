//! The macros that declare tables. What they write calls the types beside this file; [`super`] says how they are used.

/// A table of settings: the struct, its description, and how it is read and written. With `read as …` its fields can also be read
/// one by one, as those of a stage are.
macro_rules! settings {
    (
        $(#[doc = $doc:literal])*
        $(#[example = $example:literal])?
        #[derive($($derive:ident),*)]
        $vis:vis struct $name:ident read as $read:ident $fields:tt
    ) => {
        $crate::settings::declare::settings! {
            $(#[doc = $doc])*
            $(#[example = $example])?
            #[derive($($derive),*)]
            $vis struct $name $fields
        }
        $crate::settings::declare::reading! { $vis $name as $read $fields }
    };
    (
        $(#[doc = $doc:literal])*
        $(#[example = $example:literal])?
        #[derive($($derive:ident),*)]
        $vis:vis struct $name:ident $fields:tt
    ) => {
        $crate::settings::declare::structure! {
            [$($doc)*] [$($example)?] [$($derive)*] $vis struct $name $fields
        }
        $crate::settings::declare::with_serde! { $name $fields }
    };
}

/// The fields of a stage: the struct, its description, and how they are read one by one.
macro_rules! fields {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident read as $read:ident $fields:tt
    ) => {
        $crate::settings::declare::structure! { [$($doc)*] [] [Clone] $vis struct $name $fields }
        $crate::settings::declare::reading! { $vis $name as $read $fields }
    };
}

/// The struct and its description.
macro_rules! structure {
    (
        [$($doc:literal)*] [$($example:literal)?] [$($derive:ident)*]
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $fdoc:literal])*
                $(#[accepts = $accepts:expr])?
                $(#[unset = $unset:literal])?
                $(#[by = $by:path])?
                $(#[key = $key:ident])?
                $fvis:vis $field:ident: $type:ty $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive($($derive),*)]
        #[allow(dead_code, reason = "a setting may be told and checked, and have no other use")]
        $vis struct $name {
            $($(#[doc = $fdoc])* $fvis $field: $type,)*
        }

        impl $crate::settings::declare::Described for $name {
            fn table() -> $crate::settings::declare::Table {
                use $crate::settings::declare as d;
                d::Table {
                    doc: concat!("" $(, $doc)*).trim_ascii(),
                    example: concat!("" $(, $example)?),
                    fields: vec![$(d::Field {
                        name: stringify!($field),
                        doc: concat!("" $(, $fdoc)*).trim_ascii(),
                        accepts: d::accepts_of!($type $(, $accepts)?),
                        needed: d::needed!($type [$($unset)?] $(= $default)?),
                        default: d::default_of!($type [$($unset)?] $(= $default)?),
                        unset: concat!("" $(, $unset)?),
                        shape: <$type as d::Setting>::shape(),
                        key: d::in_key!($($key)?),
                    }),*],
                }
            }
        }
    };
}

/// How a struct is read and written as a whole.
macro_rules! with_serde {
    (
        $name:ident {
            $(
                $(#[doc = $fdoc:literal])*
                $(#[accepts = $accepts:expr])?
                $(#[unset = $unset:literal])?
                $(#[by = $by:path])?
                $(#[key = $key:ident])?
                $fvis:vis $field:ident: $type:ty $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap;
                use $crate::settings::declare as d;
                let mut map = serializer.serialize_map(None)?;
                $(
                    let asked = match d::in_key!($($key)?) {
                        d::InKey::Always => true,
                        d::InKey::IfAsked => {
                            !d::is_default(&self.$field, d::absent!($type $(= $default)?))
                        }
                    };
                    if asked {
                        map.serialize_entry(stringify!($field), &self.$field)?;
                    }
                )*
                map.end()
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use $crate::settings::declare as d;
                const FIELDS: &[&str] = &[$(stringify!($field)),*];
                struct Visitor;
                impl<'de> ::serde::de::Visitor<'de> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(concat!("struct ", stringify!($name)))
                    }

                    fn visit_map<A: ::serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<$name, A::Error> {
                        $(let mut $field: Option<$type> = None;)*
                        while let Some(key) = map.next_key_seed(d::Key::field(FIELDS))? {
                            $(if key == stringify!($field) {
                                $field = Some(d::value_of!(map, $type $(, $by)?));
                            })*
                        }
                        Ok($name {
                            $($field: match $field.or_else(|| d::absent!($type $(= $default)?)) {
                                Some(value) => value,
                                None => {
                                    return Err(::serde::de::Error::missing_field(stringify!($field)));
                                }
                            },)*
                        })
                    }
                }
                deserializer.deserialize_struct(stringify!($name), FIELDS, Visitor)
            }
        }

        $crate::settings::declare::plain! {
            $name: $crate::settings::declare::Shape::Table(
                <$name as $crate::settings::declare::Described>::table()
            )
        }
    };
}

/// How the fields of a struct are read one by one.
macro_rules! reading {
    (
        $vis:vis $name:ident as $read:ident {
            $(
                $(#[doc = $fdoc:literal])*
                $(#[accepts = $accepts:expr])?
                $(#[unset = $unset:literal])?
                $(#[by = $by:path])?
                $(#[key = $key:ident])?
                $fvis:vis $field:ident: $type:ty $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        #[doc = concat!("[`", stringify!($name), "`] as it is read: what is left out or wrong is `None`.")]
        $vis struct $read {
            $($(#[doc = $fdoc])* $fvis $field:
                Option<::toml::Spanned<<$type as $crate::settings::declare::Setting>::Written>>,)*
        }

        impl $read {
            /// Reads them; mistakes are noted.
            #[must_use]
            $vis fn take(source: &mut impl $crate::settings::declare::Source) -> Self {
                use $crate::settings::declare as d;
                Self {
                    $($field: {
                        let accepts = || d::accepts_of!($type $(, $accepts)?);
                        if d::needed!($type [$($unset)?] $(= $default)?) {
                            source.must_have(stringify!($field), &accepts);
                        }
                        source.value(stringify!($field), &accepts)
                    },)*
                }
            }

            /// With defaults filled in; `None` where one that must be given is not there.
            #[must_use]
            #[allow(dead_code, reason = "names of stages are followed in place of it")]
            $vis fn settle(self) -> Option<$name> {
                use $crate::settings::declare as d;
                Some($name {
                    $($field: match self.$field {
                        Some(written) => <$type as d::Setting>::settle(written.into_inner()),
                        None => d::absent!($type $(= $default)?)?,
                    },)*
                })
            }
        }
    };
}

/// What holds where a field is left out, as an `Option`.
macro_rules! absent {
    ($type:ty = $default:expr) => {
        Some::<$type>($default)
    };
    ($type:ty) => {
        <$type as $crate::settings::declare::Setting>::left_out()
    };
}

/// Whether a field must be given.
macro_rules! needed {
    ($type:ty [] = $default:expr) => {
        false
    };
    ($type:ty []) => {
        <$type as $crate::settings::declare::Setting>::left_out().is_none()
    };
    ($type:ty [$unset:literal] $($rest:tt)*) => {
        false
    };
}

/// What holds where a field is left out, as a text.
macro_rules! default_of {
    ($type:ty [] $($rest:tt)*) => {{
        let default = $crate::settings::declare::absent!($type $($rest)*);
        ::serde_json::to_value(&default)
            .ok()
            .and_then(|value| $crate::settings::declare::toml_text(&value))
    }};
    ($type:ty [$unset:literal] $($rest:tt)*) => {
        None::<String>
    };
}

/// What a field accepts, as a text.
macro_rules! accepts_of {
    ($type:ty) => {
        <$type as $crate::settings::declare::Setting>::accepts()
    };
    ($type:ty, $accepts:expr) => {
        String::from($accepts)
    };
}

/// Whether keys name a field.
macro_rules! in_key {
    () => {
        $crate::settings::declare::InKey::Always
    };
    (if_asked) => {
        $crate::settings::declare::InKey::IfAsked
    };
}

/// The value of an entry, read by its type or by a function.
macro_rules! value_of {
    ($map:ident, $type:ty) => {
        $map.next_value::<$type>()?
    };
    ($map:ident, $type:ty, $by:path) => {{
        struct By($type);
        impl<'de> ::serde::Deserialize<'de> for By {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                $by(deserializer).map(By)
            }
        }
        $map.next_value::<By>()?.0
    }};
}

pub(crate) use {
    absent, accepts_of, default_of, fields, in_key, needed, reading, settings, structure, value_of,
    with_serde,
};
