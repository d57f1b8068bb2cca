//! `kfood report`: the results of a pipeline, for a browser, as Markdown or for a terminal.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    cli::{
        documents, evidence,
        language::{self, Lang},
        mlflow,
        open::{self, Opened},
        page, print,
        progress::Progress,
        results,
        scratch::Scratch,
        serve::{self, Live},
        tensorboard, thumbnails,
    },
    digest::Digest,
    error::Result,
    event::Silent,
    exec::Newest,
    report::{self as render, Detail, Evidence, Format, Images, NotOfNow, Results, Table},
};

/// Write the results of a pipeline, as far as they are there: a page for a browser, or Markdown.
#[derive(Debug, Args)]
pub(in crate::cli) struct Report {
    /// The pipeline file.
    pub file: PathBuf,
    /// Only these stages and what they need.
    pub stages: Vec<String>,
    /// Where to write it, by the ending of its name.
    #[arg(short, long, value_name = "FILE", help = Format::told())]
    pub output: Option<PathBuf>,
    /// Of which images a page shows photographs.
    #[arg(long, value_enum, default_value_t = Shown::Errors)]
    pub images: Shown,
    /// Show in a page what speaks for each of the most confident mistakes (Grad-CAM); runs each model once.
    #[arg(long, requires = "output")]
    pub cam: bool,
    /// In which language; by `LC_ALL`, `LC_MESSAGES` or `LANG` where it is a page and not given.
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Write the courses of the trainings, their settings and the worst mistakes as event files into this folder instead, for `tensorboard --logdir FOLDER`.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["output", "json"])]
    pub tensorboard: Option<PathBuf>,
    /// Keep trainings and evaluations as runs of MLflow instead, with the page, models and predictions: on a tracking server (http://127.0.0.1:5000), or in a folder for `mlflow migrate-filestore`.
    #[arg(long, value_name = "URL|FOLDER", conflicts_with_all = ["output", "json", "tensorboard"])]
    pub mlflow: Option<String>,
    /// Show the page at `http://127.0.0.1:PORT/` and renew it while a run goes on; any free port without a number.
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "0", conflicts_with_all = ["output", "json", "tensorboard", "mlflow"])]
    pub serve: Option<u16>,
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
    /// Of all that were judged, up to 800 (40,000 in a zip).
    All,
    /// Of none.
    None,
}

pub(in crate::cli) fn report(args: &Report) -> Result<u8> {
    if let Some(port) = args.serve {
        return serve::serve(port, &|known| live(args, known)).map(|()| 0);
    }
    // Before there is work.
    args.output.as_deref().map(Format::of).transpose()?;
    let opened = open::open(&args.file)?;
    let newest = open::newest(
        &opened,
        &opened.targets(&args.stages),
        true,
        &Progress::new(),
    )?;
    let mut results = results::collect_what_is_there(&opened, &newest);
    results::tell_not_of_now(&results.not_of_now);
    if let Some(folder) = &args.tensorboard {
        return tensorboard::write(&opened, &newest.summary, &results, folder).map(|()| 0);
    }
    if args.json {
        print::json(&Told {
            table: render::table(&results),
            not_of_now: &results.not_of_now,
        })?;
        return Ok(0);
    }
    results.judged = results::judged(&opened.cache);
    if let Some(to) = &args.mlflow {
        return mlflow(args, to, &opened, &newest, results).map(|()| 0);
    }
    match &args.output {
        Some(path) => {
            let format = Format::of(path)?;
            if format.pictures {
                page::complete(&mut results, &opened, &newest, &args.stages);
            }
            let document = render::report(&results, None, detail(args, format))?;
            let document = document.in_language(language::of(args.lang, format.pictures));
            let evidence = match args.cam && format.pictures {
                true => evidence::of(&opened, &newest.summary, &document)?,
                false => Evidence::new(),
            };
            let origins = [("", &opened, &newest.summary)];
            documents::write(path, &document, &origins, evidence)?;
        }
        // Who reads it in a terminal is shown tables; what is redirected is a file.
        None => {
            let document = render::report(&results, None, Detail::default())?;
            let document = document.in_language(language::of(args.lang, false));
            print::told(&match print::width() {
                Some(width) => document.terminal(Some(width)),
                None => document.markdown(),
            })?;
        }
    }
    Ok(0)
}

/// Runs of MLflow, with the page that is reported otherwise.
fn mlflow(
    args: &Report,
    to: &str,
    opened: &Opened,
    newest: &Newest,
    mut results: Results,
) -> Result<()> {
    page::complete(&mut results, opened, newest, &args.stages);
    let document = render::report(&results, None, detail(args, Format::page()))?;
    let document = document.in_language(language::of(args.lang, true));
    let folder = Scratch::new()?;
    let page = folder.path().join("report.html");
    let origins = [("", opened, &newest.summary)];
    documents::silently(&page, &document, &origins, Evidence::new())?;
    mlflow::report(to, opened, &newest.summary, &results, &page)
}

/// The page as it stands now; `None` where its state is the one that is known.
fn live(args: &Report, known: &str) -> Result<Option<Live>> {
    let opened = open::open(&args.file)?;
    let newest = open::newest(&opened, &opened.targets(&args.stages), true, &Silent)?;
    let mut results = results::collect_what_is_there(&opened, &newest);
    let state = state(&newest, &results);
    if state == known {
        return Ok(None);
    }
    results.judged = results::judged(&opened.cache);
    page::complete(&mut results, &opened, &newest, &args.stages);
    let document = render::report(&results, None, detail(args, Format::page()))?;
    let document = document.in_language(language::of(args.lang, true));
    let pictures = thumbnails::pictures(&[("", &opened, &newest.summary)], &document)?;
    let html = document.html_served(&pictures, &state)?;
    Ok(Some(Live { state, html }))
}

/// What tells one state of a pipeline's results from another.
fn state(newest: &Newest, results: &Results) -> String {
    let records = newest.summary.stages().iter();
    let records = records.filter_map(|s| s.record.as_ref().map(|r| format!("{} {}", s.id, r.key)));
    let told = results.not_of_now.iter().map(render::not_of_now);
    let begun = results.begun.iter();
    let begun = begun.map(|b| format!("{} {} {}", b.id, b.history.epochs.len(), b.is_running));
    let all: Vec<String> = records.chain(told).chain(begun).collect();
    Digest::of(all.join("\n").as_bytes()).to_string()
}

fn detail(args: &Report, format: &Format) -> Detail {
    let images = match args.images {
        Shown::Errors if format.pictures => Images::Errors,
        Shown::All if format.pictures => Images::All,
        _ => Images::None,
    };
    Detail {
        images,
        most: format.most,
        page: format.pictures,
    }
}
