//! `kfood compare`: evaluations of several pipelines in one table, and image by image.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{open, print, progress::Progress, results},
    error::Result,
    record::EvaluatePart,
    report::{self, Document, Evaluated, Results},
};

/// Put the evaluations of several pipelines into one table and compare them image by image.
#[derive(Debug, Args)]
pub(in crate::cli) struct Compare {
    /// Pipeline files with finished results.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Markdown instead of a terminal table.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn compare(args: &Compare) -> Result<u8> {
    let mut all = Results::default();
    for file in &args.files {
        all.evaluations
            .extend(evaluations(file, args.files.len() > 1)?);
    }
    let table = report::table(&all);
    if args.json {
        let on = |part| report::compare(&all, part);
        return print::json(&json!({
            "results": table,
            "validation_comparisons": on(EvaluatePart::Validation)?,
            "comparisons": on(EvaluatePart::Test)?,
        }))
        .map(|()| 0);
    }
    let mut document = Document::from(table.block());
    document.blocks.extend(report::compared(&all)?);
    print::out(&match args.markdown {
        true => document.markdown(),
        false => document.terminal(print::width()),
    })?;
    Ok(0)
}

/// The file's own evaluations; among those of several files each has its file's name in front.
fn evaluations(file: &Path, several: bool) -> Result<Vec<Evaluated>> {
    let opened = open::open(file)?;
    let newest = open::newest(&opened, &opened.targets(&[]), true, &Progress::new())?;
    let results = results::collect_what_is_there(&opened, &newest);
    results::tell_not_of_now(&results.not_of_now);
    let mut found = results.evaluations;
    found.retain(|e| !e.stage.contains('.'));
    if several {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        for evaluated in &mut found {
            evaluated.id = format!("{name}.{}", evaluated.id);
            evaluated.stage = format!("{name}.{}", evaluated.stage);
        }
    }
    Ok(found)
}
