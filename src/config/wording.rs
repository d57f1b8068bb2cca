//! The words of mistakes: what serde and the TOML parser say, in the words of a pipeline file.

use toml::{
    Spanned,
    de::{DeArray, DeValue, Error},
};

use super::file::Span;
use crate::name;

/// What is wrong, where, and the way out.
pub(crate) struct Wording {
    /// Where.
    pub span: Span,
    /// What was found and what is accepted.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

/// A mistake of TOML itself.
pub(crate) fn syntax(error: &Error, text: &str) -> (String, Option<String>) {
    if is_duplicate(error) {
        let key = error.span().and_then(|span| text.get(span));
        let message = format!("`{}` is given twice", key.unwrap_or_default());
        let help = "rename one of the two, or leave it out; names of stages are unique in a file";
        return (message, Some(help.to_owned()));
    }
    if let Some((sign, meant)) = odd_sign(error, text) {
        return of_sign(sign, meant, text);
    }
    if let Some(help) = error.span().and_then(|span| yaml(text, span.start)) {
        return (
            "this is not TOML: it reads like YAML".to_owned(),
            Some(help),
        );
    }
    if let Some((message, help)) = error.span().and_then(|span| foreign_word(text, span.start)) {
        return (message, Some(help));
    }
    if error.message().contains("escape") {
        let help = "in double quotes a `\\` begins an escape such as `\\n`: write paths with `/`";
        return (
            format!("this is not TOML: {}", error.message()),
            Some(help.to_owned()),
        );
    }
    let unquoted = error.message().starts_with("invalid unquoted key");
    let help =
        unquoted.then(|| "put a name in other letters in quotes: `[train.\"이름\"]`".to_owned());
    (format!("this is not TOML: {}", error.message()), help)
}

/// The sign that is none of TOML's, where one explains a mistake, and the one that is meant.
pub(crate) fn odd_sign(error: &Error, text: &str) -> Option<(char, &'static str)> {
    let span = error.span()?;
    // What closes a string is missed at the end of the line.
    let unclosed = error.message().contains("string");
    let before = text.get(..span.start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    typographic(text, if unclosed { line } else { span.start })
}

/// A habit of a program is told once, with how often it shows.
fn of_sign(sign: char, meant: &str, text: &str) -> (String, Option<String>) {
    let found = crate::text::shown(&sign.to_string());
    let code = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let places = code.flat_map(str::chars).filter(|c| *c == sign).count();
    let often = match places {
        0 | 1 => String::new(),
        n => format!(
            " (one of {} outside comments)",
            crate::text::count(n, "place")
        ),
    };
    if sign.is_control() {
        return (
            format!("this is not TOML: a control character, `{found}`, stands here{often}"),
            Some("take it out; what is copied from a terminal may bring such with it".to_owned()),
        );
    }
    (
        format!("this is not TOML: `{found}` stands where `{meant}` is meant{often}"),
        Some("a word processor or a messenger has replaced it; write the plain sign (and look for others like it)".to_owned()),
    )
}

/// How a line such as `epochs: 5` is written, where one stands at a place.
fn yaml(text: &str, at: usize) -> Option<String> {
    let at = text.floor_char_boundary(at);
    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    let line = text[start..].lines().next()?.trim();
    let (key, value) = line.split_once(':')?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if key.is_empty() || !key.chars().all(is_name) {
        return None;
    }
    match value.strip_prefix(' ').map(str::trim) {
        Some(value) if !value.is_empty() => {
            Some(format!("write `{key} = {value}`, texts in quotes"))
        }
        _ if value.is_empty() => Some(format!(
            "a table is `[{key}.NAME]` with a line such as `epochs = 5` for each setting"
        )),
        _ => None,
    }
}

/// Whether a text is an object of JSON, and no pipeline at all.
pub(crate) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// A word that is a value in Python, JSON or YAML and none in TOML, where one stands at a place; and JSON as a whole.
fn foreign_word(text: &str, at: usize) -> Option<(String, String)> {
    let rest = text.get(text.floor_char_boundary(at)..)?;
    if is_json(text) {
        return Some((
            "this is not TOML: it reads like JSON".to_owned(),
            "begin a stage with its kind and its name, `[dataset.NAME]`, and write a line such as `epochs = 5` for each setting".to_owned(),
        ));
    }
    let end = rest.find(|c: char| !c.is_alphanumeric());
    let word = &rest[..end.unwrap_or(rest.len())];
    let help = match word.to_lowercase().as_str() {
        "none" | "null" | "nil" => "leave the line out: its default holds then".to_owned(),
        "true" | "yes" | "on" => "write `true`".to_owned(),
        "false" | "no" | "off" => "write `false`".to_owned(),
        _ => return None,
    };
    Some((format!("this is not TOML: `{word}` is no value"), help))
}

/// The sign at a place, or behind it in its line before a comment, that looks like one of TOML's and is none, and that one.
fn typographic(text: &str, at: usize) -> Option<(char, &'static str)> {
    let rest = text.get(text.floor_char_boundary(at)..)?;
    let line = rest.split(['\n', '#']).next().unwrap_or_default();
    line.chars().find_map(|c| {
        let meant = match c {
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '「' | '」' | '『' | '』' | '＂' => {
                "\""
            }
            '‘' | '’' | '‚' | '‛' | '′' | '＇' | '´' => "'",
            '＝' => "=",
            '［' | '【' => "[",
            '］' | '】' => "]",
            '｛' => "{",
            '｝' => "}",
            '，' | '、' => ",",
            '．' | '。' => ".",
            '＃' => "#",
            '−' | '–' | '—' => "-",
            c if crate::text::is_hidden(c) && !matches!(c, '\r' | '\t') => " ",
            _ => return None,
        };
        Some((c, meant))
    })
}

/// Whether a key is given twice, which leaves the rest of the file readable.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    error.message().starts_with("duplicate key")
}

/// Names of stages and aliases: letters, digits, `_` and `-`, because references to them use the other signs.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(fits) {
        return Ok(());
    }
    Err(format!(
        "`{}` is not a name: expected letters of any script, digits, `_` and `-`",
        crate::text::shown(name)
    ))
}

