//! What a value may be, as data: for messages, help, the reference page and schemas.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// What a value may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `true` or `false`.
    Flag,
    /// A whole number, both ends included.
    Whole {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
    },
    /// A number of an interval.
    Number(Interval),
    /// A text; what it stands for.
    Text(&'static str),
    /// A path of data.
    Path,
    /// The name of a stage of one of these kinds.
    Stage(Vec<&'static str>),
    /// One of these words.
    Word(Vec<Word>),
    /// A list.
    List {
        /// What each item may be.
        item: Box<Shape>,
        /// How many there are, where that is fixed.
        length: Option<usize>,
    },
    /// A table whose keys a person chooses, such as names of classes.
    Map(Box<Shape>),
    /// A table of settings.
    Table(Table),
    /// A table with exactly one of some keys.
    OneOf(OneOf),
    /// It may be written in any of these ways.
    Ways(Vec<Shape>),
}

/// A word with what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Word {
    /// As in a file.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// A table of settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// What it is.
    pub doc: &'static str,
    /// As in a file: `{ patience = 5 }`; may be empty.
    pub example: &'static str,
    /// Its settings.
    pub fields: Vec<Field>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// As in a file.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// What is accepted, in words.
    pub accepts: String,
    /// Whether it must be given.
    pub needed: bool,
    /// What holds where it is left out, as in a file; `None` where nothing does, or where [`Self::unset`] says it.
    pub default: Option<String>,
    /// What holds where it is left out, in words; empty where there are none.
    pub unset: &'static str,
    /// What its value may be.
    pub shape: Shape,
    /// Whether keys name it.
    pub key: InKey,
}

/// Whether keys name a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InKey {
    /// With its default filled in.
    Always,
    /// Where it differs from its default.
    IfAsked,
}

/// A table with exactly one of some keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OneOf {
    /// What it is.
    pub doc: &'static str,
    /// The setting that it usually is, such as `optimizer`.
    pub name: &'static str,
    /// The keys.
    pub variants: Vec<Variant>,
}

impl OneOf {
    /// The keys that may stand alone, as words: their values need nothing.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        let alone = |variant: &&Variant| match &variant.shape {
            Shape::Table(table) => table.fields.iter().all(|field| !field.needed),
            _ => false,
        };
        self.variants
            .iter()
            .filter(alone)
            .map(|variant| variant.name)
    }
}

/// One of the keys of [`OneOf`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// The key.
    pub name: &'static str,
    /// What it stands for.
    pub doc: &'static str,
    /// A value as in a file; may be empty.
    pub example: &'static str,
    /// What its value may be.
    pub shape: Shape,
}

/// An interval of finite numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: End,
    /// The upper end.
    pub high: End,
}

/// One end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// There is none.
    Open,
    /// Up to this number, itself included.
    With(f64),
    /// Up to this number, itself left out.
    Without(f64),
}

impl Interval {
    /// Whether a number lies in it.
    #[must_use]
    pub fn holds(self, v: f64) -> bool {
        let above = match self.low {
            End::Open => true,
            End::With(end) => v >= end,
            End::Without(end) => v > end,
        };
        let below = match self.high {
            End::Open => true,
            End::With(end) => v <= end,
            End::Without(end) => v < end,
        };
        v.is_finite() && above && below
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (End::Open, End::Open) => f.write_str("a number"),
            (End::Open, End::With(high)) => write!(f, "a number of at most {high}"),
            (End::Open, End::Without(high)) => write!(f, "a number below {high}"),
            (End::With(low), End::Open) => write!(f, "a number of at least {low}"),
            (End::With(low), End::With(high)) => write!(f, "a number from {low} to {high}"),
            (End::With(low), End::Without(high)) => {
                write!(f, "a number from {low} to below {high}")
            }
            (End::Without(low), End::Open) => write!(f, "a number above {low}"),
            (End::Without(low), End::With(high)) => {
                write!(f, "a number above {low} and at most {high}")
            }
            (End::Without(low), End::Without(high)) => {
                write!(f, "a number above {low} and below {high}")
            }
        }
    }
}

