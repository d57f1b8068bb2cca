//! What train and transfer share: their inputs, their outputs, and the job for the worker.

use super::input;
use crate::{
    error::Result,
    record::{Data, Fit, Job, Start},
    settings::{Pixels, Training},
    stage::{Context, Input},
};

/// The outputs of a training.
pub(super) const OUTPUTS: &[&str] = &["best.safetensors", "last.safetensors", "history.json"];

/// The inputs of a training: the ids of a preprocess, a dataset and a split instance.
pub(super) fn inputs(data: &str, dataset: &str, split: &str) -> Vec<Input> {
    vec![
        Input::stage("pack", data, "pixels.pack"),
        Input::stage("labels", dataset, "labels.json"),
        Input::stage("split", split, "membership.json"),
    ]
}

/// The settings of a training beside where it starts.
pub(super) struct Fitting<'a> {
    pub(super) fold: Option<u32>,
    pub(super) pixels: Pixels,
    pub(super) training: &'a Training,
}

impl Fitting<'_> {
    /// Lets the worker train. Its state lies in a folder of its own within the one that survives an interruption.
    pub(super) fn run(&self, start: Start, context: &Context<'_>) -> Result<()> {
        let job = Job::Fit(Fit {
            data: Data {
                pack: input(context, "pack")?,
                labels: input(context, "labels")?,
                split: input(context, "split")?,
                fold: self.fold,
            },
            pixels: self.pixels,
            training: self.training.clone(),
            start,
            device: context.device.to_owned(),
            threads: context.threads,
            out: context.out.to_owned(),
            state: context.state.join("training"),
        });
        context
            .worker
            .run(&job, context.state, context.tell, context.stop)
    }
}
