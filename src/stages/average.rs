//! `[average.x]`: finished models to one whose weights are their mean.

use serde_json::{Value, json};
use std::path::Path;

use super::{ToStage, fitting, past};
use crate::{
    config,
    error::Result,
    record::{self, Averaging, History, Job, model_files},
    settings::AverageRule,
    stage::{Desk, Input, Past, Resource, Stage},
};

/// One `[average.x]` instance.
pub(super) struct AverageStage {
    id: String,
    settings: config::Average,
}

impl ToStage for config::Average {
    fn to_stage(&self, id: &str, _: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(AverageStage {
            id: id.to_owned(),
            settings: self.clone(),
        }))
    }
}

impl Stage for AverageStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "average"
    }

    fn version(&self) -> u32 {
        1
    }

    fn settings(&self) -> Value {
        let config::Average {
            rule,
            by,
            batch_norm,
            fold,
            batch_size,
            seed,
            // Inputs, which are in the key by their content; `checkpoint` says which of a member's outputs is one.
            from: _,
            checkpoint: _,
            data: _,
            dataset: _,
            split: _,
        } = &self.settings;
        json!({
            "rule": rule,
            "by": (*rule == AverageRule::Greedy).then_some(by),
            "batch_norm": batch_norm,
            "fold": fold,
            "batch_size": batch_size,
            "seed": seed,
        })
    }

    fn inputs(&self) -> Vec<Input> {
        let s = &self.settings;
        let output = s
            .checkpoint
            .one()
            .map_or(model_files::KEPT, model_files::of);
        let member = |(i, id): (usize, &String)| Input::stage(role(i), id, output);
        let mut all = fitting::inputs(&s.data, &s.dataset, &s.split);
        all.extend(s.from.iter().enumerate().map(member));
        all
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[
            model_files::BEST,
            model_files::LAST,
            History::FILE,
            Averaging::FILE,
        ]
    }

    fn written(&self, setting: &str) -> String {
        past::written(setting)
    }

    fn changed(&self, role: &str, before: &Path, now: &Path) -> Option<String> {
        past::changed(role, before, now)
    }

    fn estimate(&self, past: &Past<'_>) -> Option<f64> {
        past::by_images(past)
    }

    fn resource(&self) -> Resource {
        Resource::Tensor
    }

    fn job(&self, desk: &Desk<'_>) -> Result<Option<Job>> {
        let s = &self.settings;
        let members = (0..s.from.len()).map(|i| desk.input(&role(i)));
        Ok(Some(Job::Average(record::Average {
            data: fitting::data(s.fold, desk)?,
            members: members.collect::<Result<_>>()?,
            names: s.from.clone(),
            rule: s.rule,
            by: s.by,
            batch_norm: s.batch_norm,
            batch_size: s.batch_size.get(),
            seed: s.seed,
            device: desk.device.to_owned(),
            threads: desk.threads,
            out: desk.out.to_owned(),
        })))
    }
}

fn role(member: usize) -> String {
    format!("member.{member:04}")
}
