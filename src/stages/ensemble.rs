//! `[ensemble.x]`: finished models to one file that holds them all.

use serde_json::{Value, json};

use super::model_file::state_output;
use crate::{
    config,
    error::Result,
    model,
    stage::{Context, Input, Stage},
};

/// One `[ensemble.x]` instance.
pub struct EnsembleStage {
    id: String,
    settings: config::Ensemble,
}

impl EnsembleStage {
    /// From its settings.
    #[must_use]
    pub fn new(id: &str, settings: &config::Ensemble) -> Self {
        Self {
            id: id.to_owned(),
            settings: settings.clone(),
        }
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
        let output = state_output(self.settings.checkpoint);
        let member = |(i, id): (usize, &String)| Input::stage(role(i), id, output);
        self.settings.from.iter().enumerate().map(member).collect()
    }

    fn outputs(&self) -> &'static [&'static str] {
        &["ensemble.safetensors"]
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let members = (0..self.settings.from.len())
            .map(|i| model::load(&context.input(&role(i))?))
            .collect::<Result<Vec<_>>>()?;
        model::write_ensemble(&context.out.join("ensemble.safetensors"), &members)
    }
}

fn role(member: usize) -> String {
    format!("member.{member:04}")
}