/// "did you mean `epochs`? accepted are …".
pub(crate) fn accepted(word: &str, candidates: Vec<&str>) -> String {
    let all = name::one_of(candidates.iter().copied());
    match name::nearest(word, candidates.iter().copied()) {
        Some(near) if candidates.len() == 1 => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? accepted: {all}"),
        None => format!("accepted: {all}"),
    }
}

/// Whether a mistake follows from another one that was taken out before the value was tried again.
pub(crate) fn is_consequence(error: &Error) -> bool {
    ["missing field", "invalid length", "wanted exactly 1"]
        .iter()
        .any(|start| error.message().starts_with(start))
}

/// A mistake in the value of `key`, of which `accepts` says what it takes.
pub(crate) fn value(
    error: &Error,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    text: &str,
    accepts: &str,
) -> Wording {
    let span = error.span().unwrap_or_else(|| value.span());
    let mut path = vec![key.to_owned()];
    locate(value.get_ref(), &span, &mut path);
    let message = error.message();
    if let Some((message, help)) = of_a_name(message, &mut path, accepts) {
        return Wording {
            span,
            message,
            help: Some(help),
        };
    }
    let alone = text.get(span.clone());
    if let Some((word, example)) = alone.and_then(|found| bare(message, found, accepts)) {
        return alone_for_a_table(span, &path.join("."), word, example);
    }
    // The name of a variant that goes with a value.
    if let Some(word) = alone.and_then(|found| found.trim().strip_prefix('"')?.strip_suffix('"'))
        && message.starts_with("invalid type: unit variant")
        && path.len() == 1
    {
        return Wording {
            span,
            message: format!("`{word}` of `{key}` needs its value: `{{ {word} = … }}`"),
            help: Some(format!("expected {accepts}")),
        };
    }
    let found = match text.get(span.clone()).map(str::trim) {
        // A table of dotted keys has no text of its own: the place is that of its key.
        Some(found) if path.last().is_some_and(|key| key == found) => {
            format!("invalid value for `{}`", path.join("."))
        }
        Some(found) if !found.is_empty() && found.len() <= 40 && !found.contains('\n') => {
            format!("invalid value `{found}` for `{}`", path.join("."))
        }
        _ => format!("invalid value for `{}`", path.join(".")),
    };
    let length = message.rsplit_once("expected an array of length ");
    let list = length.map(|(_, n)| format!("a list of {n} values"));
    let expected = list
        .as_deref()
        .unwrap_or_else(|| expected(message, accepts));
    let near = text
        .get(span.clone())
        .and_then(|found| meant(found, expected));
    Wording {
        span,
        message: format!("{found}: expected {expected}"),
        help: near.map(|near| format!("did you mean `\"{near}\"`?")),
    }
}

