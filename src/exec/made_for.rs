//! The pipeline files that earlier results were made for, seen from the one that is looked at.

use std::collections::{HashMap, HashSet};

use super::newest::place;
use crate::cache::{KeyDocument, MadeFor, Record, Records, Renamed};

/// What each of them is to this one.
pub(super) struct Files {
    of: HashMap<String, MadeFor>,
    /// Of a result that names none.
    nameless: MadeFor,
    /// Results of this file, or of one that is gone, whose stages are in it no more.
    renamed: Renamed,
}

impl Files {
    /// Of all records of a cache; `stages` are those of this file.
    pub(super) fn of(records: &Records, pipeline: Option<&str>, stages: &HashSet<String>) -> Self {
        let here = pipeline.map(place);
        let of = |file: &str| match place(file) {
            there if Some(&there) == here.as_ref() => MadeFor::This,
            there if there.exists() => MadeFor::Other,
            _ => MadeFor::Gone,
        };
        let all = records.pipelines();
        let mut files = Self {
            of: all.map(|file| (file.to_owned(), of(file))).collect(),
            nameless: match pipeline {
                None => MadeFor::This,
                Some(_) => MadeFor::Gone,
            },
            renamed: Renamed::default(),
        };
        files.renamed = records.renamed(
            |pipeline| files.made_for(pipeline),
            |name| stages.contains(name),
        );
        files
    }

    /// The earlier state of a stage. What another one of these stages of this file has made is none, however alike they are.
    pub(super) fn earlier_state<'a>(
        &self,
        records: &'a Records,
        document: &KeyDocument,
        stage: &str,
    ) -> Option<&'a Record> {
        let of = |pipeline: Option<&str>| self.made_for(pipeline);
        records.earlier_state(document, stage, of, &self.renamed)
    }

    /// What the file of a result is to this one.
    fn made_for(&self, pipeline: Option<&str>) -> MadeFor {
        match pipeline {
            Some(file) => self.of.get(file).copied().unwrap_or(MadeFor::Other),
            None => self.nameless,
        }
    }
}
