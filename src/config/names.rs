//! Texts that stand for something else: names of stages, paths of data. As types, so that a declaration says which.

use serde::{Deserialize, Serialize};

use super::about::Wants;
use crate::settings::declare::{Shape, plain};

/// A text that names a stage.
pub(crate) trait StageName {
    /// What the stage must give.
    const WANTS: Wants;

    /// As written.
    fn text(&self) -> &str;
}

macro_rules! stage_names {
    ($($(#[$doc:meta])* $name:ident: $wants:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Deserialize, Serialize)]
            #[serde(transparent)]
            pub(crate) struct $name(String);

            impl StageName for $name {
                const WANTS: Wants = Wants::$wants;

                fn text(&self) -> &str {
                    &self.0
                }
            }

            plain! { $name: Shape::Stage(names(Wants::$wants)) }
        )*
    };
}

stage_names! {
    /// Of a stage that gives photographs.
    DataName: Data,
    /// Of a stage that gives a split.
    SplitName: Split,
    /// Of a stage that gives a pack.
    PackName: Pack,
    /// Of a stage that gives one model.
    ModelName: Model,
    /// Of a stage that says something of each image.
    JudgedName: Judged,
}

/// The names of the kinds that will do.
pub(crate) fn names(wants: Wants) -> Vec<&'static str> {
    wants.kinds().into_iter().map(|kind| kind.name).collect()
}

/// A path of data as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct PathText(pub String);

plain! { PathText: Shape::Path }
