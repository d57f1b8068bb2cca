//! `[calibrate.x]`: an evaluation to a temperature, how sure the model is before and after, and from where on it may answer.

use serde_json::{Value, json};

use super::{ToStage, judged, part_logs::PartLogs};
use crate::{
    config,
    error::{Error, Result},
    event::StageEvent,
    files,
    record::{CalibratedPart, Calibration, Part, Sure, Threshold},
    stage::{Context, Input, Stage},
    stats::{self, Answer},
    text::fixed,
};

/// One `[calibrate.x]` instance.
pub(super) struct CalibrateStage {
    id: String,
    settings: config::Calibrate,
}

impl ToStage for config::Calibrate {
    fn to_stage(&self, id: &str, _: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(CalibrateStage {
            id: id.to_owned(),
            settings: self.clone(),
        }))
    }
}

impl Stage for CalibrateStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "calibrate"
    }

    /// 2: what chance makes of the calibration error, in the place of a bootstrap interval. 3: an interval that holds it.
    fn version(&self) -> u32 {
        3
    }

    fn settings(&self) -> Value {
        let config::Calibrate {
            precision,
            // An input, which is in the key by its content.
            from: _,
        } = &self.settings;
        json!({ "precision": precision })
    }

    fn inputs(&self) -> Vec<Input> {
        judged::inputs(0, &self.settings.from)
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[Calibration::FILE]
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let judged = judged::read(context, 0)?;
        let validation = PartLogs::of(&judged, Part::Validation).ok_or_else(|| {
            Error::usage(
                "the evaluation has no image in `validation`, where the temperature is fitted",
            )
            .help("give the split a larger `validation` share or more images, or `folds`")
        })?;
        let precision = self.settings.precision.map(|p| p.get());
        let test = PartLogs::of(&judged, Part::Test);
        let parts: Vec<PartLogs> = [Some(validation), test].into_iter().flatten().collect();
        let calibration = calibration(&parts, precision);
        for line in told(&calibration) {
            (context.tell)(StageEvent::Note(line));
        }
        if !calibration.fitted {
            (context.tell)(StageEvent::Warning(
                "on `validation` no temperature is the best, as where every image is right: it stays 1".to_owned(),
            ));
        }
        files::write_json(&context.out.join(Calibration::FILE), &calibration)
    }
}

/// The first part is the one that is fitted on.
fn calibration(parts: &[PartLogs], precision: Option<f64>) -> Calibration {
    let fit = |part: &PartLogs| stats::temperature(&part.logs, &part.labels, part.classes);
    let (temperature, fitted) = parts.first().map_or((1.0, false), fit);
    let temperature = if fitted { temperature } else { 1.0 };
    let after: Vec<PartLogs> = parts.iter().map(|p| p.tempered(temperature)).collect();
    let answers: Vec<Vec<Answer>> = after.iter().map(PartLogs::answers).collect();
    let threshold = precision.map(|precision| {
        let validation = answers.first().map_or(&[][..], Vec::as_slice);
        let probability = stats::threshold(validation, precision);
        let kept = |from| answers.iter().map(|a| stats::sure(a, from)).collect();
        Threshold {
            precision,
            probability,
            kept: probability.map_or_else(Vec::new, kept),
        }
    });
    let part =
        |((before, after), answers): ((&PartLogs, &PartLogs), &Vec<Answer>)| CalibratedPart {
            part: before.part,
            images: before.labels.len() as u64,
            before: before.sureness(),
            after: after.sureness(),
            coverage: stats::coverage(answers),
        };
    Calibration {
        temperature,
        fitted,
        parts: parts.iter().zip(&after).zip(&answers).map(part).collect(),
        threshold,
    }
}

/// The temperature, what it does on each part, and what a threshold promises and keeps.
fn told(found: &Calibration) -> Vec<String> {
    let mut lines = vec![format!("temperature {:.3}", found.temperature)];
    for part in &found.parts {
        lines.push(format!(
            "{}: calibration error {:.1}% before, {:.1}% after; loss {} before, {} after",
            part.part.name(),
            100.0 * part.before.ece,
            100.0 * part.after.ece,
            fixed(part.before.loss, 3),
            fixed(part.after.loss, 3),
        ));
    }
    let Some(threshold) = &found.threshold else {
        return lines;
    };
    let wanted = 100.0 * threshold.precision;
    let Some(probability) = threshold.probability else {
        lines.push(format!(
            "no probability has {wanted}% precision on validation"
        ));
        return lines;
    };
    let parts = found.parts.iter().zip(&threshold.kept);
    lines.push(format!(
        "{wanted}% precision is asked for: answers from a probability of {probability:.3} on"
    ));
    lines.extend(parts.map(|(part, sure)| promise(part.part, sure)));
    lines
}

/// "test: 94.1% [91.2, 96.4] of the answers are right, on 83.0% of the photographs".
fn promise(part: Part, sure: &Sure) -> String {
    let share = |a: u64, b: u64| 100.0 * a as f64 / (b as f64).max(1.0);
    format!(
        "{}: {:.1}% [{:.1}, {:.1}] of the answers are right, on {:.1}% of the photographs",
        part.name(),
        share(sure.right, sure.answered),
        100.0 * sure.interval.low,
        100.0 * sure.interval.high,
        share(sure.answered, sure.images),
    )
}
