//! What is held out of training: a validation part, or a test part where the data set has none.
//!
//! A test part is drawn first, by the same rules as a validation part and by streams of its own: neither the share of validation
//! nor folds change who is in it. What is drawn then counts as given to test ([`drawn_test`]).

use rand_chacha::ChaCha8Rng;

use super::{Groups, grouped, plain, stable};
use crate::{
    record::{Assignment, Labels, Part, PathList, Split},
    seed::{Seed, stream},
};

/// Which part is held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Validation,
    Test,
}

impl Held {
    /// As in a pipeline file.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// A purpose of random numbers.
    pub(super) fn purpose(self, purpose: &str) -> String {
        match self {
            Self::Validation => purpose.to_owned(),
            Self::Test => format!("{purpose} test"),
        }
    }

    pub(super) fn stream(self, seed: Seed, purpose: &str, position: &[u64]) -> ChaCha8Rng {
        stream(seed, &self.purpose(purpose), position)
    }
}

/// How a test part is drawn.
#[derive(Clone, Copy, Debug)]
pub enum TestBy<'a> {
    /// Every image for itself, stratified by class.
    Image,
    /// Whole groups.
    Group(&'a Groups),
    /// Each (or each group) by its name.
    Name(&'a Groups, &'a PathList),
}

/// Draws a share of the training part for a test part, but for the images that `keep` names: the labels with those that are drawn
/// in test, and what is to be told of the sizes.
#[must_use]
pub fn drawn_test(
    labels: &Labels,
    by: TestBy<'_>,
    share: f64,
    seed: Seed,
    keep: &[u32],
) -> (Labels, Option<String>) {
    // What is kept back is in no class that is divided.
    let mut open = labels.clone();
    for image in keep {
        if let Some(label) = open.labels.get_mut(*image as usize) {
            label.part = Part::Test;
        }
    }
    let (split, told): (Split, _) = match by {
        TestBy::Image => plain::hold_out_for(Held::Test, &open, share, seed),
        TestBy::Group(groups) => grouped::hold_out_for(Held::Test, &open, groups, share, seed),
        TestBy::Name(groups, names) => {
            stable::hold_out_for(Held::Test, &open, names, groups, share, seed)
        }
    };
    let mut drawn = labels.clone();
    for (label, assignment) in drawn.labels.iter_mut().zip(&split.assignments) {
        if *assignment == Assignment::Validation {
            label.part = Part::Test;
        }
    }
    let is_test = |image: &u32| {
        let label = drawn.labels.get(*image as usize);
        label.is_some_and(|label| label.part == Part::Test)
    };
    let validation = labels.validation.iter().filter(|image| !is_test(image));
    drawn.validation = validation.copied().collect();
    (drawn, told)
}
