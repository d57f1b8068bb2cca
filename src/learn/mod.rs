//! Training and evaluation on tensors: augmentation, optimizers, schedules, the loop over epochs, metrics.

mod accumulate;
mod affine;
mod batch;
mod course;
mod criterion;
mod ema;
mod evaluate;
mod fit;
mod geometry;
mod inputs;
mod loader;
pub mod metrics;
mod optimizer;
mod pass;
mod precision;
mod progress;
mod sample;
mod schedule;
mod speed;
mod start;
mod state;
mod step;
mod tally;
mod usable;

pub use batch::evaluation_batch;
pub use evaluate::evaluate;
pub use fit::fit;
pub use precision::{fingerprint, uses_bf16};
pub use schedule::{Moment, learning_rate, momentum};
pub use speed::speed;
