//! `kfood report`: the results of a pipeline, for a browser, as Markdown or for a terminal.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    cli::{
        open::{self, Opened},
        print,
        progress::Progress,
        results, thumbnails,
    },
    error::{Error, Result},
    exec::Summary,
    files,
    report::{self as render, Format, Images, NotOfNow, Results, Table},
    text::{count, either, shown_path},
};

/// Write the results of a pipeline, as far as they are there: a page for a browser, or Markdown.
#[derive(Debug, Args)]
pub(in crate::cli) struct Report {
    /// The pipeline file.
    pub file: PathBuf,
    /// Where to write it: `report.html` is one page with charts and photographs, `report.md` is Markdown; stdout without.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Of which images a page shows photographs.
    #[arg(long, value_enum, default_value_t = Shown::Errors)]
    pub images: Shown,
    /// Write the courses of the trainings as event files into this folder instead, for `tensorboard --logdir FOLDER`.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["output", "json"])]
    pub tensorboard: Option<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What `--json` says.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    table: Table,
    not_of_now: &'a [NotOfNow],
}

/// Of which images photographs are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Shown {
    /// Of mistakes and of what else looks wrong.
    Errors,
    /// Of all that were judged, up to 1,200.
    All,
    /// Of none.
    None,
}

pub(in crate::cli) fn report(args: &Report) -> Result<u8> {
    let opened = open::open(&args.file)?;
    let newest = open::newest(&opened, &opened.targets(&[]), true, &Progress::new())?;
    let results = results::collect_what_is_there(&opened, &newest);
    results::tell_not_of_now(&results.not_of_now);
    if let Some(folder) = &args.tensorboard {
        return tensorboard(&results, folder).map(|()| 0);
    }
    if args.json {
        print::json(&Told {
            table: render::table(&results),
            not_of_now: &results.not_of_now,
        })?;
        return Ok(0);
    }
    match &args.output {
        Some(path) => write(args, path, &opened, &newest.summary, &results)?,
        // Who reads it in a terminal is shown tables; what is redirected is a file.
        None => {
            let document = render::report(&results, None, Images::None)?;
            print::out(&match print::width() {
                Some(width) => document.terminal(Some(width)),
                None => document.markdown(),
            })?;
        }
    }
    Ok(0)
}

fn write(
    args: &Report,
    path: &Path,
    opened: &Opened,
    summary: &Summary,
    results: &Results,
) -> Result<()> {
    let format = Format::of(path);
    let images = match args.images {
        Shown::Errors if format.pictures => Images::Errors,
        Shown::All if format.pictures => Images::All,
        _ => Images::None,
    };
    let document = render::report(results, None, images)?;
    let pictures = thumbnails::pictures(opened, summary, &document)?;
    let text = (format.write)(&document, &pictures)?;
    files::replace_with(path, |to| {
        to.write_all(text.as_bytes())
            .map_err(|e| Error::io("write", path, e))
    })?;
    print::say(&format!("{}: written", shown_path(path)));
    let n = pictures.from_pack();
    if n > 0 {
        print::say(&format!(
            "note: {} {} shown as in the pack, for the {} gone or changed",
            count(n, "photograph"),
            either(n, "is", "are"),
            either(n, "file is", "files are")
        ));
    }
    Ok(())
}

/// `FOLDER/STAGE/train` and `…/validation`, an event file in each; one from an earlier report is replaced.
fn tensorboard(results: &Results, folder: &Path) -> Result<()> {
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
