//! Paths as written in a pipeline file: `${VAR}`, `${VAR:-default}`, and what they are relative to.

use std::path::Path;

use toml::Spanned;

use super::{
    data_path::DataPath,
    file::{File, Span},
};
use crate::{spelt, text::shown};

/// Where the variables come from.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is wrong with a variable.
pub(crate) struct Unknown {
    /// Where it stands.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: String,
}

/// A path of data or of a model file, relative to the root of the file it is written in.
pub(crate) fn data_path(
    file: &File,
    written: &Spanned<String>,
    lookup: Lookup<'_>,
) -> Result<DataPath, Unknown> {
    let span = written.span();
    if written.get_ref().is_empty() {
        return Err(Unknown {
            span,
            message: "the path is empty".to_owned(),
            help: "write a path relative to the project's root, such as `data/kfood_train`"
                .to_owned(),
        });
    }
    let expanded = expand(written.get_ref(), &span, &file.text, lookup)?;
    if expanded.is_empty() {
        return Err(Unknown {
            message: format!("the path `{}` is empty here", shown(written.get_ref())),
            help: "give the variable a default that is a path, or set it".to_owned(),
            span,
        });
    }
    let path = spelt::existing(file.root.join(&expanded).components().collect());
    if let Some((message, help)) = of_elsewhere(&expanded, &path) {
        return Err(Unknown {
            span,
            message,
            help,
        });
    }
    Ok(DataPath {
        written: written.get_ref().clone(),
        path,
        root: file.root.clone(),
        location: file.location(&span),
    })
}

/// What is wrong with a path that is written as a shell or Windows would take it, and the way out; nothing if it is there as
/// it is written.
pub(crate) fn of_elsewhere(written: &str, path: &Path) -> Option<(String, String)> {
    if path.exists() {
        return None;
    }
    if written.chars().any(char::is_control) {
        return Some((
            format!("the path `{}` holds a control character, and nothing is there", shown(written)),
            "write it with `/`: in double quotes of a pipeline file a `\\` begins an escape such as `\\t`"
                .to_owned(),
        ));
    }
    let forms = [
        of_windows,
        an_address,
        of_a_home,
        without_braces,
        with_backslashes,
    ];
    forms.iter().find_map(|form| form(written))
}

/// `C:\photos`.
fn of_windows(written: &str) -> Option<(String, String)> {
    let mut letters = written.chars();
    let (letter, colon) = (letters.next()?, letters.next()?);
    let drive = letter.is_ascii_alphabetic() && colon == ':';
    if !drive || !written[2..].starts_with(['/', '\\']) {
        return None;
    }
    let below = written[2..].replace('\\', "/");
    let mounted = format!("/mnt/{}{below}", letter.to_ascii_lowercase());
    Some((
        format!(
            "`{}` is a path of Windows, and none on this system",
            shown(written)
        ),
        format!(
            "write where it lies here; in WSL that is `{}`",
            shown(&mounted)
        ),
    ))
}

/// `https://…`, `file://…`.
fn an_address(written: &str) -> Option<(String, String)> {
    let (scheme, rest) = written.split_once("://")?;
    if !scheme.chars().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let help = match scheme {
        "file" => format!("write the path alone: `{}`", shown(rest)),
        _ => "download it, and name the file or folder".to_owned(),
    };
    let named = shown(written);
    let message = format!("`{named}` is an address, and what lies on this machine is read");
    Some((message, help))
}

/// `~/photos`.
fn of_a_home(written: &str) -> Option<(String, String)> {
    let rest = written.strip_prefix('~')?;
    let below = rest.is_empty() || rest.starts_with('/');
    let named = shown(written);
    Some((
        format!("`~` in `{named}` is for a shell to replace; here it is a name like others"),
        format!(
            "write `${{HOME}}{}`",
            shown(if below { rest } else { "/…" })
        ),
    ))
}

/// `$DATA/photos`.
fn without_braces(written: &str) -> Option<(String, String)> {
    let rest = &written[written.find('$')? + 1..];
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let name = &rest[..rest.find(ends).unwrap_or(rest.len())];
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let meant = written.replacen(&format!("${name}"), &format!("${{{name}}}"), 1);
    Some((
        format!(
            "`${name}` in `{}` is not replaced without braces",
            shown(written)
        ),
        format!("write `{}`", shown(&meant)),
    ))
}

/// `photos\train`.
fn with_backslashes(written: &str) -> Option<(String, String)> {
    let named = shown(written);
    written.contains('\\').then(|| {
        (
            format!("`{named}` is written with `\\`, which separates no folders here"),
            format!("write `{}`", shown(&written.replace('\\', "/"))),
        )
    })
}

/// Replaces `${VAR}` by the variable and `${VAR:-default}` by the default where it is unset or empty, as a shell does.
pub(crate) fn expand(
    written: &str,
    span: &Span,
    text: &str,
    lookup: Lookup<'_>,
) -> Result<String, Unknown> {
    let mut path = String::new();
    let mut rest = written;
    while let Some(start) = rest.find("${") {
        path.push_str(&rest[..start]);
        let Some(end) = rest[start..].find('}') else {
            return Err(Unknown {
                span: within(&rest[start..], span, text),
                message: "`${` without `}`".to_owned(),
                help: "write `${VAR}` or `${VAR:-default}`".to_owned(),
            });
        };
        let whole = &rest[start..=start + end];
        let inner = &whole[2..whole.len() - 1];
        let (variable, default) = match inner.split_once(":-") {
            Some((variable, default)) => (variable, Some(default)),
            None => (inner, None),
        };
        if default.is_some_and(|default| default.contains("${")) {
            return Err(Unknown {
                span: within(whole, span, text),
                message: format!("`{whole}` holds a variable within a variable"),
                help: "give a default that is a path: `${VAR:-data}`".to_owned(),
            });
        }
        // The environment refuses to be asked for such names.
        let valid = !variable.is_empty() && !variable.contains(['=', '\0']);
        let value = lookup_set(variable, valid, lookup);
        match value.as_deref().or(default) {
            Some(value) => path.push_str(value),
            None if !valid => {
                return Err(Unknown {
                    span: within(whole, span, text),
                    message: format!("`{whole}` does not name a variable"),
                    help: "write `${VAR}` or `${VAR:-default}`".to_owned(),
                });
            }
            None => {
                return Err(Unknown {
                    span: within(whole, span, text),
                    message: format!("the environment variable `{variable}` is not set"),
                    help: format!(
                        "set it (`export {variable}=/path/to/it`), or give a default: `${{{variable}:-data}}`"
                    ),
                });
            }
        }
        rest = &rest[start + end + 1..];
    }
    path.push_str(rest);
    Ok(path)
}

fn lookup_set(variable: &str, valid: bool, lookup: Lookup<'_>) -> Option<String> {
    if !valid {
        return None;
    }
    lookup(variable).filter(|value| !value.is_empty())
}

/// The place of a piece of a string, if the text holds it as it is.
fn within(piece: &str, span: &Span, text: &str) -> Span {
    let slice = text.get(span.clone()).unwrap_or_default();
    match slice.find(piece) {
        Some(at) => span.start + at..span.start + at + piece.len(),
        None => span.clone(),
    }
}
