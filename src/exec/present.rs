//! Files outside the cache that a stage reads beside the results of others: a model, mostly.

use crate::{
    error::Result,
    stage::{Source, Stage},
};

/// Whether they are there. A stage that waits for others reads them hours later, and a run that would end at it shall not begin.
///
/// # Errors
/// When one is not there; the message names the place in the pipeline file.
pub(super) fn present(stage: &dyn Stage) -> Result<()> {
    let inputs = stage.inputs().into_iter();
    let mut outside = inputs.filter(|input| input.source == Source::Files);
    outside.try_for_each(|input| stage.files(&input.role).map(drop))
}
