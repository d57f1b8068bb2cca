//! What train and transfer share: their inputs, their outputs, and the job for the worker.

use std::path::Path;

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

use super::past;
use crate::{
    data::Pack,
    digest::unseal,
    error::Result,
    files::{read_json, read_text},
    record::{Data, Fit, History, Job, Labels, Split, Start, Timing, model_files},
    settings::{Pixels, Save, Training},
    stage::{Desk, Input, Past, Reuse, TakesOver},
    text::count,
};

/// The outputs of a training.
pub(super) fn outputs(training: &Training) -> &'static [&'static str] {
    const ALL: &[&str] = &[
        model_files::BEST,
        model_files::LAST,
        History::FILE,
        model_files::KEPT,
    ];
    const BEST: &[&str] = &[model_files::BEST, History::FILE];
    match (training.only(), training.keep_last) {
        (Some(_), _) => BEST,
        (None, Some(_)) => ALL,
        (None, None) => &ALL[..3],
    }
}

/// The folder of a training's own state, within the one that survives an interruption.
const STATE: &str = "training";

/// A longer training goes on where a shorter one ended.
pub(super) const REUSE: Reuse = Reuse::OtherSetting(&["training", "epochs"]);

/// Whether this training goes on where one with another number of epochs, whose result lies in a folder, ended.
pub(super) fn takes_over(training: &Training, earlier: &Path) -> Option<TakesOver> {
    let history: History = read_json(&earlier.join(History::FILE)).ok()?;
    let done = history.epochs.len() as u32;
    let asked = history.asked()?;
    let no = |why: String| Some(TakesOver::Nothing(format!("starts anew: {why}")));
    if done > training.epochs.get() {
        return no(format!(
            "of the earlier result of {} no state after epoch {} was kept",
            count(done, "epoch"),
            training.epochs.get()
        ));
    }
    if let Err(why) = training.goes_on_from(asked) {
        return no(why);
    }
    let left = earlier.join(Fit::LEFT);
    if training.only().is_some() {
        return no(format!(
            "the earlier result of {} kept its best state alone (`keep`)",
            count(done, "epoch")
        ));
    }
    if !left.is_dir() {
        return no(format!(
            "the earlier result of {} has no state to go on from",
            count(done, "epoch")
        ));
    }
    if saved::<IgnoredAny>(&left).is_none() {
        return no(format!(
            "the state that the earlier result of {} left is damaged or was written by another kfood",
            count(done, "epoch")
        ));
    }
    Some(TakesOver::From {
        rank: u64::from(done),
        what: format!("goes on from epoch {done} of an earlier result"),
    })
}

/// What `state.json` in a folder says, if it is whole.
fn saved<T: DeserializeOwned>(folder: &Path) -> Option<T> {
    let text = read_text(&folder.join(Fit::INDEX)).ok()?;
    serde_json::from_str(unseal(&text).ok()?).ok()
}

/// How far an interrupted or a running training has come.
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

/// The epochs that an attempt at a training has behind it, given the folder that survives it; `None` where nothing was kept yet.
pub(crate) fn history_so_far(state: &Path) -> Option<History> {
    let Index { now } = saved(&state.join(STATE))?;
    Some(now.history)
}

/// Where an interrupted training goes on, given the folder that survived it.
pub(super) fn resumes(state: &Path) -> Option<String> {
    let Index { now } = saved(&state.join(STATE))?;
    let done = now.history.epochs.len();
    Some(match now.within {
        Some(Within { steps }) => format!("goes on after step {steps} of epoch {}", done + 1),
        None => format!("goes on after epoch {done}"),
    })
}

/// What a training would take, by the time that an epoch took before: only of the epochs that are left, and for as many images
/// as there are now. `decisive` are the settings that decide how long an image takes.
pub(super) fn estimate(
    training: &Training,
    fold: Option<u32>,
    settings: &Value,
    decisive: &[&str],
    past: &Past<'_>,
) -> Option<f64> {
    if !past::same(settings, past.settings, decisive) {
        return None;
    }
    let timing: Timing = read_json(&past.folder.join(Timing::FILE)).ok()?;
    let last = timing.epochs.last()?;
    let an_epoch =
        timing.epochs.iter().map(|epoch| epoch.seconds).sum::<f64>() / timing.epochs.len() as f64;
    let own = timing.epochs.iter().skip(timing.resumed_after_epoch);
    let beside = (past.seconds - own.map(|epoch| epoch.seconds).sum::<f64>()).max(0.0);
    let images =
        past::trained_on(past, fold).map_or(1.0, |now| now as f64 / last.images.max(1) as f64);
    let begun = history_so_far(past.state).map(|history| history.epochs.len() as u64);
    let done = begun.unwrap_or_else(|| {
        let earlier = past
            .reused
            .iter()
            .filter_map(|folder| takes_over(training, folder));
        let ranks = earlier.map(|over| match over {
            TakesOver::From { rank, .. } => rank,
            TakesOver::Nothing(_) => 0,
        });
        ranks.max().unwrap_or(0)
    });
    let left = u64::from(training.epochs.get()).saturating_sub(done);
    let estimate = beside + an_epoch * images * left as f64;
    estimate.is_finite().then_some(estimate)
}

/// The inputs of a training: the ids of a preprocess, a dataset and a split instance.
pub(super) fn inputs(data: &str, dataset: &str, split: &str) -> Vec<Input> {
    vec![
        Input::stage("pack", data, Pack::FILE),
        Input::stage("labels", dataset, Labels::FILE),
        Input::stage("split", split, Split::FILE),
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
    /// The worker's job. Its state lies in a folder of its own within the one that survives an interruption.
    pub(super) fn job(&self, start: Start, desk: &Desk<'_>) -> Result<Option<Job>> {
        Ok(Some(Job::Fit(Fit {
            data: data(self.fold, desk)?,
            pixels: self.pixels,
            training: self.training.clone(),
            start,
            device: desk.device.to_owned(),
            threads: desk.threads,
            out: desk.out.to_owned(),
            state: desk.state.join(STATE),
            key: Some(desk.key),
            kin: Some(desk.kin),
            save: self.save,
            earlier: desk.earlier.to_vec(),
        })))
    }
}

/// The inputs of a training, for a job.
pub(super) fn data(fold: Option<u32>, desk: &Desk<'_>) -> Result<Data> {
    Ok(Data {
        pack: desk.input("pack")?,
        labels: desk.input("labels")?,
        split: desk.input("split")?,
        fold,
    })
}
