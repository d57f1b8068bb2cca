//! `[split.x]`: labels to `membership.json`.

use crate::{
    config,
    data::{folds, hold_out},
    error::{Error, Result},
    event::StageEvent,
    files::{read_json, write_json},
    record::{EvaluatePart, Labels, Part},
    stage::{Context, Input, Stage},
};

/// The share held out where a pipeline says neither `validation` nor `folds`.
const VALIDATION: f64 = 0.2;

/// Divides the training part, stratified by class; the test part stays what it is.
pub struct SplitStage {
    id: String,
    settings: config::Split,
}

impl SplitStage {
    /// From its settings in a pipeline.
    #[must_use]
    pub fn new(id: &str, settings: &config::Split) -> Self {
        Self {
            id: id.to_owned(),
            settings: settings.clone(),
        }
    }

    fn share(&self) -> f64 {
        self.settings
            .validation
            .map_or(VALIDATION, |share| share.get())
    }
}

impl Stage for SplitStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "split"
    }

    fn version(&self) -> u32 {
        1
    }

    fn settings(&self) -> serde_json::Value {
        let seed = self.settings.seed;
        match self.settings.folds {
            Some(folds) => serde_json::json!({ "folds": folds, "seed": seed }),
            None => serde_json::json!({ "validation": self.share(), "seed": seed }),
        }
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input::stage(
            "labels",
            &self.settings.dataset,
            "labels.json",
        )]
    }

    fn outputs(&self) -> &'static [&'static str] {
        &["membership.json"]
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let labels: Labels = read_json(&context.inputs["labels"])?;
        let train = labels.labels.iter().filter(|l| l.part == Part::Train);
        let train = train.count();
        if train == 0 {
            return Err(Error::usage(
                "the data set has no training part, so there is nothing to split",
            )
            .help("give the dataset a `train` folder"));
        }
        let seed = self.settings.seed;
        let (split, told) = match self.settings.folds {
            Some(k) => folds(&labels, k.get(), seed),
            None => hold_out(&labels, self.share(), seed),
        };
        if let Some(k) = split.folds {
            let smallest = split.members(EvaluatePart::Validation, Some(k - 1)).len();
            if smallest == 0 {
                return Err(Error::usage(format!(
                    "`folds = {k}` of {train} images leaves folds without an image"
                ))
                .help("take fewer folds, or more images"));
            }
        }
        if let Some(told) = told {
            (context.tell)(StageEvent::Warning(told));
        }
        write_json(&context.out.join("membership.json"), &split)
    }
}
