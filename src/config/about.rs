//! What each kind of stage is, as data: whoever asks what a kind gives or needs asks here, and names no kind.

use std::fmt;

use crate::record::model_files;

/// A kind of stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// As in a header: `train` of `[train.x]`.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// What another stage can take from it.
    pub gives: Gives,
    /// Whether it computes with tensors, in a process of its own.
    pub tensors: bool,
}

/// What a stage gives. Fields that refer to stages ask for one of these; see `Wants`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gives {
    /// Photographs with their classes.
    Data,
    /// Who is trained on and who validates.
    Split,
    /// Rows of pixels.
    Pack,
    /// A model, with the course of its training.
    Training,
    /// A model that comes of others.
    Model,
    /// Several models that answer together.
    Models,
    /// What is said of each image, and how right it is.
    Judged,
    /// Figures; nothing that another stage could take.
    Figures,
}

/// What a field that refers to stages asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// Photographs with their classes.
    Data,
    /// A split.
    Split,
    /// Rows of pixels.
    Pack,
    /// One model.
    Model,
    /// One model or several that answer together.
    Answers,
    /// What is said of each image.
    Judged,
}

/// The one list of kinds, in the order in which a pipeline usually has them: for each the name of its settings, its files in `kinds`
/// and in [`crate::stages`], which are called like the kind, what it gives, and whether it computes with tensors.
///
/// `each_kind!(made)` is `made!` of them all.
macro_rules! each_kind {
    ($made:ident) => {
        $made! {
            /// Which photographs there are, their classes and their parts.
            Dataset in dataset gives Data,
            /// Which images are trained on and which judge.
            Split in split gives Split,
            /// Photographs become rows of pixels in one file, the pack.
            Preprocess in preprocess gives Pack,
            /// A network from scratch.
            Train in train gives Training with tensors,
            /// The best of several models by a validation metric.
            Select in select gives Model,
            /// Another model's network with a new head.
            Transfer in transfer gives Training with tensors,
            /// One model whose weights are the mean of several.
            Average in average gives Model with tensors,
            /// Several models that answer together.
            Ensemble in ensemble gives Models,
            /// Figures and predictions of a model on parts of a data set.
            Evaluate in evaluate gives Judged with tensors,
            /// Labels that are probably wrong.
            Audit in audit gives Figures,
            /// How sure a model may be.
            Calibrate in calibrate gives Figures,
        }
    };
}

pub(crate) use each_kind;

macro_rules! table {
    ($(#[doc = $doc:literal] $kind:ident in $name:ident gives $gives:ident $(with $tensors:ident)?),* $(,)?) => {
        /// All kinds, in the order in which a pipeline usually has them.
        pub static KINDS: [About; [$(stringify!($name)),*].len()] = [$(About {
            name: stringify!($name),
            doc: $doc.trim_ascii(),
            gives: Gives::$gives,
            tensors: !concat!("" $(, stringify!($tensors))?).is_empty(),
        }),*];
    };
}

each_kind!(table);

impl About {
    /// The kind of that name.
    #[must_use]
    pub fn named(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == word)
    }

    /// The names of all kinds.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        KINDS.iter().map(|kind| kind.name).collect()
    }

    /// The kinds that give a model or several, in the order in which people read them.
    #[must_use]
    pub fn answering() -> Vec<&'static Self> {
        Wants::Answers.kinds()
    }

    /// The output that is the model to predict with, where there is one.
    #[must_use]
    pub const fn model_output(&self) -> Option<&'static str> {
        match self.gives {
            Gives::Training | Gives::Model => Some(model_files::BEST),
            Gives::Models => Some(model_files::ENSEMBLE),
            Gives::Data | Gives::Split | Gives::Pack | Gives::Judged | Gives::Figures => None,
        }
    }
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "photographs with their classes",
            Self::Split => "a split",
            Self::Pack => "a pack",
            Self::Training | Self::Model => "a model",
            Self::Models => "several models that answer together",
            Self::Judged => "an evaluation",
            Self::Figures => "figures",
        })
    }
}

impl Gives {
    /// Whether it is one model.
    #[must_use]
    pub const fn is_model(self) -> bool {
        matches!(self, Self::Training | Self::Model)
    }
}

impl Wants {
    /// Whether what a stage gives will do.
    pub(crate) const fn takes(self, gives: Gives) -> bool {
        match self {
            Self::Data => matches!(gives, Gives::Data),
            Self::Split => matches!(gives, Gives::Split),
            Self::Pack => matches!(gives, Gives::Pack),
            Self::Model => gives.is_model(),
            Self::Judged => matches!(gives, Gives::Judged),
            Self::Answers => gives.is_model() || matches!(gives, Gives::Models),
        }
    }

    /// The kinds that will do: trainings first, then what comes of them.
    pub(crate) fn kinds(self) -> Vec<&'static About> {
        let mut kinds: Vec<_> = KINDS.iter().filter(|k| self.takes(k.gives)).collect();
        kinds.sort_by_key(|kind| kind.gives);
        kinds
    }

    /// Their names: "train, transfer, select or average".
    pub(crate) fn words(self) -> String {
        let names: Vec<_> = self.kinds().into_iter().map(|kind| kind.name).collect();
        match names.as_slice() {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [most @ .., last] => format!("{} or {last}", most.join(", ")),
        }
    }
}

/// "a" or "an".
pub(crate) fn article(name: &str) -> &'static str {
    if name.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trainings_are_named_before_what_comes_of_them() {
        assert_eq!(
            Wants::Answers.words(),
            "train, transfer, select, average or ensemble"
        );
        assert_eq!(Wants::Model.words(), "train, transfer, select or average");
        assert_eq!(Wants::Pack.words(), "preprocess");
    }
}
