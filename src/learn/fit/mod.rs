//! A training: the loop over epochs and what it holds, saves, watches and goes on from.

mod criterion;
mod divergence;
mod early_stopping;
mod ema;
mod epochs;
mod keep;
mod learner;
pub(super) mod memory;
mod pass;
mod start;
mod state;
mod step;
mod taken_over;

pub(super) use criterion::Criterion;
pub use epochs::fit;
pub(super) use epochs::{check, source, unfreezing};
pub(super) use learner::Learner;
pub(super) use start::{Started, center_crop, kept_normalization, normalization, start};
pub(super) use step::Stepper;
