//! The language that a person reads.

use std::env;

use clap::ValueEnum;

use crate::report::Language;

/// Languages of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Lang {
    /// Korean.
    Ko,
    /// English.
    En,
}

/// The one that is asked for; else, for a page, that of the environment. What programs may read stays in English.
pub(super) fn of(asked: Option<Lang>, page: bool) -> Language {
    match asked {
        Some(Lang::Ko) => Language::Korean,
        Some(Lang::En) => Language::English,
        None if page => of_environment(),
        None => Language::English,
    }
}

/// As locales are looked up: the first of these that is set counts.
fn of_environment() -> Language {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let set = names.iter().filter_map(|name| env::var(name).ok());
    let first = set.into_iter().find(|value| !value.is_empty());
    match first {
        Some(locale) if locale == "ko" || locale.starts_with("ko_") => Language::Korean,
        _ => Language::English,
    }
}
