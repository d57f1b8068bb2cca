//! Training and evaluation on tensors. Its rooms import one another in this order alone (each those before it):
//!
//! | room | what it is for |
//! |---|---|
//! | `picture` | one image on its way to the model: geometry, colours, sampling, normalisation |
//! | `feed` | the pack, the order of an epoch, batches on the device, mixing |
//! | `optimize` | optimizers, groups of parameters, schedules |
//! | `judge` | passes without a gradient: validation, evaluation, means of models |
//! | `fit` | the loop over epochs: step, loss, state, saves |
//! | `probe` | trainings that are tried out, timed, drawn, and thrown away |

mod feed;
mod fit;
mod judge;
mod optimize;
mod picture;
mod probe;

pub use fit::fit;
pub use judge::{
    attend, attention, average, evaluate, fingerprint, log_mean_probabilities, logits_of_views,
    uses_bf16,
};
pub use probe::{browse, functionals, speed, steps, tune};
