//! The settings of a place: `kfood.toml` of a project over the file of a person, under the environment and the command line. None of
//! them is in a key.
//!
//! A project's file is the nearest `kfood.toml` upward from the pipeline file, or from the working folder where a command names no
//! pipeline. A person's own is `kfood/config.toml` in `XDG_CONFIG_HOME`, else in `~/.config`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    about::{About, KINDS},
    file::File,
    location::Location,
    mistake::{Found, Mistakes},
    path::Lookup,
    place_tables as tables,
    place_whence::{Said, Whence},
    root,
    text_file::{self, Expected},
};
use crate::settings::{
    CacheSettings, ExecutorSettings, NeedsSettings, RunSettings, SlurmSettings,
    declare::{Described, Table, toml_text},
};

/// A project's file.
pub const PROJECT_FILE: &str = "kfood.toml";

/// Environment variables that stand for a setting.
const ENVIRONMENT: [(&str, &str); 1] = [("KFOOD_CACHE", "cache.folder")];

/// What is in effect at a place.
#[derive(Clone, Debug)]
pub struct Place {
    /// How pipelines are run.
    pub run: RunSettings,
    /// Where results are kept.
    pub cache: CacheSettings,
    /// Where stages run.
    pub executor: ExecutorSettings,
    /// What jobs of Slurm ask for, by kind of stage.
    pub slurm: BTreeMap<&'static str, SlurmSettings>,
    /// What stages take of this machine, by kind of stage.
    pub needs: BTreeMap<&'static str, NeedsSettings>,
    /// What was said.
    said: Said,
    /// The files that were looked for: a project's own where there is one, and a person's.
    pub files: Vec<PlaceFile>,
}

/// A file with settings of a place.
#[derive(Clone, Debug)]
pub struct PlaceFile {
    /// Where it is or would be.
    pub path: PathBuf,
    /// Whether it is there.
    pub there: bool,
}

/// A setting with its value.
#[derive(Clone, Debug)]
pub struct InEffect {
    /// Its path: `executor.slurm.train.gpus`.
    pub setting: String,
    /// As in a file; where it has no value, what holds then, in words.
    pub value: Result<String, &'static str>,
    /// Where it was said.
    pub whence: Whence,
}

