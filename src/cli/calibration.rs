//! The calibration that a command names.

use std::path::Path;

use super::{open, print};
use crate::{
    config::{Evaluate, ModelSource, Settings},
    digest::Digest,
    error::{Error, Result},
    event::Silent,
    exec::Summary,
    files,
    record::{Calibration, model_files},
    settings::Tta,
    text::shown,
};

/// The finished result of a `calibrate` stage, `FILE:STAGE`; tells where it was fitted on another model than this file, or under other
/// views than `tta`.
///
/// # Errors
/// When there is no such stage, or it has no finished result.
pub(super) fn calibrated(stage: &str, model: &Path, tta: &[Tta]) -> Result<Calibration> {
    let (opened, index) = open::one_stage(stage)?;
    let instance = &opened.pipeline.instances[index];
    let Settings::Calibrate(settings) = &instance.settings else {
        let kind = instance.settings.kind();
        let message = format!(
            "`{}` is of kind `{kind}`, expected `calibrate`",
            shown(stage)
        );
        return Err(Error::usage(message)
            .help("add `[calibrate.sure]` with `from = \"an evaluate stage\"`, and run it"));
    };
    let summary = open::finished(&opened, std::slice::from_ref(&instance.id), &Silent)?;
    let found = files::read_json(&summary.output(&instance.id, Calibration::FILE)?)?;
    let evaluate = opened
        .pipeline
        .instances
        .iter()
        .find(|i| i.id == settings.from);
    if let Some(Settings::Evaluate(evaluate)) = evaluate.map(|i| &i.settings)
        && judged(evaluate, &summary)? != Digest::of_file(model)?
    {
        print::say(&format!(
            "warning: `{}` was fitted on another model file than this one: its temperature and threshold may not hold",
            shown(stage)
        ));
    }
    if let Some(Settings::Evaluate(evaluate)) = evaluate.map(|i| &i.settings) {
        tell_views(stage, &evaluate.tta, tta);
    }
    Ok(found)
}

/// Says where a calibration was fitted on other views of a photograph than the model's answers here are made of.
fn tell_views(stage: &str, fitted: &[Tta], used: &[Tta]) {
    if fitted == used {
        return;
    }
    let views = |tta: &[Tta]| match tta {
        [] => "one view".to_owned(),
        tta => {
            let names: Vec<_> = tta.iter().map(|t| format!("\"{}\"", t.name())).collect();
            format!("`tta = [{}]`", names.join(", "))
        }
    };
    print::say(&format!(
        "warning: `{}` was fitted under {}, and is used for {} here: its temperature and threshold may not hold",
        shown(stage),
        views(fitted),
        views(used)
    ));
}

/// The digest of the model that an evaluation judged.
pub(super) fn judged(evaluate: &Evaluate, summary: &Summary) -> Result<Digest> {
    let path = match &evaluate.model {
        ModelSource::File { path, .. } => path.path.clone(),
        ModelSource::Ensemble { id } => summary.output(id, model_files::ENSEMBLE)?,
        ModelSource::Stage { id, checkpoint } => {
            summary.output(id, model_files::of(*checkpoint))?
        }
    };
    Digest::of_file(&path)
}
