//! Asking a remote cache for the results of many stages at once: one after the other, a thousand stages are a thousand ways there and
//! back. What is found here only serves the look at each stage in its order (`status`), which tells and decides.

use std::collections::{BTreeSet, HashMap};

use super::{
    executor::teller,
    gather::{Gathered, gather},
    team::Team,
};
use crate::{
    cache::{Cache, Look, Record},
    digest::Digest,
    error::Result,
    event::Observer,
    plan::Graph,
    stage::Stage,
    stop::Stop,
};

/// What was asked, and what it took.
#[derive(Default)]
pub(super) struct Asked {
    gathered: HashMap<usize, Gathered>,
    answers: HashMap<Digest, Result<Look>>,
}

/// What is looked at.
pub(super) struct Needed<'a> {
    pub(super) stages: &'a [Box<dyn Stage>],
    pub(super) graph: &'a Graph,
    /// Needed stages in order.
    pub(super) order: &'a [usize],
    /// Those that run in any case.
    pub(super) forced: &'a BTreeSet<usize>,
    pub(super) cache: &'a Cache,
}

impl Asked {
    /// Stages by what is known of those above them: all whose inputs are known are asked for together, then those below them.
    pub(super) fn make(
        needed: &Needed<'_>,
        team: &Team,
        stop: &Stop,
        observer: &dyn Observer,
    ) -> Self {
        let Needed { stages, graph, .. } = *needed;
        let numbers: HashMap<&str, usize> = stages
            .iter()
            .enumerate()
            .map(|(i, s)| (s.id(), i))
            .collect();
        let mut asked = Self::default();
        let mut records: HashMap<usize, Box<Record>> = HashMap::new();
        let mut open = needed.order.to_vec();
        while let Some(remote) = team.remote() {
            let known = |index: &usize| {
                let above = graph.upstream(*index);
                above.iter().all(|above| records.contains_key(above))
            };
            let (ready, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(known);
            open = rest;
            if ready.is_empty() || stop.requested() {
                break;
            }
            let mut keys = Vec::new();
            let mut found = Vec::new();
            for index in ready {
                let stage = stages[index].as_ref();
                let tell = teller(stage, observer);
                let record = |id: &str| records.get(numbers.get(id)?).map(|record| &**record);
                // What goes wrong is told when the stage is looked at in its order.
                let Ok(gathered) = gather(stage, needed.cache, record, stop, &tell) else {
                    continue;
                };
                let key = gathered.key;
                asked.gathered.insert(index, gathered);
                match needed.cache.record(&key) {
                    _ if needed.forced.contains(&index) => {}
                    Some(record) => found.push((index, Box::new(record))),
                    None => keys.push((index, key)),
                }
            }
            records.extend(found);
            let new: BTreeSet<_> = keys.iter().map(|(_, key)| *key).collect();
            let new = new
                .into_iter()
                .filter(|key| !asked.answers.contains_key(key));
            let answers = remote.find_all(&new.collect::<Vec<_>>());
            let failed = answers.iter().any(|(_, answer)| answer.is_err());
            asked.answers.extend(answers);
            for (index, key) in keys {
                if let Some(Ok(Look::Hit(record))) = asked.answers.get(&key) {
                    records.insert(index, record.clone());
                }
            }
            if failed {
                break;
            }
        }
        asked
    }

    /// What was gathered of a stage, if it still holds for these records of the stages above it.
    pub(super) fn gathered<'r>(
        &mut self,
        index: usize,
        stage: &dyn Stage,
        record: impl Fn(&str) -> Option<&'r Record>,
    ) -> Option<Gathered> {
        let gathered = self.gathered.remove(&index)?;
        gathered.is_of(stage, record).then_some(gathered)
    }

    /// The answer for a key, if it was asked for.
    pub(super) fn answer(&mut self, key: &Digest) -> Option<Result<Look>> {
        match self.answers.get(key)? {
            Ok(look) => Some(Ok(look.clone())),
            Err(_) => self.answers.remove(key),
        }
    }
}
