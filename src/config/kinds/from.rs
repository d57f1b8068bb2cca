//! `from = ["a", "b[seed=1]"]`: the models that select, ensemble and average take together.

use toml::Spanned;

use crate::{
    config::{
        about::{Gives, Wants},
        build::{Builder, FoldOf, Origin},
        fields::Fields,
        file::Span,
        names::ModelName,
        reference::Reference,
    },
    settings::{Checkpoint, declare::WrittenOneOrMore},
};

/// The models as written.
pub(crate) struct Models {
    /// Where the list stands.
    pub span: Span,
    references: Vec<Reference>,
    words: Words,
}

/// What a kind of stage says about its models.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    /// Of an empty list.
    pub empty: &'static str,
    /// What one of them is: `a candidate`.
    pub one: &'static str,
    /// Why they are of one dataset.
    pub one_dataset: &'static str,
}

/// What `from` accepts.
pub(crate) fn accepts() -> String {
    let kinds = Wants::Model.words();
    format!("a list of names of {kinds} stages, such as `[\"deeper\"]`, or one name")
}

/// The stages that a list names.
pub(crate) fn read(
    fields: &mut Fields<'_, '_>,
    from: Option<&Spanned<WrittenOneOrMore<ModelName>>>,
    words: Words,
) -> Models {
    let from = from.map(WrittenOneOrMore::items);
    if let Some(from) = from.as_ref().filter(|from| from.get_ref().is_empty()) {
        let help = format!("expected {}", accepts());
        fields.tell(&from.span(), words.empty, Some(&help));
    }
    let names = from.iter().flat_map(Spanned::get_ref);
    Models {
        span: from.as_ref().map_or(fields.header(), Spanned::span),
        references: names.filter_map(|name| fields.follow(Some(name))).collect(),
        words,
    }
}

impl Models {
    /// The instances, in the order of the list: each once, of one dataset, and with the state that is asked for, if it is one.
    pub(crate) fn build(
        &self,
        builder: &mut Builder<'_>,
        checkpoint: Option<Checkpoint>,
    ) -> Option<Vec<usize>> {
        let mut models: Vec<usize> = Vec::new();
        let mut sound = true;
        for reference in &self.references {
            let Some(more) = builder.many(reference) else {
                sound = false;
                continue;
            };
            sound &= self.check(builder, reference, &models, &more, checkpoint);
            models.extend(more);
        }
        (sound && !models.is_empty()).then_some(models)
    }

    /// Models of one reference against those before it and each other.
    fn check(
        &self,
        builder: &mut Builder<'_>,
        reference: &Reference,
        before: &[usize],
        more: &[usize],
        checkpoint: Option<Checkpoint>,
    ) -> bool {
        if let Some(twice) = more.iter().find(|c| before.contains(c)) {
            let message = format!("`{}` is {} twice", builder.id(*twice), self.words.one);
            builder.tell(&reference.span, message, Some("name each model once"));
            return false;
        }
        for model in more {
            let first = before.first().unwrap_or(&more[0]);
            let of = |c: usize| builder.built[c].origin.dataset;
            if let (Some(a), Some(b)) = (of(*first), of(*model))
                && a != b
            {
                let message = format!(
                    "`{}` is trained on the dataset `{}`, but `{}` on `{}`",
                    builder.id(*model),
                    builder.id(b),
                    builder.id(*first),
                    builder.id(a)
                );
                builder.tell(&reference.span, message, Some(self.words.one_dataset));
                return false;
            }
            if let (Some(asked), Some(handed)) = (checkpoint, builder.made(*model).hands_on())
                && asked != handed
            {
                let id = builder.id(*model);
                let (message, help) = match builder.kind(*model).gives {
                    Gives::Training => only(&id, handed, asked),
                    _ => (
                        format!("`{id}` hands on another checkpoint"),
                        "give both stages the same `checkpoint`".to_owned(),
                    ),
                };
                builder.tell(&reference.span, message, Some(&help));
                return false;
            }
        }
        true
    }
}

/// What is wrong with a state that a training does not keep, and the way out.
pub(crate) fn only(id: &str, kept: Checkpoint, asked: Checkpoint) -> (String, String) {
    let (kept, asked) = (kept.name(), asked.name());
    (
        format!("`{id}` keeps its {kept} state alone, and not the {asked}"),
        format!("leave `keep = \"{kept}\"` out of `{id}`, or ask for `checkpoint = \"{kept}\"`"),
    )
}

/// What all of some models have in common; `None` without any.
pub(crate) fn origin(builder: &Builder<'_>, models: &[usize]) -> Option<Origin> {
    let origins = models.iter().map(|model| builder.built[*model].origin);
    origins.reduce(common)
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
