//! `matrix.FIELD = [a, b]`: one instance for each combination, made before anything is derived, so that a mistake in a
//! value points at that value. `matrix.FIELD.named = { one = a, other = b }` gives the values names, which stand in the instances' names in
//! place of the values and in nothing else.

use std::collections::BTreeSet;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{file::Span, mistake::Found};
use crate::text::shown;

/// More instances than this are taken for a slip.
pub(crate) const MOST: usize = 10_000;

/// One combination.
pub(crate) struct Variant<'i> {
    /// What tells it from the others: `[("arch", "resnet50")]`.
    pub varied: Vec<(String, String)>,
    /// The stage's table with these values filled in.
    pub table: DeTable<'i>,
}

type Key<'i> = Spanned<DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

/// What a stage's `matrix` comes to.
pub(crate) struct Matrix<'i> {
    /// The combinations; one without any varied value where there is no matrix.
    pub variants: Vec<Variant<'i>>,
    /// Whether it is free of mistakes. If not, the combinations serve to find the other mistakes of the stage.
    pub sound: bool,
    /// The fields that it names, right or wrong: none of them is missing. `None` where that cannot be told.
    pub fields: Option<Vec<String>>,
}

/// How a number is shown.
type Number = fn(&str) -> String;

/// One field with its values.
struct Axis<'i> {
    path: Vec<Key<'i>>,
    values: Vec<Choice<'i>>,
}

/// A value, and its name where it has one.
struct Choice<'i> {
    name: Option<String>,
    value: Value<'i>,
}

/// The key below a field whose table gives values names.
const NAMED: &str = "named";

/// The instances of a stage; the first field in the file varies slowest.
pub(crate) fn expand<'i>(file: usize, mut table: DeTable<'i>, found: &mut Found) -> Matrix<'i> {
    let (mut axes, mut fields, mut sound) = (Vec::new(), Some(Vec::new()), true);
    if let Some((key, value)) = table.remove_entry("matrix") {
        let mut tell = |span: &Span, message: String, help: &str| {
            sound = false;
            found.add(file, span, message, Some(help.to_owned()));
        };
        fields = match value.get_ref() {
            DeValue::Table(named) => {
                Some(named.keys().map(|key| key.get_ref().to_string()).collect())
            }
            _ => None,
        };
        collect(vec![], &key.span(), value, &mut axes, &mut tell);
        axes.sort_by_key(|axis: &Axis<'_>| axis.path.last().map(|key| key.span().start));
        check(&table, &key.span(), &mut axes, &mut tell);
    }
    let mut variants = vec![Variant {
        varied: Vec::new(),
        table,
    }];
    for axis in &axes {
        let values = variants.iter().flat_map(|variant| {
            axis.values
                .iter()
                .map(move |value| with(variant, axis, value))
        });
        variants = values.collect();
    }
    Matrix {
        variants,
        sound,
        fields,
    }
}

/// Finds the lists below `matrix`: `matrix.optimizer.adam.lr = […]` is the field `optimizer.adam.lr`.
fn collect<'i>(
    path: Vec<Key<'i>>,
    at: &Span,
    value: Value<'i>,
    axes: &mut Vec<Axis<'i>>,
    tell: &mut dyn FnMut(&Span, String, &str),
) {
    let span = value.span();
    let name = dotted(&path);
    match value.into_inner() {
        DeValue::Array(values) if !path.is_empty() => {
            let choice = |value| Choice { name: None, value };
            let values: Vec<_> = values.into_iter().map(choice).collect();
            if values.is_empty() {
                let help = "give at least one value, or leave the line out";
                tell(&span, format!("`matrix.{name}` is empty"), help);
            }
            axes.push(Axis { path, values });
        }
        DeValue::Table(mut table) if path.is_empty() || !table.is_empty() => {
            if !path.is_empty()
                && let Some((key, values)) = table.remove_entry(NAMED)
            {
                if !table.is_empty() {
                    let message = format!("`matrix.{name}` has `{NAMED}` beside other fields");
                    tell(&key.span(), message, "keep one of the two");
                    return;
                }
                axes.extend(named(path, &key.span(), values, tell));
                return;
            }
            for (key, value) in table {
                let at = key.span();
                let mut path = path.clone();
                path.push(key);
                collect(path, &at, value, axes, tell);
            }
        }
        _ => {
            let name = if path.is_empty() {
                String::new()
            } else {
                format!(".{name}")
            };
            let message = format!("`matrix{name}` is not a list of values");
            let help =
                "write a list for each field to vary: `matrix.arch = [\"resnet18\", \"resnet34\"]`";
            tell(at, message, help);
        }
    }
}

/// `{ none = [], flip = [{ random_horizontal_flip = 0.5 }] }`: values by their names, in the order of the file.
fn named<'i>(
    path: Vec<Key<'i>>,
    at: &Span,
    values: Value<'i>,
    tell: &mut dyn FnMut(&Span, String, &str),
) -> Option<Axis<'i>> {
    let field = dotted(&path);
    let help =
        format!("give each value a name: `matrix.{field}.{NAMED} = {{ one = …, other = … }}`");
    let DeValue::Table(table) = values.into_inner() else {
        let message = format!("`matrix.{field}.{NAMED}` is not a table of names and values");
        tell(at, message, &help);
        return None;
    };
    if table.is_empty() {
        tell(at, format!("`matrix.{field}.{NAMED}` is empty"), &help);
    }
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    for (name, _) in &entries {
        let text = name.get_ref();
        if text.is_empty() || !text.chars().all(plain) {
            let message = format!("`{}` cannot name a value of `{field}`", shown(text));
            tell(
                &name.span(),
                message,
                "use letters, digits, `_`, `-` and `.`",
            );
        }
    }
    let choice = |(name, value): (Key<'i>, _)| Choice {
        name: Some(name.get_ref().to_string()),
        value,
    };
    let values = entries.into_iter().map(choice).collect();
    Some(Axis { path, values })
}

