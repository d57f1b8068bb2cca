//! `kfood report --mlflow`: the results of a pipeline as runs of MLflow, on a server or in a folder.

mod folder;
mod server;

use std::path::{Path, PathBuf};

use self::{folder::Folder, server::Server};
use super::{behind::settings_behind, open::Opened, print};
use crate::{
    error::{Error, Result},
    exec::Summary,
    record::{Evaluation, History, Prediction, model_files},
    report::{MlflowRun, Results},
    text::{count, shown_path},
};

/// The tags by which a run is found again: two stages may have one result, and each is a run.
const KEY: &str = "kfood.key";
const STAGE: &str = "kfood.stage";
/// What puts a run below another one in MLflow's table.
const PARENT: &str = "mlflow.parentRunId";

/// A file that goes with a run.
struct Artifact {
    /// `model/best.safetensors`.
    name: &'static str,
    path: PathBuf,
}

/// Where runs are kept.
trait Store {
    /// The number of the experiment of this name, made where there is none.
    fn experiment(&mut self, name: &str) -> Result<String>;

    /// Keeps a run, below another one where that is named, and gives its id; and whether it was there already, whole. One that may change
    /// (`renewed`) has its files replaced then.
    fn keep(&mut self, run: &Kept<'_>) -> Result<(String, bool)>;
}

/// A run that is to be kept.
struct Kept<'a> {
    experiment: &'a str,
    run: &'a MlflowRun,
    parent: Option<&'a str>,
    files: &'a [Artifact],
    renewed: bool,
}

impl Kept<'_> {
    /// The stage that it is of; that of the pipeline is of none.
    fn stage(&self) -> Option<&str> {
        let mut tags = self.run.tags.iter();
        let found = tags.find(|(name, _)| name == STAGE);
        found.map(|(_, stage)| stage.as_str())
    }
}

/// Keeps a run for the pipeline, with its page as an artifact, and below it one for each training and each evaluation, with the model and
/// the predictions; each once, whatever is reported again. `to` is an address, or a folder for `mlflow migrate-filestore`.
///
/// # Errors
/// When the server cannot be reached or refuses, a result cannot be read, or a file cannot be written.
pub(super) fn report(
    to: &str,
    opened: &Opened,
    summary: &Summary,
    results: &Results,
    page: &Path,
) -> Result<()> {
    let mut store: Box<dyn Store> = match to.contains("://") {
        true => Box::new(Server::at(to)?),
        false => Box::new(Folder::at(Path::new(to))?),
    };
    let file = &opened.pipeline.file;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let experiment = store.experiment(&name)?;
    let runs = runs(opened, summary, results)?;
    let pipeline = MlflowRun {
        key: format!("pipeline {name}"),
        name: name.clone().into_owned(),
        began: runs.iter().map(|(run, _)| run.began).min().unwrap_or(0),
        ended: runs.iter().map(|(run, _)| run.ended).max().unwrap_or(0),
        tags: vec![("kfood.pipeline".to_owned(), results.pipeline.clone())],
        ..MlflowRun::default()
    };
    let page = [Artifact {
        name: "report.html",
        path: page.to_owned(),
    }];
    let (parent, _) = store.keep(&Kept {
        experiment: &experiment,
        run: &pipeline,
        parent: None,
        files: &page,
        renewed: true,
    })?;
    let mut there = 0;
    for (run, files) in &runs {
        let (_, was_there) = store.keep(&Kept {
            experiment: &experiment,
            run,
            parent: Some(&parent),
            files,
            renewed: false,
        })?;
        there += usize::from(was_there);
    }
    let written = count(runs.len() - there, "run");
    let before = match there {
        0 => String::new(),
        n => format!(", {n} there already"),
    };
    let to = shown_path(Path::new(to));
    print::say(&format!(
        "{to}: experiment `{name}`, {written} written{before}"
    ));
    Ok(())
}

/// Trainings and evaluations, each with its files.
fn runs(
    opened: &Opened,
    summary: &Summary,
    results: &Results,
) -> Result<Vec<(MlflowRun, Vec<Artifact>)>> {
    let mut runs = Vec::new();
    let made = |id: &str| {
        let record = summary.record(id);
        record.ok_or_else(|| Error::failed(format!("`{id}` has no finished result")))
    };
    for trained in &results.trainings {
        let id = trained.id.as_str();
        let record = made(id)?;
        let settings = settings_behind(&opened.cache, record).settings;
        let settings = settings.iter().map(|(name, v)| (name.as_str(), v.as_str()));
        let run = MlflowRun::of_training(trained, record.key.to_string(), settings);
        let files = [
            ("model/best.safetensors", model_files::BEST),
            (History::FILE, History::FILE),
        ];
        runs.push((run, artifacts(summary, id, &files)?));
    }
    for evaluated in &results.evaluations {
        let id = evaluated.id.as_str();
        let record = made(id)?;
        let settings = settings_behind(&opened.cache, record).settings;
        let settings = settings.iter().map(|(name, v)| (name.as_str(), v.as_str()));
        let key = record.key.to_string();
        let run = MlflowRun::of_evaluation(evaluated, key, record.started, settings);
        let files = [
            (Evaluation::FILE, Evaluation::FILE),
            (Prediction::FILE, Prediction::FILE),
        ];
        runs.push((run, artifacts(summary, id, &files)?));
    }
    Ok(runs)
}

fn artifacts(summary: &Summary, id: &str, files: &[(&'static str, &str)]) -> Result<Vec<Artifact>> {
    let artifact = |(name, output): &(&'static str, &str)| {
        let path = summary.output(id, output)?;
        Ok(Artifact { name, path })
    };
    files.iter().map(artifact).collect()
}
