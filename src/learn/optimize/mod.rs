//! How the weights move: optimizers with their groups of parameters, schedules of the learning rate, batches that make one step together.

mod accumulate;
mod optimizer;
mod schedule;

pub(super) use accumulate::{MicroBatch, parts};
pub(super) use optimizer::Optimizer;
pub(super) use schedule::{Moment, learning_rate, momentum};
