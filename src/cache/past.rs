//! Records of earlier results, found without going through all of them for each stage: a sweep has thousands of both.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use super::{
    KeyDocument, Record,
    stale::{FAR, differences, shares_input},
};
use crate::digest::Digest;

/// All readable records of a cache.
#[derive(Debug, Default)]
pub struct Records {
    all: Vec<Record>,
    by_key: HashMap<Digest, usize>,
    /// Newest first.
    by_kind: HashMap<String, Vec<usize>>,
    /// By the name of the stage they were made for; newest first.
    by_stage: HashMap<String, Vec<usize>>,
}

impl Records {
    /// These records, put in order.
    #[must_use]
    pub fn of(mut all: Vec<Record>) -> Self {
        all.sort_unstable_by_key(|record| (Reverse(record.started), record.key));
        let mut records = Self::default();
        for (i, record) in all.iter().enumerate() {
            let kind = record.document.kind.clone();
            records.by_key.insert(record.key, i);
            records.by_kind.entry(kind).or_default().push(i);
            let stage = record.stage.clone();
            records.by_stage.entry(stage).or_default().push(i);
        }
        records.all = all;
        records
    }

    /// The record of a key.
    #[must_use]
    pub fn get(&self, key: &Digest) -> Option<&Record> {
        self.by_key.get(key).map(|i| &self.all[*i])
    }

    /// Those of a kind of stage, newest first.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Record> {
        let found = self.by_kind.get(kind).into_iter().flatten();
        found.map(|i| &self.all[*i])
    }

    /// Those of a stage by its name, newest first.
    pub fn of_stage(&self, stage: &str) -> impl Iterator<Item = &Record> {
        let found = self.by_stage.get(stage).into_iter().flatten();
        found.map(|i| &self.all[*i])
    }

    /// The earlier record that a document is best compared with: of the same kind; of the same stage of the same pipeline file
    /// if there is one, then with the fewest differences, then the newest. One of another counts only where it differs in `FAR`
    /// things or fewer, and of a stage with another name only where it reads something that this one reads too. It tells what the work
    /// may take.
    #[must_use]
    pub fn nearest(
        &self,
        document: &KeyDocument,
        stage: &str,
        pipeline: Option<&str>,
    ) -> Option<&Record> {
        let kind = &document.kind;
        let of_stage = || self.of_stage(stage).filter(|r| r.document.kind == *kind);
        let is_own = |r: &Record| r.stage == stage && r.pipeline.as_deref() == pipeline;
        let near = |_: &Record, differences| differences <= FAR;
        let kin =
            |r: &Record, differences| near(r, differences) && shares_input(&r.document, document);
        // The one of the same key differs in nothing, wherever it stands among the others.
        let same = self.get(&document.key());
        let same_of = |counts: &dyn Fn(&Record) -> bool| same.filter(|r| counts(r));
        same_of(&is_own)
            .or_else(|| best(of_stage().filter(|r| is_own(r)), document, |_, _| true))
            .or_else(|| same_of(&|r| r.stage == stage))
            .or_else(|| best(of_stage(), document, near))
            .or_else(|| same_of(&|r| kin(r, 0)))
            .or_else(|| best(self.of_kind(kind), document, kin))
    }

    /// The pipeline files that results were made for, each once.
    pub fn pipelines(&self) -> impl Iterator<Item = &str> {
        let named = self.all.iter().filter_map(|r| r.pipeline.as_deref());
        named.collect::<BTreeSet<_>>().into_iter()
    }

    /// Those whose stage is gone from its pipeline file: `of` says whose a file's results are, `is_there` of a name whether a stage has it
    /// now. Most sweeps have none: they are looked for once, and not for each stage.
    #[must_use]
    pub fn renamed(
        &self,
        of: impl Fn(Option<&str>) -> MadeFor,
        is_there: impl Fn(&str) -> bool,
    ) -> Renamed {
        let gone = self.by_stage.iter().filter(|(stage, _)| !is_there(stage));
        let mut found: Vec<usize> = gone.flat_map(|(_, records)| records).copied().collect();
        found.sort_unstable();
        let mut renamed = Renamed::default();
        for i in found {
            let record = &self.all[i];
            if of(record.pipeline.as_deref()) != MadeFor::Other {
                let kind = record.document.kind.clone();
                renamed.by_kind.entry(kind).or_default().push(i);
            }
        }
        renamed
    }

    /// The earlier state of a stage of a pipeline file: of the same stage there, else of one there whose name is gone (those
    /// of [`Records::renamed`]), where it differs in `FAR` things or fewer and reads something that this one reads too. A file
    /// that is gone may be this one under its old name; what a stage of another file is, however it is called, is no state of this one.
    #[must_use]
    pub fn earlier_state(
        &self,
        document: &KeyDocument,
        stage: &str,
        of: impl Fn(Option<&str>) -> MadeFor,
        renamed: &Renamed,
    ) -> Option<&Record> {
        let of = |record: &Record| of(record.pipeline.as_deref());
        let of_stage = || {
            self.of_stage(stage)
                .filter(|r| r.document.kind == document.kind)
        };
        let near = |_: &Record, differences| differences <= FAR;
        let kin =
            |r: &Record, differences| near(r, differences) && shares_input(&r.document, document);
        let renamed = renamed
            .by_kind
            .get(&document.kind)
            .map_or(&[][..], Vec::as_slice);
        let is_renamed = |r: &Record| {
            let i = self.by_key.get(&r.key);
            i.is_some_and(|i| renamed.binary_search(i).is_ok())
        };
        // The one of the same key differs in nothing, wherever it stands among the others.
        let same = self.get(&document.key());
        let own = |r: &Record, file| r.stage == stage && of(r) == file;
        (same.filter(|r| own(r, MadeFor::This)))
            .or_else(|| {
                let own = of_stage().filter(|r| own(r, MadeFor::This));
                best(own, document, |_, _| true)
            })
            .or_else(|| same.filter(|r| own(r, MadeFor::Gone)))
            .or_else(|| best(of_stage().filter(|r| own(r, MadeFor::Gone)), document, near))
            .or_else(|| same.filter(|r| is_renamed(r) && kin(r, 0)))
            .or_else(|| best(renamed.iter().map(|i| &self.all[*i]), document, kin))
    }
}

/// Results of stages whose names are gone, by their kind; see [`Records::renamed`].
#[derive(Debug, Default)]
pub struct Renamed {
    /// Newest first.
    by_kind: HashMap<String, Vec<usize>>,
}

/// Whose result a record is, seen from a pipeline file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeFor {
    /// Its own.
    This,
    /// That of a file that is not there any more, or is not known.
    Gone,
    /// That of another file.
    Other,
}

/// Of records that come newest first the one with the fewest differences, then the newest.
fn best<'a>(
    records: impl Iterator<Item = &'a Record>,
    document: &KeyDocument,
    counts: impl Fn(&Record, usize) -> bool,
) -> Option<&'a Record> {
    let mut best: Option<(usize, &Record)> = None;
    for record in records {
        let found = differences(&record.document, document).len();
        if best.is_none_or(|(least, _)| found < least) && counts(record, found) {
            best = Some((found, record));
            // None is nearer: of the points of a sweep the newest other one mostly is that.
            if found <= 1 {
                break;
            }
        }
    }
    best.map(|(_, record)| record)
}
