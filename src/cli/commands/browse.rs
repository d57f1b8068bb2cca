//! `kfood browse`: a sheet of what a training sees.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{open, print, progress::Progress, scratch::Scratch},
    error::Result,
    event::{Event, Observer, Silent},
    exec::{self, Options, Summary, job, worker::Process},
    files,
    record::{self, Browsed, Fit, Images, Job, Labels, ModelFile, Start},
    report::{Align, Grid},
    stage::{Source, Stage, Worker},
    text::shown_path,
};

/// See what a training sees: a contact sheet (PNG) of its augmented photographs, epoch by epoch.
#[derive(Debug, Args)]
pub(in crate::cli) struct Browse {
    /// A train or transfer stage of a pipeline: pipelines/mission2.toml:deeper. What it reads is made first where that is pending.
    #[arg(value_name = "FILE:STAGE")]
    pub stage: String,
    /// The first epoch shown.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub epoch: u32,
    /// Epochs shown, one behind the other.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub epochs: u32,
    /// Photographs shown, spread over the training part.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub images: u32,
    /// Where to write the sheet.
    #[arg(short, long, value_name = "PNG", default_value = "browse.png")]
    pub out: PathBuf,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Does what is pending of the inputs of a training, and writes the sheet.
pub(in crate::cli) fn browse(args: &Browse) -> Result<u8> {
    let (opened, index) = open::one_training(&args.stage)?;
    let stage = opened.stages[index].as_ref();
    let folder = Scratch::new()?;
    let training = |path: &dyn Fn(&str, &str) -> Result<PathBuf>| {
        job::training(stage, path, folder.path(), "cpu", open::threads())
    };
    // What trains nothing is told before anything runs.
    let asked = training(&|_, output| Ok(output.into()))?;
    let keeps = kept_model(&asked).is_some();
    let worker = Process::beside_this_program()?;
    let (progress, stop) = (Progress::new(), open::stop_on_signals()?);
    // The model that a transfer begins with is not trained for a look.
    let targets = job::needs(stage, &["model"]);
    let summary = exec::run(
        &opened.stages,
        &Options {
            targets: targets.clone(),
            ..opened.options()
        },
        &opened.cache,
        &worker,
        &progress,
        &stop,
    )?;
    if let Some(error) = summary.first_error() {
        print::error(error);
        return Ok(error.class().exit_code());
    }
    let missing = folder.path().join("not trained yet");
    let fit = training(&|id, output| {
        if targets.iter().any(|target| target == id) {
            return summary.output(id, output);
        }
        if !keeps {
            return Ok(missing.clone());
        }
        let finished = open::finished(&opened, &[id.to_owned()], &Silent);
        let found = finished.and_then(|summary| summary.output(id, output));
        Ok(found.unwrap_or_else(|_| missing.clone()))
    })?;
    let browse = record::Browse {
        source: source(stage, &fit, &missing),
        fit,
        epoch: args.epoch,
        epochs: args.epochs,
        images: args.images,
    };
    let tell = |event| {
        progress.observe(&Event::Stage {
            id: "browse".to_owned(),
            event,
        });
    };
    worker.run(&Job::Browse(browse), folder.path(), &tell, &stop)?;
    progress.end("browse");
    files::replace_with_copy(&args.out, &folder.path().join(record::Browse::SHEET))?;
    let browsed: Browsed = files::read_json(&folder.path().join(Browsed::FILE))?;
    show(args, stage, &summary, &browsed)
}

/// The model whose normalisation a transfer keeps.
fn kept_model(fit: &Fit) -> Option<&ModelFile> {
    match &fit.start {
        Start::Transfer {
            model,
            keep_normalize: true,
            ..
        } => Some(model),
        _ => None,
    }
}

/// The model whose normalisation a transfer keeps, if it is there.
fn source(stage: &dyn Stage, fit: &Fit, missing: &Path) -> Option<ModelFile> {
    let model = kept_model(fit)?;
    if model.path == missing {
        print::say(&format!(
            "`{}` is not trained yet: shown without its normalisation, so that what is erased is black",
            giver(stage, "model").unwrap_or_default()
        ));
        return None;
    }
    Some(model.clone())
}

/// Which photograph stands in which line.
fn show(args: &Browse, stage: &dyn Stage, summary: &Summary, browsed: &Browsed) -> Result<u8> {
    let dataset = giver(stage, "labels").unwrap_or_default();
    let images: Images = files::read_json(&summary.output(&dataset, Images::FILE)?)?;
    let labels: Labels = files::read_json(&summary.output(&dataset, Labels::FILE)?)?;
    let of = |row: &usize| -> (String, String) {
        let path = images.images.get(*row).map(|i| i.path.clone());
        let class = labels.labels.get(*row).map(|l| l.class as usize);
        let class = class.and_then(|class| labels.classes.get(class).cloned());
        (path.unwrap_or_default(), class.unwrap_or_default())
    };
    if args.json {
        let lines = browsed.rows.iter().map(|row| {
            let (path, class) = of(row);
            json!({ "row": row, "path": path, "class": class })
        });
        let lines: Vec<_> = lines.collect();
        print::json(&json!({ "sheet": args.out, "epochs": browsed.epochs, "lines": lines }))?;
        return Ok(0);
    }
    let mut grid = Grid::new(&[
        ("line", Align::Right),
        ("class", Align::Left),
        ("photograph", Align::Left),
    ]);
    for (line, row) in (1..).zip(&browsed.rows) {
        let (path, class) = of(row);
        grid.rows.push(vec![line.to_string(), class, path]);
    }
    print::out(&grid.text(print::width()))?;
    let epochs: Vec<_> = browsed.epochs.iter().map(u32::to_string).collect();
    print::say(&format!(
        "{}: written; in each line the photograph, then what it is in epoch {}",
        shown_path(&args.out),
        epochs.join(", ")
    ));
    Ok(0)
}

/// The stage that gives an input.
fn giver(stage: &dyn Stage, role: &str) -> Option<String> {
    let input = stage.inputs().into_iter().find(|i| i.role == role)?;
    match input.source {
        Source::Stage { id, .. } => Some(id),
        Source::Files => None,
    }
}
