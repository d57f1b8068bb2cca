//! The headers of stages: which stages there are, of which kind, and the table of each instance.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    about::About,
    file::{File, Span},
    files::used_first,
    matrix::{self, Matrix},
    mistake::Found,
    path::Lookup,
    wording,
};
use crate::{name, seed::Seed};

/// Every stage of every file, by name, before its fields are read.
pub(crate) struct Outline<'i> {
    /// The files; the first is the one that was asked for.
    pub files: &'i [File],
    /// The seed of each file.
    pub seeds: Vec<Seed>,
    /// For each file its stages by name.
    pub names: Vec<BTreeMap<String, usize>>,
    /// All stages; used files first, then in the order of the file.
    pub heads: Vec<Head<'i>>,
    /// Where variables come from.
    pub lookup: Lookup<'i>,
}

/// One stage as written.
pub(crate) struct Head<'i> {
    /// The number of its file.
    pub file: usize,
    /// Its name in that file.
    pub name: String,
    /// Its kind, the nearest one if that is misspelt; `None` if none is near.
    pub kind: Option<&'static About>,
    /// Where its name stands.
    pub span: Span,
    /// Its instances as `matrix` says.
    pub matrix: Matrix<'i>,
}

/// Reads the headers of all files.
pub(crate) fn read<'i>(files: &'i [File], lookup: Lookup<'i>, found: &mut Found) -> Outline<'i> {
    let mut outline = Outline {
        files,
        seeds: vec![0; files.len()],
        names: vec![BTreeMap::new(); files.len()],
        heads: Vec::new(),
        lookup,
    };
    for file in used_first(files) {
        outline.read_file(file, found);
    }
    outline
}

impl<'i> Outline<'i> {
    fn read_file(&mut self, file: usize, found: &mut Found) {
        let (document, _) = DeTable::parse_recoverable(&self.files[file].text);
        let mut stages = Vec::new();
        for (key, value) in document.into_inner() {
            match key.get_ref().as_ref() {
                "use" => {}
                "seed" => self.seeds[file] = seed(file, &self.files[file].text, value, found),
                word => {
                    let kind = About::named(word);
                    let text = word.to_owned();
                    stages.extend(tables(file, kind, &text, &key.span(), value, found));
                }
            }
        }
        stages.sort_by_key(|(key, ..)| key.span().start);
        for (key, kind, table) in stages {
            self.add(file, &key, kind, table, found);
        }
    }

    fn add(
        &mut self,
        file: usize,
        key: &Spanned<String>,
        kind: Option<&'static About>,
        table: DeTable<'i>,
        found: &mut Found,
    ) {
        let span = key.span();
        let name = name::nfc(key.get_ref());
        if let Err(message) = wording::check_name(&name) {
            found.add(file, &span, message, None);
            return;
        }
        if let Some(first) = self.names[file].get(&name) {
            let first = &self.heads[*first];
            let line = self.files[file].location(&first.span).line;
            let kind = first.kind.map_or("stage", |kind| kind.name);
            let message =
                format!("two stages are called `{name}`: the {kind} in line {line} is the first");
            let help = "names are unique in a file, whatever their kind; rename one of them";
            found.add(file, &span, message, Some(help.to_owned()));
            return;
        }
        if self.files[file].uses.iter().any(|u| u.alias == name) {
            let message = format!("`{name}` is a file in `[use]` and a stage");
            let help = "names and aliases are unique in a file; rename one of them";
            found.add(file, &span, message, Some(help.to_owned()));
        }
        self.names[file].insert(name.clone(), self.heads.len());
        self.heads.push(Head {
            file,
            name,
            kind,
            span,
            matrix: matrix::expand(file, table, found),
        });
    }

    /// A stage's name as the first file would write it: `deeper` or `mission2.deeper`.
    pub(crate) fn full_name(&self, stage: usize) -> String {
        let head = &self.heads[stage];
        format!("{}{}", self.files[head.file].prefix, head.name)
    }
}

fn seed(file: usize, text: &str, value: Spanned<DeValue<'_>>, found: &mut Found) -> Seed {
    u32::deserialize(ValueDeserializer::from(value.clone())).unwrap_or_else(|error| {
        let accepts = "a whole number from 0 to 4294967295";
        let told = wording::value(&error, "seed", &value, text, accepts);
        found.add(file, &told.span, told.message, told.help);
        0
    })
}

/// The stages of one kind: name, kind, table.
type Tables<'i> = Vec<(Spanned<String>, Option<&'static About>, DeTable<'i>)>;

fn tables<'i>(
    file: usize,
    kind: Option<&'static About>,
    word: &str,
    span: &Span,
    value: Spanned<DeValue<'i>>,
    found: &mut Found,
) -> Tables<'i> {
    let value = value.into_inner();
    let kinds = About::names();
    if kind.is_none() {
        let (message, candidates): (_, Vec<_>) = if value.is_table() || value.is_array() {
            (format!("unknown kind of stage `{word}`"), kinds.clone())
        } else {
            let keys = ["seed", "use"].into_iter().chain(kinds.iter().copied());
            (format!("unknown key `{word}`"), keys.collect())
        };
        found.add(
            file,
            span,
            message,
            Some(wording::accepted(word, candidates)),
        );
    }
    // A misspelt kind is read as the nearest one, so that what is wrong inside comes to light in the same go.
    let likely = kind.or_else(|| name::nearest(word, kinds).and_then(About::named));
    let DeValue::Table(table) = value else {
        if kind.is_some() {
            let message = format!("`{word}` is a kind of stage, not a setting");
            let help = format!("begin a stage with its kind and its name: `[{word}.my_{word}]`");
            found.add(file, span, message, Some(help));
        }
        return Vec::new();
    };
    let mut nameless = None;
    let mut stages = Vec::new();
    for (name, value) in table {
        let at = name.span();
        let name = Spanned::new(at.clone(), name.into_inner().into_owned());
        match value.into_inner() {
            DeValue::Table(table) => stages.push((name, likely, table)),
            _ if kind.is_some() => {
                let earlier = nameless.take_if(|(first, _): &mut (Span, _)| first.start < at.start);
                nameless = earlier.or(Some((at, name.into_inner())));
            }
            _ => {}
        }
    }
    if let Some((at, key)) = nameless {
        let message = format!("`{key}` stands in `{word}` itself, not in a stage");
        let help = format!("begin a stage with its kind and its name: `[{word}.my_{word}]`");
        found.add(file, &at, message, Some(help));
    }
    stages
}
