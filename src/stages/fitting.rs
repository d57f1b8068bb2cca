//! What train and transfer share: their inputs, their outputs, and the job for the worker.

use std::path::Path;

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::input;
use crate::{
    digest::unseal,
    error::Result,
    files::{read_json, read_text},
    record::{Data, Fit, History, Job, Start},
    settings::{Pixels, Save, Training},
    stage::{Context, Input, Reuse, TakesOver},
};

/// The outputs of a training.
pub(super) fn outputs(training: &Training) -> &'static [&'static str] {
    const ALL: &[&str] = &["best.safetensors", "last.safetensors", "history.json", KEPT];
    match training.keep_last {
        Some(_) => ALL,
        None => &ALL[..3],
    }
}

/// The output with the models of several last epochs.
pub(super) const KEPT: &str = "kept.safetensors";

/// The folder of a training's own state, within the one that survives an interruption.
const STATE: &str = "training";

/// A longer training goes on where a shorter one ended.
pub(super) const REUSE: Reuse = Reuse::OtherSetting(&["training", "epochs"]);

/// Whether this training goes on where one with another number of epochs, whose result lies in a folder, ended.
pub(super) fn takes_over(training: &Training, earlier: &Path) -> Option<TakesOver> {
    let history: History = read_json(&earlier.join("history.json")).ok()?;
    let done = history.epochs.len() as u32;
    let asked = history.asked()?;
    let no = |why: String| Some(TakesOver::Nothing(format!("starts anew: {why}")));
    if done > training.epochs.get() {
        return no(format!(
            "of the earlier result of {done} epochs no state after epoch {} was kept",
            training.epochs.get()
        ));
    }
    if let Err(why) = training.goes_on_from(asked) {
        return no(why);
    }
    let left = earlier.join(Fit::LEFT);
    if !left.is_dir() {
        return no(format!(
            "the earlier result of {done} epochs has no state to go on from"
        ));
    }
    if saved::<IgnoredAny>(&left).is_none() {
        return no(format!(
            "the state that the earlier result of {done} epochs left is damaged or was written by another kfood"
        ));
    }
    Some(TakesOver::From {
        rank: u64::from(done),
        what: format!("goes on from epoch {done} of an earlier result"),
    })
}

/// What `state.json` in a folder says, if it is whole.
fn saved<T: DeserializeOwned>(folder: &Path) -> Option<T> {
    let text = read_text(&folder.join("state.json")).ok()?;
    serde_json::from_str(unseal(&text).ok()?).ok()
}

/// Where an interrupted training goes on, given the folder that survived it.
pub(super) fn resumes(state: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Index {
        now: Now,
    }
    #[derive(Deserialize)]
    struct Now {
        history: History,
        within: Option<Within>,
    }
    #[derive(Deserialize)]
    struct Within {
        steps: u64,
    }
    let Index { now } = saved(&state.join(STATE))?;
    let done = now.history.epochs.len();
    Some(match now.within {
        Some(Within { steps }) => format!("goes on after step {steps} of epoch {}", done + 1),
        None => format!("goes on after epoch {done}"),
    })
}

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
    pub(super) save: Save,
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
            state: context.state.join(STATE),
            save: self.save,
            earlier: context.earlier.to_vec(),
        });
        context
            .worker
            .run(&job, context.state, context.tell, context.stop)
    }
}
