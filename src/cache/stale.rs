//! Why a stage has to run: its key document against the nearest earlier one.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

use super::{Changes, KeyDocument, Record, key::write};
use crate::{
    digest::Digest,
    text::{plural, shown},
};

/// One reason for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// This pipeline file has run no state of it that it could be compared with.
    NeverRun,
    /// It failed when it was run last.
    Failed {
        /// How long ago, in words.
        ago: String,
        /// The first line of why.
        why: String,
    },
    /// A setting has another value; `None` where it was or is not there.
    Setting {
        /// Its place, such as `optimizer.sgd.lr`.
        name: String,
        /// As JSON.
        old: Option<String>,
        /// As JSON.
        new: Option<String>,
    },
    /// What an input holds has changed.
    Input {
        /// Its role.
        role: String,
        /// The stage that gives it, where that is known.
        source: Option<String>,
        /// How it changed, where that is known.
        what: Option<String>,
        /// The digest before, `None` if it was not there.
        old: Option<Digest>,
        /// The digest now, `None` if it is not there.
        new: Option<Digest>,
    },
    /// Files behind an input have changed.
    Files {
        /// Its role.
        role: String,
        /// Which ones.
        changes: Changes,
        /// What they ask for now, where that is known.
        what: Option<String>,
    },
    /// The implementation, libtorch or the key's format has another version.
    Version {
        /// Of what.
        what: String,
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The result is there and cannot be used.
    Damaged(String),
    /// The remote cache was said to have it, and it could not be fetched.
    NotFetched(NotFetched),
    /// Asked for with `--force`.
    Forced,
    /// Not why, but how: what is taken over from an earlier result, or why nothing is.
    Earlier(String),
}

/// Why a result of a remote cache could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFetched {
    /// It is no longer there.
    Gone,
    /// Something of it is lost or damaged.
    Damaged,
    /// The remote cache cannot be reached, or does not let it be read.
    Unreachable,
}

/// What has a version of its own in every key: the implementation of a kind of stages.
const STAGE: &str = "version of the stage";

impl Reason {
    /// Whether kfood itself does this kind of stage otherwise than before.
    #[must_use]
    pub fn is_own_version(&self) -> bool {
        matches!(self, Self::Version { what, .. } if what == STAGE)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |value: &Option<String>| {
            let value = value.as_deref().and_then(in_toml);
            value.unwrap_or_else(|| "(none)".to_owned())
        };
        match self {
            Self::NeverRun => f.write_str("never run"),
            Self::Failed { ago, why } => write!(f, "failed {ago} ago: {why}"),
            Self::NotFetched(why) => f.write_str(match why {
                NotFetched::Gone => "its result has left the remote cache",
                NotFetched::Damaged => "its result in the remote cache is damaged",
                NotFetched::Unreachable => {
                    "the remote cache, which has its result, cannot be reached"
                }
            }),
            Self::Setting { name, old, new } => {
                write!(f, "`{name}` {} -> {}", or_none(old), or_none(new))
            }
            Self::Input {
                role,
                source,
                what,
                old,
                new,
            } => {
                let verb = match (old, new) {
                    (None, _) => "new",
                    (_, None) => "gone",
                    _ => "changed",
                };
                write!(f, "input `{}`", role.replace('_', "-"))?;
                if let Some(source) = source {
                    write!(f, " of `{source}`")?;
                }
                write!(f, " {verb}")?;
                what.as_ref().map_or(Ok(()), |what| write!(f, ": {what}"))
            }
            Self::Files {
                role,
                changes,
                what,
            } => {
                write!(f, "input `{role}`: {}", files_changed(changes))?;
                what.as_ref().map_or(Ok(()), |what| write!(f, "; {what}"))
            }
            Self::Version { what, old, new } if what == STAGE => {
                write!(
                    f,
                    "kfood's own version of this stage is new ({old} -> {new})"
                )
            }
            Self::Version { what, old, new } => write!(f, "{what} {old} -> {new}"),
            Self::Damaged(what) | Self::Earlier(what) => f.write_str(what),
            Self::Forced => f.write_str("forced"),
        }
    }
}

/// A value of JSON as a pipeline file has it; `None` for `null`.
#[must_use]
pub fn in_toml(json: &str) -> Option<String> {
    fn of(value: &Value) -> Option<String> {
        match value {
            Value::Null => None,
            Value::Object(map) => {
                let one = |(key, value): (&String, &Value)| Some(format!("{key} = {}", of(value)?));
                let all: Vec<_> = map.iter().filter_map(one).collect();
                Some(match all.is_empty() {
                    true => "{}".to_owned(),
                    false => format!("{{ {} }}", all.join(", ")),
                })
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().filter_map(of).collect();
                Some(format!("[{}]", items.join(", ")))
            }
            other => Some(other.to_string()),
        }
    }
    serde_json::from_str(json).map_or_else(|_| Some(json.to_owned()), |value| of(&value))
}

/// "2 files changed: `a.jpg`, `b.jpg`; 1 file added: `c.jpg`".
fn files_changed(changes: &Changes) -> String {
    let told = |(word, names): (&str, &Vec<String>)| {
        let first = names.iter().take(3).map(|n| format!("`{}`", shown(n)));
        let first: Vec<_> = first.collect();
        let more = if names.len() > 3 { ", …" } else { "" };
        let (n, files) = (names.len(), plural(names.len(), "file"));
        (n > 0).then(|| format!("{n} {files} {word}: {}{more}", first.join(", ")))
    };
    let kinds = [
        ("changed", &changes.changed),
        ("added", &changes.added),
        ("removed", &changes.removed),
    ];
    let told: Vec<_> = kinds.into_iter().filter_map(told).collect();
    if told.is_empty() {
        return "listed again".to_owned();
    }
    told.join("; ")
}

