//! `[select.x]`: the best of several models by a validation metric.

use toml::Spanned;

use super::{
    super::{
        ModelSource, Select, Settings,
        build::{Builder, Outcome},
    },
    Fields, from, model,
};
use crate::{
    name,
    settings::{Checkpoint, Metric, Training},
};

/// A select as written.
pub(crate) struct Draft {
    from: from::Draft,
    by: Metric,
    checkpoint: Checkpoint,
}

const WORDS: from::Words = from::Words {
    empty: "nothing to select from",
    one: "a candidate",
    one_dataset: "select between models of one dataset: their validation parts must be comparable",
};

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let from = from::read(fields, WORDS);
    let by = metric(fields);
    let checkpoint = model::checkpoint(fields);
    // Nothing is drawn here; a seed is accepted as on any stage.
    fields.seed();
    fields.finish()?;
    Some(Draft {
        from,
        by: by.unwrap_or_default(),
        checkpoint: checkpoint.map(Spanned::into_inner).unwrap_or_default(),
    })
}

/// `by`, which average takes too.
pub(crate) fn metric(fields: &mut Fields<'_, '_>) -> Option<Metric> {
    const ALL: [Metric; 2] = [Metric::ValidationTop1, Metric::ValidationLoss];
    let names = name::one_of(ALL.map(Metric::name));
    let written = fields.take::<String>("by", &names)?;
    let word = written.get_ref();
    let metric = ALL.into_iter().find(|metric| metric.name() == word);
    if metric.is_some() {
        return metric;
    }
    if word.split('.').next() == Some("test") {
        let message = format!(
            "`{word}` is a test metric: selecting by the test part makes it part of training, and it then says nothing about new photographs"
        );
        let help = format!("select by {names}; evaluate the chosen model on the test part");
        fields.tell(&written.span(), message, Some(&help));
        return None;
    }
    let help = super::super::wording::accepted(word, ALL.map(Metric::name).to_vec());
    let message = format!("unknown metric `{word}`");
    fields.tell(&written.span(), message, Some(&help));
    None
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let candidates = self.from.build(builder, Some(self.checkpoint))?;
        let settings = Select {
            from: candidates.iter().map(|c| builder.id(*c)).collect(),
            groups: groups(builder, &candidates),
            by: self.by,
            checkpoint: self.checkpoint,
        };
        let origin = from::origin(builder, &candidates)?;
        Some(vec![Outcome::plain(Settings::Select(settings), origin)])
    }
}

/// For each candidate the number of its group: those share one whose settings differ in seed or fold alone.
fn groups(builder: &Builder<'_>, candidates: &[usize]) -> Vec<usize> {
    let mut seen: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    candidates
        .iter()
        .map(|candidate| {
            let next = seen.len();
            *seen.entry(group_key(builder, *candidate)).or_insert(next)
        })
        .collect()
}

/// All settings of a candidate but seed and fold, as a text to compare.
fn group_key(builder: &Builder<'_>, candidate: usize) -> String {
    let seedless = |training: &Training| Training {
        seed: 0,
        ..training.clone()
    };
    match builder.settings(candidate) {
        Settings::Train(t) => {
            format!(
                "{} {} {:?} {:?}",
                t.data,
                t.split,
                t.network,
                seedless(&t.training)
            )
        }
        Settings::Transfer(t) => {
            let model = match &t.model {
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
                "{model} {} {} {:?} {} {:?}",
                t.data,
                t.split,
                t.train_layers,
                t.keep_normalize,
                seedless(&t.training)
            )
        }
        _ => builder.id(candidate),
    }
}
