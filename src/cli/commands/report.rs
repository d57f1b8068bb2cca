//! `kfood report`: the results of a finished pipeline, as Markdown or for a terminal.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    cli::{open, print, progress::Progress, results},
    error::{Error, Result},
    files,
    report::{self as render, Format},
    text::shown_path,
};

/// Write the results of a finished pipeline as Markdown.
#[derive(Debug, Args)]
pub(in crate::cli) struct Report {
    /// The pipeline file.
    pub file: PathBuf,
    /// Where to write it; stdout without.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the courses of the trainings as event files into this folder instead, for `tensorboard --logdir FOLDER`.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["output", "json"])]
    pub tensorboard: Option<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn report(args: &Report) -> Result<u8> {
    let opened = open::open(&args.file)?;
    let summary = open::finished(&opened, &opened.targets(&[]), &Progress::new())?;
    let results = results::collect(&opened, &summary, true)?;
    if let Some(folder) = &args.tensorboard {
        return tensorboard(&results, folder).map(|()| 0);
    }
    if args.json {
        print::json(&render::table(&results))?;
        return Ok(0);
    }
    let document = render::report(&results, None)?;
    match &args.output {
        Some(path) => {
            let text = (Format::of(path).write)(&document);
            files::replace_with(path, |to| {
                to.write_all(text.as_bytes())
                    .map_err(|e| Error::io("write", path, e))
            })?;
            print::say(&format!("{}: written", shown_path(path)));
        }
        // Who reads it in a terminal is shown tables; what is redirected is a file.
        None => print::out(&match print::width() {
            Some(width) => document.terminal(Some(width)),
            None => document.markdown(),
        })?,
    }
    Ok(0)
}

/// `FOLDER/STAGE/train` and `…/validation`, an event file in each; one from an earlier report is replaced.
fn tensorboard(results: &render::Results, folder: &Path) -> Result<()> {
    if results.trainings.is_empty() {
        return Err(Error::usage("the pipeline has no training"));
    }
    for trained in &results.trainings {
        let timing = trained.timing.as_ref().map_or(&[][..], |t| &t.epochs);
        for (part, bytes) in render::event_files(&trained.history, timing, trained.started) {
            let place = folder.join(&trained.id).join(part);
            files::create_folder(&place)?;
            let path = place.join(render::EVENT_FILE);
            files::replace_with(&path, |to| {
                to.write_all(&bytes)
                    .map_err(|e| Error::io("write", &path, e))
            })?;
        }
    }
    let shown = shown_path(folder);
    print::say(&format!(
        "{shown}: written; look at it with `tensorboard --logdir {shown}`"
    ));
    Ok(())
}