/// Notes the mistakes of the matrix as a whole and leaves what makes sense without them.
fn check(
    table: &DeTable<'_>,
    at: &Span,
    axes: &mut Vec<Axis<'_>>,
    tell: &mut dyn FnMut(&Span, String, &str),
) {
    let mut count = 1_usize;
    axes.retain_mut(|axis| {
        let Some(last) = axis.path.last() else {
            return false;
        };
        let name = dotted(&axis.path);
        if is_set(table, &axis.path) {
            let message = format!("`{name}` is set plainly and in `matrix`");
            tell(&last.span(), message, "keep one of the two");
            return false;
        }
        let mut seen = BTreeSet::new();
        axis.values.retain(|Choice { value, .. }| {
            let new = seen.insert(flat(&name, value.get_ref(), by_value));
            if !new {
                let message = format!("`matrix.{name}` holds a value twice");
                tell(&value.span(), message, "leave one of the two out");
            }
            new
        });
        count = count.saturating_mul(axis.values.len());
        !axis.values.is_empty()
    });
    if count > MOST {
        let message = format!("`matrix` makes {count} instances, more than {MOST}");
        tell(at, message, "vary fewer fields, or give fewer values");
        for axis in axes {
            axis.values.truncate(1);
        }
    }
}

/// Whether a field, or something that leaves no room for it, is in the table.
fn is_set(table: &DeTable<'_>, path: &[Key<'_>]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    match table.get(first.get_ref().as_ref()).map(Spanned::get_ref) {
        None => false,
        Some(DeValue::Table(inner)) => is_set(inner, rest),
        Some(_) => true,
    }
}

fn with<'i>(variant: &Variant<'i>, axis: &Axis<'i>, choice: &Choice<'i>) -> Variant<'i> {
    let mut table = variant.table.clone();
    put(&mut table, &axis.path, choice.value.clone());
    let mut varied = variant.varied.clone();
    let field = dotted(&axis.path);
    match &choice.name {
        Some(name) => varied.push((field, name.clone())),
        None => varied.extend(flat(&field, choice.value.get_ref(), as_written)),
    }
    Variant { varied, table }
}

fn put<'i>(table: &mut DeTable<'i>, path: &[Key<'i>], value: Value<'i>) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return;
    }
    if table.get(first.get_ref().as_ref()).is_none() {
        let empty = Spanned::new(first.span(), DeValue::Table(DeTable::new()));
        table.insert(first.clone(), empty);
    }
    let inner = table
        .get_mut(first.get_ref().as_ref())
        .map(Spanned::get_mut);
    if let Some(DeValue::Table(inner)) = inner {
        put(inner, rest, value);
    }
}

fn dotted(path: &[Key<'_>]) -> String {
    let keys: Vec<_> = path.iter().map(|key| key.get_ref().as_ref()).collect();
    keys.join(".")
}

/// A value as it stands in an id: the scalars of a table behind dotted names, anything else as one text.
fn flat(name: &str, value: &DeValue<'_>, number: Number) -> Vec<(String, String)> {
    match value {
        DeValue::Table(table) if !table.is_empty() => in_order(table)
            .into_iter()
            .flat_map(|(key, value)| flat(&format!("{name}.{key}"), value, number))
            .collect(),
        value => vec![(name.to_owned(), text(value, number))],
    }
}

/// A number as it is written.
fn as_written(number: &str) -> String {
    number.to_owned()
}

/// A number as its value: `0x1` and `1`, `0.20` and `0.2` are one.
fn by_value(number: &str) -> String {
    let plain = number.replace('_', "");
    let mut radix = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter();
    let whole = radix
        .find_map(|(begin, radix)| i128::from_str_radix(plain.strip_prefix(begin)?, radix).ok())
        .or_else(|| plain.parse().ok());
    match (whole, plain.parse::<f64>()) {
        (Some(whole), _) => whole.to_string(),
        (None, Ok(number)) => number.to_string(),
        (None, Err(_)) => plain,
    }
}

/// `[{ random_rotation = 15 }, { center_crop = 56 }]` is `random_rotation:15+center_crop:56`.
fn text(value: &DeValue<'_>, number: Number) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(digits) => number(&digits.to_string()),
        DeValue::Float(digits) => number(&digits.to_string()),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) if items.is_empty() => "none".to_owned(),
        DeValue::Array(items) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| text(item.get_ref(), number))
                .collect();
            items.join("+")
        }
        DeValue::Table(table) if table.is_empty() => "default".to_owned(),
        DeValue::Table(table) => {
            let items = in_order(table).into_iter();
            let items: Vec<_> = items
                .map(|(k, v)| format!("{k}:{}", text(v, number)))
                .collect();
            items.join(":")
        }
    }
}

fn in_order<'a>(table: &'a DeTable<'_>) -> Vec<(&'a str, &'a DeValue<'a>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
        .into_iter()
        .map(|(key, value)| (key.get_ref().as_ref(), value.get_ref()))
        .collect()
}
