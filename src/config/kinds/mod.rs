//! The kinds of stages: for each one file that declares its fields and says what an instance of it comes to.
//!
//! What several kinds share stands in files of its own. Each imports only those before it. In order: augment, dataset, from, metric,
//! pretrained, model, network, preprocess, split, fold, training, train, transfer, corners, evaluate, judged.
//!
//! A new kind is a file here, one in [`crate::stages`], and its place in [`each_kind`], from which both get their `mod`. Only what
//! others import is named in the order.

mod augment;
mod corners;
mod fold;
mod from;
mod judged;
mod metric;
mod model;
mod network;
mod pretrained;
mod training;

use std::any::Any;

pub use self::split::TestShare;
use super::{
    about::{About, Gives, each_kind},
    build::{Draft, Made, Stage},
    data_path::{DataPath, Network},
    fields::Fields,
    heads::Outline,
    mistake::Found,
};
use crate::settings::declare::Field;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident in $module:ident gives $gives:ident $(with $tensors:ident)?),* $(,)?) => {
        $(mod $module;
        pub use self::$module::$kind;)*

        /// The settings of one instance, a variant for each kind. References are ids of instances.
        #[derive(Clone, Debug)]
        #[expect(
            clippy::large_enum_variant,
            reason = "a pipeline has few instances, and none is moved in a loop"
        )]
        pub enum Settings {
            $(#[doc = concat!("`[", stringify!($module), ".x]`")] $kind($kind),)*
        }

        impl Settings {
            /// The kind's name.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => stringify!($module),)*
                }
            }

            /// Where the network of the stage's model comes from.
            #[must_use]
            pub fn network(&self) -> Network<'_> {
                match self {
                    $(Self::$kind(settings) => Made::network(settings),)*
                }
            }

            /// The paths outside the cache that are named here.
            #[must_use]
            pub fn outside(&self) -> Vec<&DataPath> {
                match self {
                    $(Self::$kind(settings) => Made::outside(settings),)*
                }
            }

            /// The settings of an instance, by their type.
            pub(super) fn of(made: &(dyn Made + 'static)) -> Option<Self> {
                let made: &dyn Any = made;
                $(if let Some(settings) = made.downcast_ref::<$kind>() {
                    return Some(Self::$kind(settings.clone()));
                })*
                None
            }
        }

        /// The fields of an instance.
        fn read_fields(kind: &About, fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
            $(if kind.name == stringify!($module) {
                return $module::read(fields);
            })*
            None
        }

        /// The settings that a kind of stage has, in the order in which messages list them.
        #[must_use]
        pub fn settings_of(kind: &About) -> Vec<Field> {
            $(if kind.name == stringify!($module) {
                return $module::tables().into_iter().flat_map(|table| table.fields).collect();
            })*
            Vec::new()
        }
    };
}

each_kind!(kinds);

impl Settings {
    /// What another stage can take from it.
    #[must_use]
    pub fn gives(&self) -> Gives {
        About::named(self.kind()).map_or(Gives::Figures, |kind| kind.gives)
    }
}

/// Reads the fields of every stage.
pub(super) fn read_stages(outline: &Outline<'_>, found: &mut Found) -> Vec<Stage> {
    (0..outline.heads.len())
        .map(|stage| read_stage(outline, stage, found))
        .collect()
}

fn read_stage(outline: &Outline<'_>, stage: usize, found: &mut Found) -> Stage {
    let head = &outline.heads[stage];
    let mut uses = Vec::new();
    let mut drafts = Vec::new();
    for variant in &head.matrix.variants {
        let Some(kind) = head.kind else { continue };
        let mut fields = Fields::new(outline, stage, variant.table.clone(), found);
        let draft = read_fields(kind, &mut fields);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::about::KINDS;

    #[test]
    fn every_kind_has_its_settings() {
        for kind in &KINDS {
            let settings = settings_of(kind);
            assert!(
                settings.iter().any(|field| field.name == "seed"),
                "{}",
                kind.name
            );
            for (i, field) in settings.iter().enumerate() {
                let twice = settings[..i].iter().any(|other| other.name == field.name);
                assert!(
                    !twice,
                    "`{}` of `{}` is declared twice",
                    field.name, kind.name
                );
                assert!(
                    !field.doc.is_empty(),
                    "`{}` of `{}` says nothing",
                    field.name,
                    kind.name
                );
            }
        }
    }
}