/// How much a record of another stage or pipeline may differ to be worth comparing with: beyond it, the stage is new.
pub(super) const FAR: usize = 4;

/// Whether an input is the same in both, or both have none.
pub(super) fn shares_input(a: &KeyDocument, b: &KeyDocument) -> bool {
    let same = |(role, digest): (&String, &Digest)| b.inputs.get(role) == Some(digest);
    a.inputs.iter().any(same) || (a.inputs.is_empty() && b.inputs.is_empty())
}

/// Why `document` is not the earlier one. `changes` tells of the files behind a role, where both listings are known.
#[must_use]
pub fn reasons(
    earlier: Option<&Record>,
    document: &KeyDocument,
    changes: &dyn Fn(&Record, &str) -> Option<Changes>,
) -> Vec<Reason> {
    let Some(earlier) = earlier else {
        return vec![Reason::NeverRun];
    };
    let with_files = |reason: Reason| match reason {
        Reason::Input { ref role, .. } => match changes(earlier, role) {
            Some(changes) => Reason::Files {
                role: role.clone(),
                changes,
                what: None,
            },
            None => reason,
        },
        other => other,
    };
    differences(&earlier.document, document)
        .into_iter()
        .map(with_files)
        .collect()
}

/// Whether two settings ask for the same.
#[must_use]
pub fn same_settings(old: &Value, new: &Value) -> bool {
    let mut found = Vec::new();
    settings("", Some(old), Some(new), &mut found);
    found.is_empty()
}

pub(super) fn differences(old: &KeyDocument, new: &KeyDocument) -> Vec<Reason> {
    let mut found = Vec::new();
    let mut version = |what: &str, old: String, new: String| {
        if old != new {
            let what = what.to_owned();
            found.push(Reason::Version { what, old, new });
        }
    };
    let libtorch = |d: &KeyDocument| d.libtorch.clone().unwrap_or_else(|| "(none)".to_owned());
    version("key format", old.format.to_string(), new.format.to_string());
    version(STAGE, old.version.to_string(), new.version.to_string());
    version("libtorch", libtorch(old), libtorch(new));
    settings("", Some(&old.settings), Some(&new.settings), &mut found);
    let roles: BTreeSet<_> = old.inputs.keys().chain(new.inputs.keys()).collect();
    for role in roles {
        let (old, new) = (old.inputs.get(role).copied(), new.inputs.get(role).copied());
        if old != new {
            found.push(Reason::Input {
                role: role.clone(),
                source: None,
                what: None,
                old,
                new,
            });
        }
    }
    found
}

/// Walks two settings side by side down to the first values that differ. Values are compared by their canonical text: one
/// of them was read from a file, and reading may round the last digit of a float.
fn settings(name: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Reason>) {
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (old, new) {
        let common = before.keys().any(|key| after.contains_key(key));
        if name.is_empty() || common || before.len() + after.len() > 2 {
            let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let inner = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                settings(&inner, before.get(key), after.get(key), found);
            }
            return;
        }
    }
    let text = |value: Option<&Value>| {
        value.map(|value| {
            let mut text = String::new();
            // Once through text, so that both sides went through the same reading.
            let read = serde_json::from_str(&value.to_string()).unwrap_or_else(|_| value.clone());
            write(&read, &mut text);
            text
        })
    };
    let (old, new) = (text(old), text(new));
    if old != new {
        found.push(Reason::Setting {
            name: name.to_owned(),
            old,
            new,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(old: Value, new: Value) -> Vec<String> {
        let mut found = Vec::new();
        settings("", Some(&old), Some(&new), &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_setting_is_named_with_both_values() {
        let of = |lr: f64| serde_json::json!({"optimizer": {"sgd": {"lr": lr, "momentum": 0.9}}, "epochs": 5});
        assert_eq!(
            said(of(0.001), of(0.01)),
            ["`optimizer.sgd.lr` 0.001 -> 0.01"]
        );
        assert!(said(of(0.005), of(0.005)).is_empty());
    }

    #[test]
    fn another_variant_is_shown_whole_and_a_new_setting_has_no_old_value() {
        let old = serde_json::json!({"optimizer": {"sgd": {"lr": 0.1}}});
        let new = serde_json::json!({"optimizer": {"adam": {"lr": 0.1}}, "seed": 1});
        assert_eq!(
            said(old, new),
            [
                "`optimizer` { sgd = { lr = 0.1 } } -> { adam = { lr = 0.1 } }",
                "`seed` (none) -> 1"
            ]
        );
    }

    #[test]
    fn files_are_named_and_counted() {
        let names = |n: usize| (0..n).map(|i| format!("{i}.jpg")).collect();
        let changes = Changes {
            changed: names(4),
            added: names(1),
            removed: Vec::new(),
        };
        let said = Reason::Files {
            role: "images".to_owned(),
            changes,
            what: None,
        }
        .to_string();
        assert_eq!(
            said,
            "input `images`: 4 files changed: `0.jpg`, `1.jpg`, `2.jpg`, …; 1 file added: `0.jpg`"
        );
    }
}
