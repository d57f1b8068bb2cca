//! The card of a model, collected from its file and from its pipeline.

use std::path::Path;

use crate::{
    cli::{
        behind::resolved,
        calibration::judged,
        open::{self, Opened},
        results,
    },
    config::{Evaluate, ModelSource, Settings},
    digest::Digest,
    error::{Error, Result},
    event::Silent,
    exec::Summary,
    files, model,
    report::{self, Card, Results},
    text::shown_path,
};

/// Writes the card of a model: of a stage with what its pipeline tells, of a file with what it says about itself.
///
/// # Errors
/// When the model does not say its classes, or the card cannot be written.
pub(super) fn write(
    named: &str,
    (file, key): (&Path, Option<Digest>),
    weights: Option<&str>,
    to: &Path,
) -> Result<()> {
    let state = model::load_weights(file, weights)?;
    let info = state.info.as_ref().ok_or_else(|| {
        Error::usage(format!(
            "`{}` does not say its classes, its transform and its data: there is nothing to tell of it",
            shown_path(file)
        ))
        .help("name a stage of a pipeline, or a file that kfood wrote")
    })?;
    let mut card = Card {
        name: named.to_owned(),
        info,
        key,
        settings: Vec::new(),
        results: Results::default(),
        of_another_state: Vec::new(),
    };
    if open::stage(named).is_ok() {
        fill(&mut card, named, file)?;
    }
    let text = report::card(&card)?;
    files::replace_with(to, |out| {
        out.write_all(text.as_bytes())
            .map_err(|e| Error::io("write", to, e))
    })
}

/// What the pipeline tells of the model of one stage.
fn fill(card: &mut Card<'_>, named: &str, file: &Path) -> Result<()> {
    let (opened, index) = open::one_stage(named)?;
    let id = opened.stages[index].id();
    let newest = open::newest(&opened, &opened.targets(&[]), true, &Silent)?;
    let mut found = results::collect_what_is_there(&opened, &newest);
    found.evaluations.retain(|evaluated| {
        let settings = evaluate(&opened, &evaluated.id);
        settings.is_some_and(
            |settings| matches!(&settings.model, ModelSource::Stage { id: of, .. } if of == id),
        )
    });
    let kept = |of: &str| found.evaluations.iter().any(|e| e.id == of);
    found.calibrations.retain(|calibrated| kept(&calibrated.of));
    found.trainings.retain(|trained| trained.id == id);
    found.audits.clear();
    found.unused.clear();
    found.jobs.clear();
    let digest = Digest::of_file(file)?;
    card.of_another_state = of_another_state(&opened, &newest.summary, &found, digest)?;
    let stage = &opened.stages[index];
    card.settings = resolved(&**stage);
    card.results = found;
    Ok(())
}

/// Evaluations that judged another file than this one.
fn of_another_state(
    opened: &Opened,
    summary: &Summary,
    found: &Results,
    digest: Digest,
) -> Result<Vec<String>> {
    let mut other = Vec::new();
    for evaluated in &found.evaluations {
        if let Some(settings) = evaluate(opened, &evaluated.id)
            && judged(settings, summary)? != digest
        {
            other.push(evaluated.id.clone());
        }
    }
    Ok(other)
}

/// The settings of an evaluation.
fn evaluate<'a>(opened: &'a Opened, id: &str) -> Option<&'a Evaluate> {
    let found = opened.pipeline.instances.iter().find(|i| i.id == id)?;
    match &found.settings {
        Settings::Evaluate(settings) => Some(settings),
        _ => None,
    }
}
