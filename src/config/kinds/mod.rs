//! The kinds of stages: for each one file that says which fields it has and what an instance of it comes to.

mod augment;
mod average;
mod dataset;
mod ensemble;
mod evaluate;
mod fold;
mod from;
mod model;
mod network;
mod preprocess;
mod select;
mod split;
mod train;
mod training;
mod transfer;

use super::{
    build::{Builder, Outcome, Varied},
    fields::Fields,
    files::Span,
    heads::House,
    mistake::Found,
};

/// The kind of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `[dataset.x]`
    Dataset,
    /// `[split.x]`
    Split,
    /// `[preprocess.x]`
    Preprocess,
    /// `[train.x]`
    Train,
    /// `[select.x]`
    Select,
    /// `[transfer.x]`
    Transfer,
    /// `[average.x]`
    Average,
    /// `[ensemble.x]`
    Ensemble,
    /// `[evaluate.x]`
    Evaluate,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Dataset,
        Self::Split,
        Self::Preprocess,
        Self::Train,
        Self::Select,
        Self::Transfer,
        Self::Average,
        Self::Ensemble,
        Self::Evaluate,
    ];

    /// Those that give a model, or several to be used together.
    pub(crate) const ANSWERING: [Self; 5] = [
        Self::Train,
        Self::Transfer,
        Self::Select,
        Self::Average,
        Self::Ensemble,
    ];

    /// Those that give one model.
    pub(crate) const MODELS: [Self; 4] = [Self::Train, Self::Transfer, Self::Select, Self::Average];

    /// As in a header.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Split => "split",
            Self::Preprocess => "preprocess",
            Self::Train => "train",
            Self::Select => "select",
            Self::Transfer => "transfer",
            Self::Average => "average",
            Self::Ensemble => "ensemble",
            Self::Evaluate => "evaluate",
        }
    }

    /// The kind of that name.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    /// "a" or "an".
    pub(crate) fn article(name: &str) -> &'static str {
        if name.starts_with(['a', 'e', 'i', 'o', 'u']) {
            "an"
        } else {
            "a"
        }
    }
}

/// A stage whose fields are read.
pub(crate) struct Stage {
    /// One for each combination of its `matrix`; `None` after a mistake.
    pub drafts: Option<Vec<(Varied, Draft)>>,
    /// What it refers to, with the place of each reference.
    pub uses: Vec<(usize, Span)>,
}

/// The fields of one instance, references not resolved to instances yet.
pub(crate) enum Draft {
    Dataset(Box<dataset::Draft>),
    Split(split::Draft),
    Preprocess(preprocess::Draft),
    Train(Box<train::Draft>),
    Select(select::Draft),
    Transfer(Box<transfer::Draft>),
    Average(average::Draft),
    Ensemble(ensemble::Draft),
    Evaluate(Box<evaluate::Draft>),
}

/// Reads the fields of every stage.
pub(crate) fn read(house: &House<'_>, found: &mut Found) -> Vec<Stage> {
    (0..house.heads.len())
        .map(|stage| read_stage(house, stage, found))
        .collect()
}

fn read_stage(house: &House<'_>, stage: usize, found: &mut Found) -> Stage {
    let head = &house.heads[stage];
    let mut uses = Vec::new();
    let mut drafts = Vec::new();
    for variant in &head.matrix.variants {
        let Some(kind) = head.kind else { continue };
        let mut fields = Fields::new(house, stage, variant.table.clone(), found);
        let draft = Draft::read(kind, &mut fields);
        uses.append(&mut fields.uses);
        drafts.extend(draft.map(|draft| (variant.varied.clone(), draft)));
    }
    let whole = !drafts.is_empty() && drafts.len() == head.matrix.variants.len();
    let sound = head.matrix.sound && whole;
    Stage {
        drafts: sound.then_some(drafts),
        uses,
    }
}

impl Draft {
    fn read(kind: Kind, fields: &mut Fields<'_, '_>) -> Option<Self> {
        match kind {
            Kind::Dataset => dataset::read(fields).map(|d| Self::Dataset(Box::new(d))),
            Kind::Split => split::read(fields).map(Self::Split),
            Kind::Preprocess => preprocess::read(fields).map(Self::Preprocess),
            Kind::Train => train::read(fields).map(|d| Self::Train(Box::new(d))),
            Kind::Select => select::read(fields).map(Self::Select),
            Kind::Transfer => transfer::read(fields).map(|d| Self::Transfer(Box::new(d))),
            Kind::Average => average::read(fields).map(Self::Average),
            Kind::Ensemble => ensemble::read(fields).map(Self::Ensemble),
            Kind::Evaluate => evaluate::read(fields).map(|d| Self::Evaluate(Box::new(d))),
        }
    }

    /// What it comes to; empty after a mistake.
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Vec<Outcome> {
        let outcomes = match self {
            Self::Dataset(draft) => Some(vec![draft.build()]),
            Self::Split(draft) => draft.build(builder),
            Self::Preprocess(draft) => draft.build(builder),
            Self::Train(draft) => draft.build(builder),
            Self::Select(draft) => draft.build(builder),
            Self::Transfer(draft) => draft.build(builder),
            Self::Average(draft) => draft.build(builder),
            Self::Ensemble(draft) => draft.build(builder),
            Self::Evaluate(draft) => draft.build(builder),
        };
        outcomes.unwrap_or_default()
    }
}
