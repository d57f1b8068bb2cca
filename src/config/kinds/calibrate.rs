//! `[calibrate.x]`: how sure a model may be, from its evaluation on validation.

use super::judged;
use crate::{
    config::{
        build::{Builder, Draft, Made, Outcome},
        fields::Fields,
        names::JudgedName,
    },
    record::Part,
    seed::Seed,
    settings::{
        Probability,
        declare::{Described, Table, fields},
    },
};

/// How sure a model may be.
#[derive(Clone, Debug)]
pub struct Calibrate {
    /// The evaluate instance.
    pub from: String,
    /// The share of answers that is to be right; no threshold is sought without it.
    pub precision: Option<Probability>,
}

impl Made for Calibrate {}

fields! {
    /// How sure a model may be: a temperature for its probabilities, and from which probability on it may answer.
    pub(crate) struct Given read as GivenRead {
        /// An evaluate stage that judges on validation; each of its instances is calibrated for itself.
        from: JudgedName,
        /// The share of answers that is to be right: the least probability with that precision on validation is sought.
        precision: Option<Probability>,
        /// Nothing is chosen by it; accepted as on any stage.
        #[unset = "the file's"]
        seed: Option<Seed>,
    }
}

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// A calibration as written.
struct Written {
    from: judged::WrittenJudged,
    precision: Option<Probability>,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let read = GivenRead::take(fields);
    let from = judged::read(fields, read.from.as_ref());
    fields.finish()?;
    Some(Box::new(Written {
        from: from?,
        precision: read.settle()?.precision,
    }))
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for group in self.from.groups(builder, false)? {
            let evaluate = group.members[0];
            self.from.need_part(
                builder,
                evaluate,
                Part::Validation,
                "where the temperature is fitted",
            )?;
            let settings = Calibrate {
                from: builder.id(evaluate),
                precision: self.precision,
            };
            let origin = builder.built[evaluate].origin;
            outcomes.push(Outcome {
                before: group.varied,
                rank: evaluate,
                ..Outcome::plain(settings, origin)
            });
        }
        Some(outcomes)
    }
}
