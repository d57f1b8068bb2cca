//! `[select.x]`: the best of several models by a validation metric.

use std::collections::HashMap;

use super::{from, metric, train::Train, transfer::Transfer};
use crate::{
    config::{
        build::{Builder, Draft, Made, Outcome},
        data_path::{ModelSource, Network},
        fields::Fields,
        names::ModelName,
    },
    seed::Seed,
    settings::{
        Checkpoint, Metric, Training,
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
            last_too: candidates.iter().all(|c| has_last(builder, *c)),
        };
        let origin = from::origin(builder, &candidates)?;
        Some(vec![Outcome::plain(settings, origin)])
    }
}

/// Whether the result of a candidate holds a last state.
fn has_last(builder: &Builder<'_>, candidate: usize) -> bool {
    let train = builder.get::<Train>(candidate).map(|t| &t.training);
    let training = train.or_else(|| builder.get::<Transfer>(candidate).map(|t| &t.training));
    let select = builder.get::<Select>(candidate);
    training.is_none_or(|t| t.only().is_none()) && select.is_none_or(|s| s.last_too)
}

/// For each candidate the number of its group: those share one whose settings differ in seed or fold alone.
fn groups(builder: &Builder<'_>, candidates: &[usize]) -> Vec<usize> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    candidates
        .iter()
        .map(|candidate| {
            let next = seen.len();
            *seen.entry(group_key(builder, *candidate)).or_insert(next)
        })
        .collect()
}

/// All settings of a candidate but seed and fold, as a text to compare. Each field is named: a new one that is forgotten here would
/// let two settings pass for repeats of one.
fn group_key(builder: &Builder<'_>, candidate: usize) -> String {
    if let Some(train) = builder.get::<Train>(candidate) {
        return of_train(train);
    }
    match builder.get::<Transfer>(candidate) {
        Some(transfer) => of_transfer(transfer),
        None => builder.id(candidate),
    }
}

fn of_train(train: &Train) -> String {
    let Train {
        data,
        dataset: _,
        split,
        fold: _,
        network,
        training,
        save: _,
    } = train;
    format!("{data} {split} {network:?} {:?}", seedless(training))
}

fn of_transfer(transfer: &Transfer) -> String {
    let Transfer {
        model,
        data,
        dataset: _,
        split,
        fold: _,
        train_layers,
        gradual_unfreezing,
        stochastic_depth,
        dropout,
        head,
        keep_normalize,
        training,
        save: _,
    } = transfer;
    let model = match model {
        ModelSource::Stage { id, checkpoint } => format!("{id} {checkpoint:?}"),
        ModelSource::Ensemble { id } => id.clone(),
        ModelSource::File {
            path,
            normalize,
            weights,
            ..
        } => format!("{path:?} {normalize:?} {weights:?}"),
    };
    format!(
        "{model} {data} {split} {train_layers:?} {gradual_unfreezing:?} {stochastic_depth:?} {dropout:?} {head:?} {keep_normalize} {:?}",
        seedless(training)
    )
}

fn seedless(training: &Training) -> Training {
    Training {
        seed: 0,
        ..training.clone()
    }
}