/// Reads the settings that hold for a pipeline file or a folder. Of the command line come those of `flags`, by path.
///
/// # Errors
/// All mistakes of both files.
pub fn place(
    of: &Path,
    flags: &[(&'static str, Value)],
    lookup: Lookup<'_>,
) -> Result<Place, Mistakes> {
    let wanted = [of_project(of), of_person(lookup)];
    let wanted: Vec<_> = wanted.into_iter().flatten().collect();
    let mut found = Found::default();
    let mut files = Vec::new();
    for file in wanted.iter().filter(|file| file.there) {
        files.push(open(&file.path)?);
    }
    let mut said = Said::new();
    // A person's file stands last, and gives way.
    for (number, file) in files.iter().enumerate().rev() {
        let document = text_file::parse(number, &file.text, &mut found);
        if !found.unreadable {
            said.extend(tables::read(number, file, document, lookup, &mut found));
        }
    }
    if !found.is_empty() {
        return Err(found.finish(&files));
    }
    for (variable, setting) in ENVIRONMENT {
        if let Some(value) = lookup(variable).filter(|value| !value.is_empty()) {
            let whence = Whence::Environment(variable);
            said.insert(setting.to_owned(), (Value::from(value), whence));
        }
    }
    for (setting, value) in flags {
        said.insert((*setting).to_owned(), (value.clone(), Whence::Flag));
    }
    match settled(&said, wanted) {
        Ok(place) => Ok(place),
        Err(error) => Err(does_not_fit(&said, &error)),
    }
}

/// What a file says was understood where it stands; this is of the environment and of the command line.
fn does_not_fit(said: &Said, error: &serde_json::Error) -> Mistakes {
    let fits = |(setting, value): &(&String, &(Value, Whence))| {
        let alone = Said::from([((*setting).clone(), (*value).clone())]);
        settled(&alone, Vec::new()).is_ok()
    };
    let culprit = said.iter().find(|pair| !fits(pair));
    let whole = Location::whole(PathBuf::from(PROJECT_FILE));
    let Some((setting, (value, whence))) = culprit else {
        let help = "`kfood config` shows what is said where: correct it there";
        return Mistakes::one(whole, error.to_string(), Some(help.to_owned()));
    };
    let value = toml_text(value).unwrap_or_default();
    let message = |by: &str| format!("{by} says `{value}` for `{setting}`: {error}");
    let (place, message, help) = match whence {
        Whence::Environment(name) => (
            PathBuf::from(*name),
            message(name),
            format!("set {name} to another value, or unset it"),
        ),
        Whence::File(location) => (
            location.file.clone(),
            message("it"),
            format!("give `{setting}` another value, or leave it out"),
        ),
        Whence::Flag | Whence::Default => (
            PathBuf::from("the command line"),
            message("it"),
            format!("give the option for `{setting}` another value, or leave it out"),
        ),
    };
    Mistakes::one(Location::whole(place), message, Some(help))
}

fn open(path: &Path) -> Result<File, Mistakes> {
    let expected = Expected {
        what: "a file with settings of a place",
        help: "make it readable, or move it away",
    };
    text_file::open(path, String::new(), &expected)
        .map_err(|unread| Mistakes::one(unread.location, unread.message, Some(unread.help)))
}

/// The nearest upward from a file or folder.
fn of_project(of: &Path) -> Option<PlaceFile> {
    let given = root::given(of).ok()?;
    let above = given.ancestors().skip(usize::from(!given.is_dir()));
    let mut candidates = above.map(|folder| folder.join(PROJECT_FILE));
    let path = candidates.find(|path| path.is_file())?;
    Some(PlaceFile { path, there: true })
}

/// As the XDG Base Directory Specification says: a relative `XDG_CONFIG_HOME` is none.
fn of_person(lookup: Lookup<'_>) -> Option<PlaceFile> {
    let folder = |name| lookup(name).map(PathBuf::from);
    let home = || Some(folder("HOME")?.join(".config"));
    let config = folder("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let path = config.or_else(home)?.join("kfood/config.toml");
    let there = path.is_file();
    Some(PlaceFile { path, there })
}

/// Typed values of what was said.
fn settled(said: &Said, files: Vec<PlaceFile>) -> serde_json::Result<Place> {
    let slurm = |kind: &About| {
        let own = tables::of_kind(kind);
        Ok((kind.name, typed(said, &[tables::SLURM, &own])?))
    };
    let needs = |kind: &About| Ok((kind.name, typed(said, &[&tables::run_of_kind(kind)])?));
    Ok(Place {
        run: typed(said, &["run"])?,
        cache: typed(said, &["cache"])?,
        executor: typed(said, &["executor"])?,
        slurm: KINDS.iter().map(slurm).collect::<serde_json::Result<_>>()?,
        needs: KINDS.iter().map(needs).collect::<serde_json::Result<_>>()?,
        said: said.clone(),
        files,
    })
}

/// The settings of some tables, of which later ones go before earlier ones.
fn typed<T: DeserializeOwned>(said: &Said, tables: &[&str]) -> serde_json::Result<T> {
    let mut fields = Map::new();
    for table in tables {
        for (path, (value, _)) in said {
            let field = path.strip_prefix(table).and_then(|f| f.strip_prefix('.'));
            if let Some(field) = field.filter(|field| !field.contains('.')) {
                fields.insert(field.to_owned(), value.clone());
            }
        }
    }
    serde_json::from_value(Value::Object(fields))
}

impl Place {
    /// Every setting, in the order of the declarations; those of one kind of stage where they are given.
    #[must_use]
    pub fn in_effect(&self) -> Vec<InEffect> {
        let mut all = Vec::new();
        let mut add = |prefix: &str, table: &Table, whole: bool| {
            for field in &table.fields {
                let setting = format!("{prefix}.{}", field.name);
                let (value, whence) = match self.said.get(&setting) {
                    Some((value, whence)) => {
                        (Ok(toml_text(value).unwrap_or_default()), whence.clone())
                    }
                    None if whole => (field.default.clone().ok_or(field.unset), Whence::Default),
                    None => continue,
                };
                all.push(InEffect {
                    setting,
                    value,
                    whence,
                });
            }
        };
        add("run", &RunSettings::table(), true);
        for kind in &KINDS {
            add(&tables::run_of_kind(kind), &NeedsSettings::table(), false);
        }
        add("cache", &CacheSettings::table(), true);
        add("executor", &ExecutorSettings::table(), true);
        add(tables::SLURM, &SlurmSettings::table(), true);
        for kind in &KINDS {
            add(&tables::of_kind(kind), &SlurmSettings::table(), false);
        }
        all
    }
}
