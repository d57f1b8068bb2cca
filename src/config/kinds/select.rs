//! `[select.x]`: the best of several models by a validation metric.

use std::collections::HashMap;

use super::{from, metric};
use crate::{
    config::{
        build::{Builder, Draft, Made, Outcome},
        data_path::Network,
        fields::Fields,
        names::ModelName,
    },
    seed::Seed,
    settings::{
        Checkpoint, Metric,
        declare::{Described, OneOrMore, Table, fields},
    },
};

/// The best of several models by a validation metric.
#[derive(Clone, Debug)]
pub struct Select {
    /// The candidates: train, transfer or select instances.
    pub from: Vec<String>,
    /// For each candidate its group: those that differ in `seed` or `fold` alone share a number.
    pub groups: Vec<usize>,
    /// The metric.
    pub by: Metric,
    /// Whether a candidate counts with its best or its last epoch.
    pub checkpoint: Checkpoint,
    /// Whether all candidates hand on their last state too; in no key, for the key names what is handed on.
    pub last_too: bool,
}

impl Made for Select {
    fn network(&self) -> Network<'_> {
        Network::OneOf(&self.from)
    }

    fn hands_on(&self) -> Option<Checkpoint> {
        Some(self.checkpoint)
    }

    fn has_last(&self) -> bool {
        self.last_too
    }
}

fields! {
    /// The best of several models by a validation metric.
    pub(crate) struct Given read as GivenRead {
        /// The candidates.
        #[accepts = from::accepts()]
        from: OneOrMore<ModelName>,
        /// By what they are compared.
        by: metric::MetricName = metric::MetricName::default(),
        /// Which state of each.
        checkpoint: Checkpoint = Checkpoint::Best,
        /// Nothing is drawn here; accepted as on any stage.
        #[unset = "the file's"]
        seed: Option<Seed>,
    }
}

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// A select as written.
struct Written {
    from: from::Models,
    by: Metric,
    checkpoint: Checkpoint,
}

const WORDS: from::Words = from::Words {
    empty: "nothing to select from",
    one: "a candidate",
    one_dataset: "select between models of one dataset: their validation parts must be comparable",
};

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let read = GivenRead::take(fields);
    let from = from::read(fields, read.from.as_ref(), WORDS);
    let by = metric::read(fields, read.by.as_ref());
    fields.finish()?;
    Some(Box::new(Written {
        from,
        by: by.unwrap_or_default(),
        checkpoint: read.settle()?.checkpoint,
    }))
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let candidates = self.from.build(builder, Some(self.checkpoint))?;
        let settings = Select {
            from: candidates.iter().map(|c| builder.id(*c)).collect(),
            groups: groups(builder, &candidates),
            by: self.by,
            checkpoint: self.checkpoint,
            last_too: candidates.iter().all(|c| builder.made(*c).has_last()),
        };
        let origin = from::origin(builder, &candidates)?;
        Some(vec![Outcome::plain(settings, origin)])
    }
}

/// For each candidate the number of its group: those share one whose settings differ in seed or fold alone.
fn groups(builder: &Builder<'_>, candidates: &[usize]) -> Vec<usize> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    candidates
        .iter()
        .map(|candidate| {
            let next = seen.len();
            let repeated = builder.made(*candidate).repeated();
            let key = repeated.unwrap_or_else(|| builder.id(*candidate));
            *seen.entry(key).or_insert(next)
        })
        .collect()
}
