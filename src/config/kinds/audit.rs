//! `[audit.x]`: labels that are probably wrong, from what models say of images that they did not train on.

use toml::Spanned;

use super::judged;
use crate::{
    config::{
        build::{Builder, Draft, Made, Outcome},
        fields::Fields,
        names::JudgedName,
    },
    record::Part,
    seed::Seed,
    settings::declare::{Described, OneOrMore, Table, WrittenOneOrMore, fields},
};

/// Labels that are probably wrong.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The evaluate instances: one, or those of the folds of one split.
    pub from: Vec<String>,
    /// The parts whose labels are looked at, in order: never what a model trained on.
    pub on: Vec<Part>,
}

impl Made for Audit {}

fields! {
    /// Labels that are probably wrong, by what models say of images that they did not train on.
    pub(crate) struct Given read as GivenRead {
        /// An evaluate stage; one of all folds judges every training image by a model that never saw it.
        from: JudgedName,
        /// Whose labels are looked at.
        #[accepts = ON]
        #[unset = "[\"validation\"]"]
        on: Option<OneOrMore<Part>>,
        /// Nothing is drawn here; accepted as on any stage.
        #[unset = "the file's"]
        seed: Option<Seed>,
    }
}

const ON: &str = "a list of `\"validation\"` and `\"test\"`, or one of them";

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// An audit as written.
struct Written {
    from: judged::WrittenJudged,
    on: Vec<Part>,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let read = GivenRead::take(fields);
    let from = judged::read(fields, read.from.as_ref());
    let on = on(fields, read.on.as_ref());
    fields.finish()?;
    Some(Box::new(Written { from: from?, on }))
}

/// The parts in order; refuses what a model trained on.
fn on(fields: &mut Fields<'_, '_>, written: Option<&Spanned<WrittenOneOrMore<Part>>>) -> Vec<Part> {
    let Some(written) = written.map(WrittenOneOrMore::items) else {
        return vec![Part::Validation];
    };
    if written.get_ref().is_empty() {
        let help = format!("expected {ON}");
        fields.tell(&written.span(), "no part to look at", Some(&help));
    }
    for part in written.get_ref() {
        if *part.get_ref() == Part::Train {
            let message = "a model says of the images that it trained on what it was told";
            let help = "give the split `folds = 5`, train with `fold = \"all\"`, and audit that evaluation on `validation`: each training image is then judged by a model that never saw it";
            fields.tell(&part.span(), message, Some(help));
        }
    }
    let wanted = |part: &Part| written.get_ref().iter().any(|p| p.get_ref() == part);
    let parts = [Part::Validation, Part::Test];
    parts.into_iter().filter(wanted).collect()
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for group in self.from.groups(builder, true)? {
            for member in &group.members {
                for part in &self.on {
                    self.from
                        .need_part(builder, *member, *part, "whose labels are looked at")?;
                }
            }
            let settings = Audit {
                from: group.members.iter().map(|m| builder.id(*m)).collect(),
                on: self.on.clone(),
            };
            let origin = builder.built[group.members[0]].origin;
            outcomes.push(Outcome {
                before: group.varied,
                rank: group.members[0],
                ..Outcome::plain(settings, origin)
            });
        }
        Some(outcomes)
    }
}
