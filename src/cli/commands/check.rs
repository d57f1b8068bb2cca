//! `kfood check`: every mistake of every file, and what the files name that is not there.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::print,
    config::{self, DataPath, Pipeline},
    error::Result,
    text::{count, more, shown, shown_path},
};

/// Read a pipeline file and report every mistake in it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// Pipeline files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// So many missing paths are listed for people.
const LISTED: usize = 10;

/// The exit code is 2 when there is a mistake in a file. What is not there yet is told and is no mistake: a file is often
/// checked where its data are not.
pub(in crate::cli) fn check(args: &Check) -> Result<u8> {
    let checked: Vec<_> = args
        .files
        .iter()
        .map(|file| (file, config::load(file)))
        .collect();
    let mistaken = checked.iter().any(|(_, loaded)| loaded.is_err());
    let code = if mistaken { 2 } else { 0 };
    if args.json {
        let all = checked.iter().map(|(_, loaded)| loaded.as_ref());
        let mistakes = all.clone().filter_map(|loaded| loaded.err());
        let mistakes: Vec<_> = mistakes.flat_map(config::Mistakes::rows).collect();
        let missing = all.filter_map(|loaded| loaded.ok());
        let missing: Vec<_> = missing.flat_map(Pipeline::missing).map(row).collect();
        print::json(&json!({ "mistakes": mistakes, "missing": missing }))?;
        return Ok(code);
    }
    for (file, loaded) in checked {
        match loaded {
            Ok(pipeline) => {
                print::notes(&pipeline);
                let stages = count(pipeline.instances.len(), "stage");
                let told = told(&pipeline.missing());
                print::told(&format!("{}: {stages}, {told}", shown_path(file)))?;
            }
            Err(mistakes) => print::error(&mistakes.into()),
        }
    }
    Ok(code)
}

/// "no mistakes", and what is not there.
fn told(missing: &[&DataPath]) -> String {
    match missing.is_empty() {
        true => "no mistakes".to_owned(),
        false => format!("no mistakes in the file, but not there:{}", listed(missing)),
    }
}

/// What is not there, a line for each, as it is written, with its place in the file and where it is looked for.
pub(super) fn listed(missing: &[&DataPath]) -> String {
    let mut text = String::new();
    for path in missing.iter().take(LISTED) {
        let place = &path.location;
        text += &format!(
            "\n  `{}` ({}:{})",
            shown(&path.written),
            shown_path(&place.file),
            place.line
        );
        if path.path.as_os_str() != path.written.as_str() {
            text += &format!(": `{}`", shown_path(&path.path));
        }
    }
    match missing.len().saturating_sub(LISTED) {
        0 => text,
        rest => format!("{text}\n  {} (`--json` has all)", more(rest as u64)),
    }
}

fn row(path: &DataPath) -> Value {
    json!({
        "file": shown_path(&path.location.file), "line": path.location.line, "column": path.location.column,
        "written": path.written, "path": shown_path(&path.path),
    })
}
