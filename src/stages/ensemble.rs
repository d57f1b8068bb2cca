//! `[ensemble.x]`: finished models to one file that holds them all.

use serde_json::{Value, json};

use super::ToStage;
use crate::{
    config,
    error::Result,
    model,
    record::model_files,
    stage::{Context, Input, Stage},
};

/// One `[ensemble.x]` instance.
pub(super) struct EnsembleStage {
    id: String,
    settings: config::Ensemble,
}

impl ToStage for config::Ensemble {
    fn to_stage(&self, id: &str, _: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(EnsembleStage {
            id: id.to_owned(),
            settings: self.clone(),
        }))
    }
}

impl Stage for EnsembleStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "ensemble"
    }

    fn version(&self) -> u32 {
        1
    }

    /// Which models, and which state of them, is in the inputs' content.
    fn settings(&self) -> Value {
        let config::Ensemble {
            from: _,
            checkpoint: _,
        } = &self.settings;
        json!({})
    }

    fn inputs(&self) -> Vec<Input> {
        let output = model_files::of(self.settings.checkpoint);
        let member = |(i, id): (usize, &String)| Input::stage(role(i), id, output);
        self.settings.from.iter().enumerate().map(member).collect()
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[model_files::ENSEMBLE]
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let members = (0..self.settings.from.len())
            .map(|i| model::load(&context.input(&role(i))?))
            .collect::<Result<Vec<_>>>()?;
        model::write_ensemble(&context.out.join(model_files::ENSEMBLE), &members)
    }
}

fn role(member: usize) -> String {
    format!("member.{member:04}")
}