impl Shape {
    /// What is accepted, in the words of a message.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Whole { least, most } if *least > 0 && *most == u32::MAX => {
                format!("a whole number of at least {least}")
            }
            Self::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Self::Number(interval) => interval.to_string(),
            Self::Text(what) => (*what).to_owned(),
            Self::Path => "a path relative to the project's root".to_owned(),
            Self::Stage(kinds) => {
                let kinds = either(kinds.iter().copied());
                let vowel = kinds.starts_with(['a', 'e', 'i', 'o', 'u']);
                let article = if vowel { "an" } else { "a" };
                format!("the name of {article} {kinds} stage")
            }
            Self::Word(words) => either(words.iter().map(|word| format!("`\"{}\"`", word.name))),
            Self::List { item, length } => list(&item.in_words(), *length),
            Self::Map(value) => format!("a table of {}", several(&value.in_words())),
            Self::Table(table) if table.example.is_empty() => "a table".to_owned(),
            Self::Table(table) => format!("`{}`", table.example),
            Self::OneOf(of) => either(of.variants.iter().map(|v| match v.example {
                "" => format!("`{}.{}`", of.name, v.name),
                example => format!("`{}.{} = {example}`", of.name, v.name),
            })),
            Self::Ways(ways) => either(ways.iter().map(Self::in_words)),
        }
    }
}

/// "a", "a or b", "a, b or c".
fn either(words: impl IntoIterator<Item = impl Into<String>>) -> String {
    let words: Vec<String> = words.into_iter().map(Into::into).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn list(item: &str, length: Option<usize>) -> String {
    match length {
        None => format!("a list of {}", several(item)),
        Some(2) => format!("two {}", several(item)),
        Some(3) => format!("three {}", several(item)),
        Some(n) => format!("{n} {}", several(item)),
    }
}

/// "numbers from 0 to 1" of "a number from 0 to 1".
fn several(item: &str) -> String {
    let rest = |start: &str| item.strip_prefix(start);
    match (rest("a number"), rest("a whole number")) {
        (Some(rest), _) => format!("numbers{rest}"),
        (_, Some(rest)) => format!("whole numbers{rest}"),
        _ => item.to_owned(),
    }
}

/// A value as it would stand in a pipeline file; `None` for nothing.
#[must_use]
pub fn toml_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Number(number) => match number.as_f64() {
            Some(v) if v.fract() == 0.0 && v.abs() < 1e15 => format!("{v}"),
            _ => number.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(toml_text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries = entries.filter_map(|(k, v)| Some(format!("{k} = {}", toml_text(v)?)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_says_what_it_holds() {
        let of = |low, high| Interval { low, high };
        for (interval, words, inside, outside) in [
            (
                of(End::Without(0.0), End::Open),
                "a number above 0",
                0.1,
                0.0,
            ),
            (
                of(End::With(0.0), End::Open),
                "a number of at least 0",
                0.0,
                -0.1,
            ),
            (
                of(End::With(0.0), End::With(1.0)),
                "a number from 0 to 1",
                1.0,
                1.1,
            ),
            (
                of(End::With(0.0), End::Without(1.0)),
                "a number from 0 to below 1",
                0.9,
                1.0,
            ),
            (
                of(End::Without(0.0), End::With(1.0)),
                "a number above 0 and at most 1",
                1.0,
                0.0,
            ),
        ] {
            assert_eq!(interval.to_string(), words);
            assert!(
                interval.holds(inside) && !interval.holds(outside),
                "{words}"
            );
            assert!(
                !interval.holds(f64::NAN) && !interval.holds(f64::INFINITY),
                "{words}"
            );
        }
    }

    #[test]
    fn a_default_is_shown_as_a_file_would_have_it() {
        let value = serde_json::json!({ "a": 1e-8, "b": [0.1, 2.0], "c": "x", "d": null });
        let text = toml_text(&value).unwrap();
        assert_eq!(text, "{ a = 1e-8, b = [0.1, 2], c = \"x\" }");
        assert_eq!(toml_text(&Value::Null), None);
    }
}
