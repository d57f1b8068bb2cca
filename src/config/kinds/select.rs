//! `[select.x]`: the best of several models by a validation metric.

use toml::Spanned;

use super::{
    super::{
        ModelSource, Select, Settings,
        build::{Builder, FoldOf, Origin, Outcome},
        reference::Reference,
    },
    Fields, Kind, model,
};
use crate::{
    name,
    settings::{Checkpoint, Metric, Training},
};

/// A select as written.
pub(crate) struct Draft {
    from: Vec<Reference>,
    by: Metric,
    checkpoint: Checkpoint,
}

const FROM: &str = "a list of names of train, transfer or select stages, such as `[\"deeper\"]`";

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let from = fields.need::<Vec<Spanned<String>>>("from", FROM);
    if let Some(from) = from.as_ref().filter(|from| from.get_ref().is_empty()) {
        let help = format!("expected {FROM}");
        fields.tell(&from.span(), "nothing to select from", Some(&help));
    }
    let names = from.map(Spanned::into_inner).unwrap_or_default();
    let from: Vec<_> = names
        .iter()
        .filter_map(|name| fields.resolve(name, &Kind::MODELS))
        .collect();
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

fn metric(fields: &mut Fields<'_, '_>) -> Option<Metric> {
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
        let mut candidates: Vec<usize> = Vec::new();
        let mut sound = true;
        for reference in &self.from {
            let Some(more) = builder.many(reference) else {
                sound = false;
                continue;
            };
            sound &= self.check(builder, reference, &candidates, &more);
            candidates.extend(more);
        }
        let first = *candidates.first().filter(|_| sound)?;
        let settings = Select {
            from: candidates.iter().map(|c| builder.id(*c)).collect(),
            groups: groups(builder, &candidates),
            by: self.by,
            checkpoint: self.checkpoint,
        };
        let origins = candidates.iter().map(|c| builder.built[*c].origin);
        let origin = origins.fold(builder.built[first].origin, common);
        Some(vec![Outcome::plain(Settings::Select(settings), origin)])
    }

    /// Candidates of one reference against those before it and each other.
    fn check(
        &self,
        builder: &mut Builder<'_>,
        reference: &Reference,
        before: &[usize],
        more: &[usize],
    ) -> bool {
        if let Some(twice) = more.iter().find(|c| before.contains(c)) {
            let message = format!("`{}` is a candidate twice", builder.id(*twice));
            builder.tell(&reference.span, message, Some("name each model once"));
            return false;
        }
        for candidate in more {
            let first = before.first().unwrap_or(&more[0]);
            let of = |c: usize| builder.built[c].origin.dataset;
            if let (Some(a), Some(b)) = (of(*first), of(*candidate))
                && a != b
            {
                let message = format!(
                    "`{}` is trained on the dataset `{}`, but `{}` on `{}`",
                    builder.id(*candidate),
                    builder.id(b),
                    builder.id(*first),
                    builder.id(a)
                );
                let help = "select between models of one dataset: their validation parts must be comparable";
                builder.tell(&reference.span, message, Some(help));
                return false;
            }
            if let Settings::Select(inner) = builder.settings(*candidate)
                && inner.checkpoint != self.checkpoint
            {
                let message = format!("`{}` hands on another checkpoint", builder.id(*candidate));
                let help = "give both select stages the same `checkpoint`";
                builder.tell(&reference.span, message, Some(help));
                return false;
            }
        }
        true
    }
}

/// What two models have in common.
fn common(a: Origin, b: Origin) -> Origin {
    let same = |a: Option<usize>, b: Option<usize>| if a == b { a } else { None };
    Origin {
        dataset: same(a.dataset, b.dataset),
        data: same(a.data, b.data),
        split: same(a.split, b.split),
        fold: if a.fold == b.fold {
            a.fold
        } else {
            FoldOf::Varies
        },
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
                t.arch,
                seedless(&t.training)
            )
        }
        Settings::Transfer(t) => {
            let model = match &t.model {
                ModelSource::Stage { id, checkpoint } => format!("{id} {checkpoint:?}"),
                ModelSource::File {
                    path, normalize, ..
                } => format!("{path:?} {normalize:?}"),
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
