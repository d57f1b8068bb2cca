//! The pipeline files that earlier results were made for, seen from the one that is looked at.

use std::collections::{HashMap, HashSet};

use super::newest::place;
use crate::cache::{KeyDocument, MadeFor, Record, Records};

/// What each of them is to this one.
pub(super) struct Files {
    of: HashMap<String, MadeFor>,
    /// Of a result that names none.
    nameless: MadeFor,
}

impl Files {
    /// Of all records of a cache.
    pub(super) fn of(records: &Records, pipeline: Option<&str>) -> Self {
        let here = pipeline.map(place);
        let of = |file: &str| match place(file) {
            there if Some(&there) == here.as_ref() => MadeFor::This,
            there if there.exists() => MadeFor::Other,
            _ => MadeFor::Gone,
        };
        let all = records.pipelines();
        Self {
            of: all.map(|file| (file.to_owned(), of(file))).collect(),
            nameless: match pipeline {
                None => MadeFor::This,
                Some(_) => MadeFor::Gone,
            },
        }
    }

    /// The earlier state of a stage. What another one of these stages of this file has made is none, however alike they are.
    pub(super) fn earlier_state<'a>(
        &self,
        records: &'a Records,
        document: &KeyDocument,
        stage: &str,
        stages: &HashSet<String>,
    ) -> Option<&'a Record> {
        let of = |pipeline: Option<&str>| self.made_for(pipeline);
        records.earlier_state(document, stage, of, |name| stages.contains(name))
    }

    /// What the file of a result is to this one.
    fn made_for(&self, pipeline: Option<&str>) -> MadeFor {
        match pipeline {
            Some(file) => self.of.get(file).copied().unwrap_or(MadeFor::Other),
            None => self.nameless,
        }
    }
}
