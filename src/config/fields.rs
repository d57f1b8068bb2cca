//! The fields of one stage instance, taken one by one, so that every mistake is found and not just the first.

use serde::de::DeserializeOwned;
use toml::{Spanned, de::DeTable};

use super::{
    about::Wants,
    data_path::DataPath,
    derive::derive,
    file::Span,
    heads::Outline,
    location::Location,
    mistake::Found,
    names::{PathText, StageName},
    path,
    reference::{self, Reference},
    wording,
};
use crate::{name, seed::Seed, settings::declare::Source};

/// A mistake that is told at the end, and not at all where one of the fields is there but misspelt.
struct Missing {
    keys: Vec<&'static str>,
    message: String,
    help: String,
}

/// The fields that are not taken yet.
pub(crate) struct Fields<'a, 'i> {
    /// Everything around.
    pub outline: &'a Outline<'i>,
    /// The stage.
    pub stage: usize,
    /// What it refers to, with the place of each reference.
    pub uses: Vec<(usize, Span)>,
    table: DeTable<'i>,
    taken: DeTable<'i>,
    known: Vec<&'static str>,
    missing: Vec<Missing>,
    found: &'a mut Found,
    sound: bool,
}

impl<'a, 'i> Fields<'a, 'i> {
    /// The fields of one instance.
    pub(crate) fn new(
        outline: &'a Outline<'i>,
        stage: usize,
        table: DeTable<'i>,
        found: &'a mut Found,
    ) -> Self {
        Self {
            outline,
            stage,
            uses: Vec::new(),
            table,
            taken: DeTable::new(),
            known: Vec::new(),
            missing: Vec::new(),
            found,
            sound: true,
        }
    }

    /// Where the stage's name stands.
    pub(crate) fn header(&self) -> Span {
        self.outline.heads[self.stage].span.clone()
    }

    /// Notes a mistake.
    pub(crate) fn tell(&mut self, span: &Span, message: impl Into<String>, help: Option<&str>) {
        self.sound = false;
        let file = self.outline.heads[self.stage].file;
        self.found.add(file, span, message, help.map(str::to_owned));
    }

    /// Where a field stands.
    pub(crate) fn place(&self, key: &str) -> Option<Span> {
        let entry = self.table.get_key_value(key);
        let (key, _) = entry.or_else(|| self.taken.get_key_value(key))?;
        Some(key.span())
    }

    /// Where something inside a field stands that was read, by the keys that lead to it; else where the stage's name does.
    pub(crate) fn inside(&self, keys: &[&str]) -> Span {
        let found = keys.split_first().and_then(|(field, rest)| {
            let value = self.taken.get(*field)?;
            wording::place(value.get_ref(), rest)
        });
        found.unwrap_or_else(|| self.header())
    }

    /// Takes a field that is not given out of those that are accepted.
    pub(crate) fn forget(&mut self, key: &str) {
        self.known.retain(|known| *known != key);
    }

    /// A place for a message of later.
    pub(crate) fn location(&self, span: &Span) -> Location {
        self.outline.files[self.outline.heads[self.stage].file].location(span)
    }

    /// Notes that a field is missing, if it is.
    pub(crate) fn miss(&mut self, key: &'static str, accepts: &dyn Fn() -> String) {
        let head = &self.outline.heads[self.stage];
        let varied = head.matrix.fields.as_ref();
        if self.place(key).is_some()
            || varied.is_none_or(|fields| fields.iter().any(|field| field == key))
        {
            return;
        }
        let kind = head.kind.map_or("stage", |kind| kind.name);
        let message = format!("missing `{key}` in `{kind}.{}`", head.name);
        self.miss_any(vec![key], message, format!("expected {}", accepts()));
    }

    /// Notes that none of these fields is given.
    pub(crate) fn miss_any(
        &mut self,
        keys: Vec<&'static str>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.missing.push(Missing {
            keys,
            message: message.into(),
            help: help.into(),
        });
    }

    /// A path as written to a path of data.
    pub(crate) fn data_path(&mut self, written: Option<&Spanned<PathText>>) -> Option<DataPath> {
        let written = written?;
        let file = &self.outline.files[self.outline.heads[self.stage].file];
        let text = Spanned::new(written.span(), written.get_ref().0.clone());
        match path::data_path(file, &text, self.outline.lookup) {
            Ok(path) => Some(path),
            Err(unknown) => {
                self.tell(&unknown.span, unknown.message, Some(&unknown.help));
                None
            }
        }
    }

    /// The stage that a name stands for.
    pub(crate) fn follow<N: StageName>(&mut self, name: Option<&Spanned<N>>) -> Option<Reference> {
        let name = name?;
        let text = Spanned::new(name.span(), name.get_ref().text().to_owned());
        self.resolve(&text, N::WANTS)
    }

    /// A name as written to a reference.
    pub(crate) fn resolve(&mut self, name: &Spanned<String>, wants: Wants) -> Option<Reference> {
        match reference::resolve(self.outline, self.stage, name, wants) {
            Ok(reference) => {
                self.uses.push((reference.stage, reference.span.clone()));
                Some(reference)
            }
            Err((message, help)) => {
                self.tell(&name.span(), message, Some(&help));
                None
            }
        }
    }

    /// The seed of the file, which holds for a stage that has none of its own.
    pub(crate) fn seed_of_file(&self) -> Spanned<Seed> {
        let file = self.outline.heads[self.stage].file;
        Spanned::new(self.header(), self.outline.seeds[file])
    }

    /// Notes every key that nobody took, and every field that is missing; `None` if there was any mistake.
    pub(crate) fn finish(&mut self) -> Option<()> {
        let mut meant = Vec::new();
        for (key, _) in std::mem::take(&mut self.table) {
            let word = key.get_ref().as_ref();
            let head = &self.outline.heads[self.stage];
            let kind = head.kind.map_or("stage", |kind| kind.name);
            let of_optimizer = matches!(
                word,
                "lr" | "learning_rate" | "momentum" | "nesterov" | "weight_decay"
            );
            let help = if of_optimizer && self.known.contains(&"optimizer") {
                meant.push("optimizer");
                format!(
                    "it belongs to the optimizer: `optimizer.sgd = {{ lr = 0.001 }}` or `optimizer.sgd.{} = …`",
                    if word == "learning_rate" { "lr" } else { word }
                )
            } else {
                let mut known = self.known.clone();
                known.push("matrix");
                meant.extend(name::nearest(word, known.iter().copied()));
                wording::accepted(word, known)
            };
            let message = format!("unknown key `{word}` in `{kind}.{}`", head.name);
            self.tell(&key.span(), message, Some(&help));
        }
        for missing in std::mem::take(&mut self.missing) {
            if !missing.keys.iter().any(|key| meant.contains(key)) {
                self.tell(&self.header(), missing.message, Some(&missing.help));
            }
        }
        self.sound.then_some(())
    }
}

impl Source for Fields<'_, '_> {
    fn value<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        accepts: &dyn Fn() -> String,
    ) -> Option<Spanned<T>> {
        self.known.push(key);
        let (name, value) = self.table.remove_entry(key)?;
        let file = self.outline.heads[self.stage].file;
        let outline = self.outline;
        let text = outline.files[file].text.as_str();
        let typed = derive(key, &value, text, accepts, &mut |told| {
            self.tell(&told.span, told.message, told.help.as_deref());
        });
        let span = value.span();
        self.taken.insert(name, value);
        Some(Spanned::new(span, typed?))
    }

    fn must_have(&mut self, key: &'static str, accepts: &dyn Fn() -> String) {
        self.miss(key, accepts);
    }
}