/// The words and the way out for a key or a word that is not known, or that is missing.
fn of_a_name(message: &str, path: &mut Vec<String>, accepts: &str) -> Option<(String, String)> {
    if message.starts_with("wanted exactly 1 element") {
        let told = format!("`{}` takes exactly one setting", path.join("."));
        return Some((told, format!("expected {accepts}")));
    }
    if let Some((word, candidates)) = unknown(message, "unknown field `") {
        path.pop();
        let told = format!("unknown key `{word}` in `{}`", path.join("."));
        return Some((told, accepted(word, candidates)));
    }
    if let Some((word, candidates)) = unknown(message, "unknown variant `") {
        if path.len() > 1 && path.last().is_some_and(|last| last == word) {
            path.pop();
        }
        let told = format!("unknown value `{word}` for `{}`", path.join("."));
        return Some((told, accepted(word, candidates)));
    }
    let field = message.strip_prefix("missing field `")?;
    let field = field.trim_end_matches('`');
    let help = match path.as_slice() {
        [_, .., table] => format!("write `{table} = {{ {field} = … }}`"),
        _ => format!("expected {accepts}"),
    };
    Some((format!("missing `{field}` in `{}`", path.join(".")), help))
}

/// The wording for the name of a table where the table belongs: what the example gives is what must be given.
fn alone_for_a_table(span: Span, key: &str, word: &str, example: &str) -> Wording {
    let parts = example.split(['{', '}', ' ', '=']);
    let needed = parts.into_iter().find(|part| !part.is_empty());
    Wording {
        span,
        message: match needed {
            None => format!("`{word}` of `{key}` is written as a table"),
            Some(needed) => format!("`{word}` of `{key}` needs `{needed}`"),
        },
        help: Some(format!("write `{key}.{word} = {example}`")),
    }
}

/// The name of a table that stands alone where the table belongs (`optimizer = "adamw"`), and the example of that table among what is
/// accepted: its own, or the first where it goes without saying.
fn bare<'a>(message: &str, found: &'a str, accepts: &'a str) -> Option<(&'a str, &'a str)> {
    if !message.starts_with("invalid type: unit variant") {
        return None;
    }
    let word = found.trim().strip_prefix('"')?.strip_suffix('"')?;
    let own = accepts.split_once(&format!(".{word} = "));
    let first = || {
        let known = accepts.contains(&format!(".{word}`"));
        accepts.split_once(" = ").filter(|_| known)
    };
    let (_, behind) = own.or_else(first)?;
    Some((word, behind.split('`').next()?))
}

/// The word of those in quotation marks in `expected` that a misspelt one most likely means.
fn meant<'a>(found: &str, expected: &'a str) -> Option<&'a str> {
    let word = found.trim().strip_prefix('"')?.strip_suffix('"')?;
    let words = expected.split('"').skip(1).step_by(2);
    name::nearest(word, words).filter(|near| *near != word)
}

