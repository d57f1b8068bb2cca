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
    record::Calibration,
    settings::Checkpoint,
    text::shown,
};

/// The finished result of a `calibrate` stage, `FILE:STAGE`; tells where it was fitted on another model than this file.
///
/// # Errors
/// When there is no such stage, or it has no finished result.
pub(super) fn calibrated(stage: &str, model: &Path) -> Result<Calibration> {
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
    Ok(found)
}

/// The digest of the model that an evaluation judged.
pub(super) fn judged(evaluate: &Evaluate, summary: &Summary) -> Result<Digest> {
    let path = match &evaluate.model {
        ModelSource::File { path, .. } => path.path.clone(),
        ModelSource::Ensemble { id } => summary.output(id, "ensemble.safetensors")?,
        ModelSource::Stage { id, checkpoint } => summary.output(
            id,
            match checkpoint {
                Checkpoint::Best => "best.safetensors",
                Checkpoint::Last => "last.safetensors",
            },
        )?,
    };
    Digest::of_file(&path)
}
