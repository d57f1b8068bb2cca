//! `[ensemble.x]`: several finished models that answer together.

use toml::Spanned;

use super::{
    super::{
        Ensemble, Settings,
        build::{Builder, Outcome},
    },
    Fields, from, model,
};
use crate::settings::Checkpoint;

/// An ensemble as written.
pub(crate) struct Draft {
    from: from::Draft,
    checkpoint: Checkpoint,
}

const WORDS: from::Words = from::Words {
    empty: "an ensemble of nothing",
    one: "a member",
    one_dataset: "put models of one dataset together: they must tell the same classes apart",
};

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Draft> {
    let from = from::read(fields, WORDS);
    let checkpoint = model::checkpoint(fields);
    // Nothing is drawn here; a seed is accepted as on any stage.
    fields.seed();
    fields.finish()?;
    Some(Draft {
        from,
        checkpoint: checkpoint.map(Spanned::into_inner).unwrap_or_default(),
    })
}

impl Draft {
    pub(crate) fn build(&self, builder: &mut Builder<'_>) -> Option<Vec<Outcome>> {
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
        Some(vec![Outcome::plain(Settings::Ensemble(settings), origin)])
    }
}
