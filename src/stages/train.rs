//! `[train.x]`: a pack and a split to a model.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    ToStage,
    fitting::{Fitting, REUSE, estimate, inputs, outputs, resumes, takes_over},
    past,
};
use crate::{
    config,
    error::Result,
    record::{Job, Start},
    settings::Pixels,
    stage::{Desk, Input, Past, Resource, Reuse, Stage, TakesOver},
};

/// Trains a network from scratch.
pub(super) struct TrainStage {
    id: String,
    settings: config::Train,
    pixels: Pixels,
}

impl ToStage for config::Train {
    fn to_stage(&self, id: &str, pipeline: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(TrainStage {
            id: id.to_owned(),
            settings: self.clone(),
            pixels: super::pack(pipeline, &self.data)?.pixels,
        }))
    }
}

impl Stage for TrainStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "train"
    }

    fn version(&self) -> u32 {
        2
    }

    /// What the network's family does not have is not named. `pixels` are in the pack already, and in the checkpoint's transform too.
    fn settings(&self) -> Value {
        let config::Train {
            network,
            fold,
            training,
            // Inputs, which are in the key by their content.
            data: _,
            dataset: _,
            split: _,
            // No result depends on it.
            save: _,
        } = &self.settings;
        let mut settings = json!(network);
        if let Some(revision) = network.arch.family().revision {
            settings["revision"] = json!(revision);
        }
        settings["fold"] = json!(fold);
        settings["pixels"] = json!(self.pixels);
        settings["training"] = json!(training);
        settings
    }

    fn inputs(&self) -> Vec<Input> {
        let s = &self.settings;
        inputs(&s.data, &s.dataset, &s.split)
    }

    fn outputs(&self) -> &'static [&'static str] {
        outputs(&self.settings.training)
    }

    fn reuses(&self) -> Reuse {
        REUSE
    }

    fn takes_over(&self, earlier: &Path) -> Option<TakesOver> {
        takes_over(&self.settings.training, earlier)
    }

    fn resumes(&self, state: &Path) -> Option<String> {
        resumes(state)
    }

    fn written(&self, setting: &str) -> String {
        past::written(setting)
    }

    fn changed(&self, role: &str, before: &Path, now: &Path) -> Option<String> {
        past::changed(role, before, now)
    }

    fn estimate(&self, past: &Past<'_>) -> Option<f64> {
        let (training, fold) = (&self.settings.training, self.settings.fold);
        estimate(
            training,
            fold,
            &self.settings(),
            &["/arch", "/pixels"],
            past,
        )
    }

    fn resource(&self) -> Resource {
        Resource::Tensor
    }

    fn job(&self, desk: &Desk<'_>) -> Result<Option<Job>> {
        let fitting = Fitting {
            fold: self.settings.fold,
            pixels: self.pixels,
            training: &self.settings.training,
            save: self.settings.save,
        };
        fitting.job(Start::Scratch(self.settings.network), desk)
    }
}
