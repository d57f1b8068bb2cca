//! What a training is fed: the pack with its labels and split, in the order of an epoch, as batches on the device.

mod batch;
mod inputs;
mod loader;
mod mix;
mod noise;
mod order;
mod sampler;
mod usable;

pub(super) use batch::{Batch, Targets, one_hot};
pub(super) use inputs::Inputs;
pub(super) use loader::Loader;
pub(super) use order::Shown;
pub(super) use sampler::{at_test_resolution, centre, evaluation_batch, seen};
pub(super) use usable::{Usable, usable};
