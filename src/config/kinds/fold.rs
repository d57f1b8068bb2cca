//! A pack with a split and a fold, as train and transfer take them.

use toml::Spanned;

use super::{preprocess::Preprocess, split::Split};
use crate::{
    config::{
        build::{Builder, FoldOf, Origin, Varied},
        fields::Fields,
        file::Span,
        names::{PackName, SplitName},
        reference::Reference,
        values::FoldChoice,
    },
    settings::{Resize, declare::fields},
};

fields! {
    /// What a training is of.
    pub(crate) struct Given read as GivenRead {
        /// The pack.
        pub data: PackName,
        /// Who is trained on, who validates.
        pub split: SplitName,
        /// Which fold validates; needed where the split has folds.
        #[accepts = FoldChoice::ACCEPTS]
        pub fold: Option<FoldChoice>,
    }
}

/// `data`, `split` and `fold` as written.
pub(crate) struct DataAndSplit {
    header: Span,
    data: Reference,
    split: Reference,
    fold: Option<Spanned<FoldChoice>>,
}

/// The three fields before it is known whether they are all there.
pub(crate) struct Read(
    Option<Reference>,
    Option<Reference>,
    Option<Spanned<FoldChoice>>,
    Span,
);

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Read {
    let read = GivenRead::take(fields);
    Read(
        fields.follow(read.data.as_ref()),
        fields.follow(read.split.as_ref()),
        read.fold,
        fields.header(),
    )
}

impl Read {
    pub(crate) fn whole(self) -> Option<DataAndSplit> {
        Some(DataAndSplit {
            data: self.0?,
            split: self.1?,
            fold: self.2,
            header: self.3,
        })
    }
}

/// A pack and a split of one dataset, by number.
pub(crate) struct Found {
    /// The dataset.
    pub dataset: usize,
    /// The preprocess.
    pub data: usize,
    /// The split.
    pub split: usize,
    /// The size of a row of the pack.
    pub resize: Resize,
}

/// One fold, or none, with what it adds to the id.
pub(crate) struct Fold {
    /// The fold.
    pub fold: Option<u32>,
    /// What it adds to the id.
    pub varied: Varied,
}

impl Found {
    /// Where a model that is trained on this comes from.
    pub(crate) fn origin(&self, fold: Option<u32>) -> Origin {
        Origin {
            dataset: Some(self.dataset),
            data: Some(self.data),
            split: Some(self.split),
            fold: fold.map_or(FoldOf::None, FoldOf::One),
        }
    }
}

impl DataAndSplit {
    /// The pack and the split, which must be of one dataset, and the folds that were asked for.
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<(Found, Vec<Fold>)> {
        // Both are looked at, so that a mistake in each is told.
        let (data, split) = (builder.one(&self.data), builder.one(&self.split));
        let found = together(builder, data?, split?, &self.split.span)?;
        let folds = folds(builder, found.split);
        let name = builder.id(found.split);
        let choice = self.fold.as_ref();
        let folds = match (choice.map(Spanned::get_ref), folds) {
            (None, None) => vec![None],
            (Some(FoldChoice::All), Some(folds)) => {
                let varied = |fold: u32| vec![("fold".to_owned(), fold.to_string())];
                let all = (0..folds).map(|fold| Fold {
                    fold: Some(fold),
                    varied: varied(fold),
                });
                return Some((found, all.collect()));
            }
            (Some(FoldChoice::One(fold)), Some(folds)) if *fold < folds => vec![Some(*fold)],
            (choice, folds) => {
                let span = self
                    .fold
                    .as_ref()
                    .map_or(self.header.clone(), Spanned::span);
                refuse(builder, &span, choice, folds, &name, ", or `\"all\"`");
                return None;
            }
        };
        let plain = |fold| Fold {
            fold,
            varied: Vec::new(),
        };
        Some((found, folds.into_iter().map(plain).collect()))
    }
}

/// Says what is wrong with a fold; `all` is what may be written instead of a number.
pub(crate) fn refuse(
    builder: &mut Builder<'_>,
    span: &Span,
    choice: Option<&FoldChoice>,
    folds: Option<u32>,
    split: &str,
    all: &str,
) {
    let (message, help) = match (choice, folds) {
        (Some(FoldChoice::One(fold)), Some(folds)) => (
            format!("fold {fold} of `{split}`, which has {folds}"),
            format!("folds are counted from 0: expected 0 to {}{all}", folds - 1),
        ),
        (_, Some(folds)) => (
            format!("`{split}` has {folds} folds, and `fold` does not say which one validates"),
            format!("add `fold = …`: 0 to {}{all}", folds - 1),
        ),
        (_, None) => (
            format!("`fold` is given, but `{split}` is a hold-out"),
            "leave `fold` out, or give the split `folds = 5` instead of `validation`".to_owned(),
        ),
    };
    builder.tell(span, message, Some(&help));
}

/// The number of folds of a split.
pub(crate) fn folds(builder: &Builder<'_>, split: usize) -> Option<u32> {
    let split = builder.get::<Split>(split)?;
    split.folds.map(|folds| folds.get())
}

/// A pack and a split, which must be of one dataset.
pub(crate) fn together(
    builder: &mut Builder<'_>,
    data: usize,
    split: usize,
    span: &Span,
) -> Option<Found> {
    let pack = builder.get::<Preprocess>(data)?;
    let (of_pack, resize) = (pack.dataset.clone(), pack.pixels.resize);
    let dataset = builder.built[data].origin.dataset?;
    if builder.built[split].origin.dataset != Some(dataset) {
        let of_split = builder.get::<Split>(split)?.dataset.clone();
        let (data, split) = (builder.id(data), builder.id(split));
        let message = format!(
            "`{split}` splits the dataset `{of_split}`, but `{data}` holds the dataset `{of_pack}`"
        );
        let help = "data and split must be of one dataset";
        builder.tell(span, message, Some(help));
        return None;
    }
    Some(Found {
        dataset,
        data,
        split,
        resize,
    })
}
