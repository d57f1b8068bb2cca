//! The names of the files that hold models, in the folder of a result.

use crate::settings::Checkpoint;

/// The state with the best validation; of a stage that gives one model, that model.
pub const BEST: &str = "best.safetensors";
/// The state after the last epoch.
pub const LAST: &str = "last.safetensors";
/// The states after the last several epochs, where a training keeps them.
pub const KEPT: &str = "kept.safetensors";
/// The members of an ensemble.
pub const ENSEMBLE: &str = "ensemble.safetensors";

/// The file that holds this state of a training.
#[must_use]
pub const fn of(checkpoint: Checkpoint) -> &'static str {
    match checkpoint {
        Checkpoint::Best => BEST,
        Checkpoint::Last => LAST,
    }
}
