//! `[ensemble.x]`: several finished models that answer together.

use super::from;
use crate::{
    config::{
        build::{Builder, Draft, Made, Outcome},
        data_path::Network,
        fields::Fields,
        names::ModelName,
    },
    seed::Seed,
    settings::{
        Checkpoint,
        declare::{Described, OneOrMore, Table, fields},
    },
};

/// Several finished models that answer together: the mean of their probabilities.
#[derive(Clone, Debug)]
pub struct Ensemble {
    /// The members, at least two: train, transfer, select or average instances.
    pub from: Vec<String>,
    /// Whether a member answers with its best or its last state.
    pub checkpoint: Checkpoint,
}

impl Made for Ensemble {
    fn network(&self) -> Network<'_> {
        Network::All(&self.from)
    }
}

fields! {
    /// Several models that answer together: the mean of their probabilities.
    pub(crate) struct Given read as GivenRead {
        /// The members, of one data set and of any architectures.
        #[accepts = from::accepts()]
        from: OneOrMore<ModelName>,
        /// Which state of each.
        checkpoint: Checkpoint = Checkpoint::Best,
        /// Nothing is drawn here; accepted as on any stage.
        #[unset = "the file's"]
        seed: Option<Seed>,
    }
}

/// Its settings.
pub(crate) fn tables() -> Vec<Table> {
    vec![Given::table()]
}

/// An ensemble as written.
struct Written {
    from: from::Models,
    checkpoint: Checkpoint,
}

const WORDS: from::Words = from::Words {
    empty: "an ensemble of nothing",
    one: "a member",
    one_dataset: "put models of one dataset together: they must tell the same classes apart",
};

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Box<dyn Draft>> {
    let read = GivenRead::take(fields);
    let from = from::read(fields, read.from.as_ref(), WORDS);
    fields.finish()?;
    Some(Box::new(Written {
        from,
        checkpoint: read.settle()?.checkpoint,
    }))
}

impl Draft for Written {
    fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
        let members = self.from.build(builder, Some(self.checkpoint))?;
        if let [one] = members.as_slice() {
            let message = format!("an ensemble of one model, `{}`", builder.id(*one));
            let help = "name a second model, or use this one itself";
            builder.tell(&self.from.span, message, Some(help));
            return None;
        }
        // Members of different folds or splits leave it open which images none of them has trained on: evaluate then takes the
        // test part alone.
        let origin = from::origin(builder, &members)?;
        let settings = Ensemble {
            from: members.iter().map(|member| builder.id(*member)).collect(),
            checkpoint: self.checkpoint,
        };
        Some(vec![Outcome::plain(settings, origin)])
    }
}