/// The word and the candidates of "unknown field `x`, expected `a` or `b`".
fn unknown<'a>(message: &'a str, start: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let rest = message.strip_prefix(start)?;
    let (word, expected) = rest.rsplit_once("`, expected ")?;
    let candidates = expected.split('`').skip(1).step_by(2).collect();
    Some((word, candidates))
}

/// What serde expected, without its names for types.
fn expected<'a>(message: &'a str, accepts: &'a str) -> &'a str {
    let invalid = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    let words = message
        .rsplit_once("expected ")
        .map_or("", |(_, words)| words)
        .trim();
    match words {
        _ if !invalid => accepts,
        "u32" | "u64" => "a whole number from 0 to 4294967295",
        "f64" | "f32" => "a number",
        "a boolean" => "`true` or `false`",
        "a string" | "" => accepts,
        w if w.starts_with("the ") => w,
        w if w.starts_with("a ") && !w.starts_with("a sequence") && !w.starts_with("a map") => w,
        w if w.starts_with('`') => w,
        _ => accepts,
    }
}

/// Extends `path` by the keys that lead to the key or value at a place.
fn locate(value: &DeValue<'_>, span: &Span, path: &mut Vec<String>) -> bool {
    match value {
        DeValue::Table(table) => table.iter().any(|(key, value)| {
            path.push(key.get_ref().to_string());
            let here = key.span() == *span || value.span() == *span;
            let found = here || locate(value.get_ref(), span, path);
            if !found {
                path.pop();
            }
            found
        }),
        DeValue::Array(items) => items
            .iter()
            .any(|item| item.span() == *span || locate(item.get_ref(), span, path)),
        _ => false,
    }
}

/// The place of a key inside a value, such as `nesterov` in `optimizer`; for mistakes between two keys.
pub(crate) fn place(value: &DeValue<'_>, keys: &[&str]) -> Option<Span> {
    let (first, rest) = keys.split_first()?;
    let inner = value.as_table()?.get(*first)?;
    if rest.is_empty() {
        return Some(inner.span());
    }
    place(inner.get_ref(), rest)
}

/// Puts a number where a text stands in its place, so that what else is wrong is told as if there were one; false where the
/// mistake is another.
pub(crate) fn repair(value: &mut DeValue<'_>, span: &Span, error: &Error) -> bool {
    let message = error.message();
    if !message.starts_with("invalid type: string") || !message.contains("number") {
        return false;
    }
    let DeValue::Table(table) = value else {
        return false;
    };
    let keys: Vec<_> = table.keys().map(|key| key.get_ref().to_string()).collect();
    keys.iter().any(|key| {
        let Some(inner) = table.get_mut(key.as_str()) else {
            return false;
        };
        if inner.span() != *span {
            return repair(inner.get_mut(), span, error);
        }
        let one = DeValue::parse("1").ok();
        one.map(|one| *inner.get_mut() = one.into_inner()).is_some()
    })
}

/// Takes the key or item at a place out of a value; false where there is none below the value itself.
pub(crate) fn take_out(value: &mut DeValue<'_>, span: &Span) -> bool {
    match value {
        DeValue::Table(table) => {
            let hit = table
                .iter()
                .find(|(key, value)| key.span() == *span || value.span() == *span)
                .map(|(key, _)| key.get_ref().to_string());
            if let Some(key) = hit {
                return table.remove(key.as_str()).is_some();
            }
            let keys: Vec<_> = table.keys().map(|k| k.get_ref().to_string()).collect();
            keys.iter().any(|key| {
                table
                    .get_mut(key.as_str())
                    .is_some_and(|value| take_out(value.get_mut(), span))
            })
        }
        DeValue::Array(items) => {
            let mut list: Vec<_> = std::mem::replace(items, DeArray::new())
                .into_iter()
                .collect();
            let hit = list.iter().position(|item| item.span() == *span);
            let done = match hit {
                Some(at) => {
                    list.remove(at);
                    true
                }
                None => list.iter_mut().any(|item| take_out(item.get_mut(), span)),
            };
            *items = list.into_iter().collect();
            done
        }
        _ => false,
    }
}
