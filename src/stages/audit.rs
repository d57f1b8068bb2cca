//! `[audit.x]`: what models say of images that they did not train on, to labels that are probably wrong.

use std::{collections::HashMap, path::Path};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    ToStage,
    judged::{self, JudgedImage},
};
use crate::{
    cells, config,
    error::{Error, Result},
    event::StageEvent,
    files,
    record::{LabelIssues, SuspiciousLabel},
    stage::{Context, Input, Stage},
    stats,
    text::{count, either, first_lines, number, shown},
};

/// Issues that are told by name.
const TOLD: usize = 5;

/// One `[audit.x]` instance.
pub(super) struct AuditStage {
    id: String,
    settings: config::Audit,
}

impl ToStage for config::Audit {
    fn to_stage(&self, id: &str, _: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(AuditStage {
            id: id.to_owned(),
            settings: self.clone(),
        }))
    }
}

impl Stage for AuditStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "audit"
    }

    fn version(&self) -> u32 {
        1
    }

    fn settings(&self) -> Value {
        let config::Audit {
            on,
            // Inputs, which are in the key by their content.
            from: _,
        } = &self.settings;
        json!({ "on": on })
    }

    fn inputs(&self) -> Vec<Input> {
        let models = self.settings.from.iter().enumerate();
        models.flat_map(|(i, id)| judged::inputs(i, id)).collect()
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[LabelIssues::FILE, LabelIssues::CORRECTIONS]
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let (classes, images) = self.judged(context)?;
        let found = issues(&classes, &images, self.settings.from.len());
        tell(&found, context);
        write_corrections(&context.out.join(LabelIssues::CORRECTIONS), &found)?;
        files::write_json(&context.out.join(LabelIssues::FILE), &found)
    }
}

impl AuditStage {
    /// The images of the parts that are asked for, each once, with the mean of the probabilities that models give; `logs` of an image are
    /// these probabilities.
    fn judged(&self, context: &Context<'_>) -> Result<(Vec<String>, Vec<JudgedImage>)> {
        let mut classes: Option<Vec<String>> = None;
        let mut images: Vec<(JudgedImage, f64)> = Vec::new();
        let mut place: HashMap<String, usize> = HashMap::new();
        for model in 0..self.settings.from.len() {
            let judged = judged::read(context, model)?;
            if classes.get_or_insert_with(|| judged.classes.clone()) != &judged.classes {
                return Err(Error::failed("the evaluations are not of the same classes"));
            }
            let asked = |image: &JudgedImage| self.settings.on.contains(&image.part);
            for mut image in judged.images.into_iter().filter(asked) {
                for log in &mut image.logs {
                    *log = log.exp();
                }
                match place.get(&image.path) {
                    Some(known) => {
                        let (sum, models) = &mut images[*known];
                        *models += 1.0;
                        for (all, more) in sum.logs.iter_mut().zip(image.logs) {
                            *all += more;
                        }
                    }
                    None => {
                        place.insert(image.path.clone(), images.len());
                        images.push((image, 1.0));
                    }
                }
            }
        }
        let mean = |(mut image, models): (JudgedImage, f64)| {
            for sum in &mut image.logs {
                *sum /= models;
            }
            image
        };
        Ok((
            classes.unwrap_or_default(),
            images.into_iter().map(mean).collect(),
        ))
    }
}

/// The labels that are probably wrong, of images with their probabilities.
fn issues(classes: &[String], images: &[JudgedImage], models: usize) -> LabelIssues {
    let probabilities: Vec<f64> = images.iter().flat_map(|i| i.logs.iter().copied()).collect();
    let labels: Vec<usize> = images.iter().map(|image| image.label).collect();
    let found = stats::label_issues(&probabilities, &labels, classes.len());
    let suspicious = |(rank, issue): (u64, stats::LabelIssue)| {
        let image = &images[issue.image];
        SuspiciousLabel {
            rank,
            part: image.part,
            path: image.path.clone(),
            given: classes[issue.given].clone(),
            suggested: classes[issue.suggested].clone(),
            given_probability: image.logs[issue.given],
            suggested_probability: image.logs[issue.suggested],
            margin: issue.margin,
        }
    };
    LabelIssues {
        judged: images.len() as u64,
        models: models as u64,
        issues: (1..).zip(found).map(suspicious).collect(),
    }
}

/// How many labels look wrong, and the worst of them.
fn tell(found: &LabelIssues, context: &Context<'_>) {
    let n = found.issues.len();
    let mut told = format!(
        "{} of {} {} wrong, by {} that did not train on them",
        number(n as u64),
        count(found.judged, "label"),
        either(n, "looks", "look"),
        count(found.models, "model"),
    );
    if n > 0 {
        let line = |issue: &SuspiciousLabel| {
            format!(
                "`{}` is given for `{}`, and looks like `{}` ({:.0}%, against {:.0}%)",
                shown(&issue.path),
                shown(&issue.given),
                shown(&issue.suggested),
                100.0 * issue.suggested_probability,
                100.0 * issue.given_probability,
            )
        };
        told += ":";
        told += &first_lines(found.issues.iter().map(line), TOLD);
    }
    (context.tell)(StageEvent::Note(told));
}

/// A row of `corrections.csv`.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(serialize_with = "cells::serialize")]
    path: &'a str,
    #[serde(serialize_with = "cells::serialize")]
    given: &'a str,
    #[serde(serialize_with = "cells::serialize")]
    suggested: &'a str,
    margin: f64,
}

fn write_corrections(path: &Path, found: &LabelIssues) -> Result<()> {
    let fail = |e: csv::Error| {
        let message = format!("cannot write `{}`", path.display());
        Error::failed(message).because(e)
    };
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_path(path)
        .map_err(fail)?;
    // The header stands there without rows too.
    writer
        .write_record(["path", "given", "suggested", "margin"])
        .map_err(fail)?;
    for issue in &found.issues {
        let row = Row {
            path: &issue.path,
            given: &issue.given,
            suggested: &issue.suggested,
            margin: issue.margin,
        };
        writer.serialize(row).map_err(fail)?;
    }
    writer.flush().map_err(|e| fail(e.into()))
}
