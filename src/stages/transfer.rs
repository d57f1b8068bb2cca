//! `[transfer.x]`: a model, a pack and a split to a model.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    ToStage,
    fitting::{Fitting, REUSE, estimate, inputs, outputs, resumes, takes_over},
    model_file::{asked, given_normalize, model_file, model_input, model_of},
    past,
};
use crate::{
    config,
    error::Result,
    files::FileList,
    record::{Job, Start},
    settings::{Pixels, TransferHead},
    stage::{Desk, Input, Past, Resource, Reuse, Stage, TakesOver},
};

/// Trains another model's network on with a new head.
pub(super) struct TransferStage {
    id: String,
    settings: config::Transfer,
    pixels: Pixels,
}

impl ToStage for config::Transfer {
    fn to_stage(&self, id: &str, pipeline: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(TransferStage {
            id: id.to_owned(),
            settings: self.clone(),
            pixels: super::pack(pipeline, &self.data)?.pixels,
        }))
    }
}

impl Stage for TransferStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "transfer"
    }

    fn version(&self) -> u32 {
        2
    }

    fn settings(&self) -> Value {
        let config::Transfer {
            model,
            fold,
            train_layers,
            gradual_unfreezing,
            stochastic_depth,
            dropout,
            head,
            keep_normalize,
            training,
            // Inputs, which are in the key by their content.
            data: _,
            dataset: _,
            split: _,
            // No result depends on it.
            save: _,
        } = &self.settings;
        let mut settings = json!({
            "fold": fold,
            "train_layers": train_layers,
            "gradual_unfreezing": gradual_unfreezing,
            "keep_normalize": keep_normalize,
            "source_normalize": given_normalize(model),
            "pixels": self.pixels,
            "training": training,
        });
        asked(model, &mut settings);
        for (name, given) in [("stochastic_depth", stochastic_depth), ("dropout", dropout)] {
            if let Some(given) = given {
                settings[name] = json!(given);
            }
        }
        if *head != TransferHead::New {
            settings["head"] = json!(head);
        }
        settings
    }

    fn inputs(&self) -> Vec<Input> {
        let s = &self.settings;
        let mut all = inputs(&s.data, &s.dataset, &s.split);
        all.push(model_input(&s.model));
        all
    }

    fn files(&self, role: &str) -> Result<FileList> {
        model_file(role, &self.settings.model)
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
            &["/pixels", "/train_layers"],
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
        let start = Start::Transfer {
            model: model_of(&self.settings.model, desk)?,
            train_layers: self.settings.train_layers,
            gradual_unfreezing: self.settings.gradual_unfreezing,
            stochastic_depth: self.settings.stochastic_depth,
            dropout: self.settings.dropout,
            keep_normalize: self.settings.keep_normalize,
            head: self.settings.head,
        };
        fitting.job(start, desk)
    }
}
