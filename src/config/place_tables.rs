//! The tables of a file with settings of a place.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    about::{About, KINDS},
    derive::derive,
    file::File,
    mistake::Found,
    path::{Lookup, expand},
    place_whence::{Said, Whence},
    wording,
};
use crate::settings::{
    CacheSettingsRead, ExecutorSettingsRead, NeedsSettingsRead, RunSettingsRead, SlurmSettingsRead,
    declare::Source,
};

/// What holds for jobs of every kind of stage.
pub(super) const SLURM: &str = "executor.slurm";

/// What holds for those of one kind.
pub(super) fn of_kind(kind: &About) -> String {
    format!("{SLURM}.{}", kind.name)
}

/// What stages of one kind take of this machine.
pub(super) fn run_of_kind(kind: &About) -> String {
    format!("run.{}", kind.name)
}

/// Settings in which `${VAR}` is replaced.
const EXPANDED: [&str; 2] = ["cache.folder", "cache.remote"];

/// What a file says. Mistakes are noted under its number.
pub(super) fn read(
    number: usize,
    file: &File,
    document: Spanned<DeTable<'_>>,
    lookup: Lookup<'_>,
    found: &mut Found,
) -> Said {
    let mut reader = Reader {
        number,
        file,
        lookup,
        found,
        said: Said::new(),
    };
    let mut top = Open::new("", document.into_inner());
    if let Some(mut run) = reader.table(&mut top, "run") {
        let _ = RunSettingsRead::take(&mut Fields(&mut reader, &mut run));
        for kind in &KINDS {
            if let Some(mut of_kind) = reader.table(&mut run, kind.name) {
                let _ = NeedsSettingsRead::take(&mut Fields(&mut reader, &mut of_kind));
                reader.refuse_others(of_kind, &[]);
            }
        }
        reader.refuse_others(run, &About::names());
    }
    if let Some(mut cache) = reader.table(&mut top, "cache") {
        let _ = CacheSettingsRead::take(&mut Fields(&mut reader, &mut cache));
        reader.refuse_others(cache, &[]);
    }
    if let Some(executor) = reader.table(&mut top, "executor") {
        reader.executor(executor);
    }
    reader.refuse_others(top, &[]);
    reader.said
}

/// A table of which not every key is taken yet.
struct Open<'i> {
    /// Its path: `executor.slurm`; empty for the whole file.
    path: String,
    entries: DeTable<'i>,
    known: Vec<&'static str>,
}

impl<'i> Open<'i> {
    fn new(path: &str, entries: DeTable<'i>) -> Self {
        Self {
            path: path.to_owned(),
            entries,
            known: Vec::new(),
        }
    }

    fn below(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}

struct Reader<'a> {
    number: usize,
    file: &'a File,
    lookup: Lookup<'a>,
    found: &'a mut Found,
    said: Said,
}

impl<'i> Reader<'_> {
    /// A table within a table.
    fn table(&mut self, within: &mut Open<'i>, key: &'static str) -> Option<Open<'i>> {
        within.known.push(key);
        let (name, value) = within.entries.remove_entry(key)?;
        let path = within.below(key);
        match value.into_inner() {
            DeValue::Table(entries) => Some(Open::new(&path, entries)),
            _ => {
                let message = format!("`{path}` is a table");
                let help = format!("write `[{path}]`, and its settings below");
                self.found
                    .add(self.number, &name.span(), message, Some(help));
                None
            }
        }
    }

    fn executor(&mut self, mut executor: Open<'i>) {
        let read = ExecutorSettingsRead::take(&mut Fields(self, &mut executor));
        for kind in read.local.into_iter().flat_map(Spanned::into_inner) {
            if About::named(kind.get_ref()).is_none() {
                let message = format!("`{}` is no kind of stage", kind.get_ref());
                let help = wording::accepted(kind.get_ref(), About::names());
                self.found
                    .add(self.number, &kind.span(), message, Some(help));
            }
        }
        if let Some(mut slurm) = self.table(&mut executor, "slurm") {
            let _ = SlurmSettingsRead::take(&mut Fields(self, &mut slurm));
            for kind in &KINDS {
                if let Some(mut of_kind) = self.table(&mut slurm, kind.name) {
                    let _ = SlurmSettingsRead::take(&mut Fields(self, &mut of_kind));
                    self.refuse_others(of_kind, &[]);
                }
            }
            self.refuse_others(slurm, &About::names());
        }
        self.refuse_others(executor, &[]);
    }

    /// Notes the keys that nobody took. Names of kinds are accepted as well, and told after the settings.
    fn refuse_others(&mut self, open: Open<'_>, kinds: &[&'static str]) {
        let mut known = open.known.clone();
        known.sort_by_key(|key| kinds.contains(key));
        for (key, value) in &open.entries {
            let word = key.get_ref().as_ref();
            let (message, help) = match open.path.as_str() {
                "" if About::named(word).is_some() && value.get_ref().is_table() => (
                    format!("`{word}` is a kind of stage, and this file holds settings of a place"),
                    "a pipeline has another name than `kfood.toml`, such as `pipelines/mission1.toml`"
                        .to_owned(),
                ),
                "" => (
                    format!("unknown key `{word}`"),
                    wording::accepted(word, known.clone()),
                ),
                path => (
                    format!("unknown key `{word}` in `{path}`"),
                    wording::accepted(word, known.clone()),
                ),
            };
            self.found
                .add(self.number, &key.span(), message, Some(help));
        }
    }

    /// What is kept of a value: as it is written, with variables replaced where it may hold any.
    fn keep(&mut self, path: String, value: &Spanned<DeValue<'i>>) {
        let span = value.span();
        let plain = Value::deserialize(ValueDeserializer::from(value.clone()));
        let Ok(mut plain) = plain else { return };
        if let (true, Some(written)) = (EXPANDED.contains(&path.as_str()), plain.as_str()) {
            match expand(written, &span, &self.file.text, self.lookup) {
                Ok(expanded) => plain = Value::from(expanded),
                Err(unknown) => {
                    let help = Some(unknown.help);
                    self.found
                        .add(self.number, &unknown.span, unknown.message, help);
                }
            }
        }
        let whence = Whence::File(self.file.location(&span));
        self.said.insert(path, (plain, whence));
    }
}

/// The fields of a table, as its declaration takes them.
struct Fields<'r, 'a, 'i>(&'r mut Reader<'a>, &'r mut Open<'i>);

impl Source for Fields<'_, '_, '_> {
    fn value<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        accepts: &dyn Fn() -> String,
    ) -> Option<Spanned<T>> {
        let Self(reader, open) = self;
        open.known.push(key);
        let (_, value) = open.entries.remove_entry(key)?;
        let text = reader.file.text.as_str();
        let number = reader.number;
        let found = &mut *reader.found;
        let typed = derive(key, &value, text, accepts, &mut |told| {
            found.add(number, &told.span, told.message, told.help);
        });
        reader.keep(open.below(key), &value);
        Some(Spanned::new(value.span(), typed?))
    }

    fn must_have(&mut self, _: &'static str, _: &dyn Fn() -> String) {
        // A file need not say anything.
    }
}
