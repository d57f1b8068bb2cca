//! `kfood config`: the settings of this place that are in effect, and where each was said.

use std::{env, path::PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{args::Overrides, print, team},
    config::{self, InEffect, PlaceFile, Whence},
    error::Result,
    report::{Align, Grid},
    text::shown_path,
};

/// Show the settings of this place (kfood.toml and your own), and where each was said.
///
/// With a pipeline file or a folder: what holds for that one. The options of `kfood run` are taken too, and shown as it would take
/// them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Config {
    /// A pipeline file or a folder [default: the working folder].
    pub of: Option<PathBuf>,
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(flatten)]
    pub team: team::Asked,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn config(args: &Config) -> Result<u8> {
    let of = args.of.clone();
    let of = of.unwrap_or_else(|| env::current_dir().unwrap_or_default());
    let flags = [args.overrides.flags(), args.team.flags()?].concat();
    let place = config::place(&of, &flags, &config::environment)?;
    if args.json {
        let settings: Vec<_> = place.in_effect().iter().map(row).collect();
        let files = place.files.iter();
        let files: Vec<_> = files
            .map(|file| json!({ "path": shown_path(&file.path), "there": file.there }))
            .collect();
        print::json(&json!({ "settings": settings, "files": files }))?;
        return Ok(0);
    }
    let mut grid = Grid::new(&[
        ("setting", Align::Left),
        ("value", Align::Left),
        ("from", Align::Left),
    ]);
    for setting in &place.in_effect() {
        let value = match &setting.value {
            Ok(value) => value.clone(),
            Err(words) => format!("({words})"),
        };
        grid.rows
            .push(vec![setting.setting.clone(), value, whence(setting)]);
    }
    print::told(&format!(
        "{}{}",
        grid.text(print::width()),
        files(&place.files)
    ))?;
    Ok(0)
}

/// Where a setting was said, in words.
fn whence(setting: &InEffect) -> String {
    match &setting.whence {
        Whence::Flag => "the command line".to_owned(),
        Whence::Environment(name) => (*name).to_owned(),
        Whence::File(place) => format!("{}:{}", shown_path(&place.file), place.line),
        Whence::Default => "default".to_owned(),
    }
}

fn row(setting: &InEffect) -> Value {
    let kind = match setting.whence {
        Whence::Flag => "flag",
        Whence::Environment(_) => "environment",
        Whence::File(_) => "file",
        Whence::Default => "default",
    };
    let (file, line) = match &setting.whence {
        Whence::File(place) => (Some(shown_path(&place.file)), Some(place.line)),
        _ => (None, None),
    };
    json!({
        "setting": setting.setting, "value": setting.value.as_ref().ok(), "from": kind, "file": file, "line": line,
    })
}

/// The files that are read, or would be.
fn files(files: &[PlaceFile]) -> String {
    let mut text = String::new();
    if !files.iter().any(|f| f.path.ends_with(config::PROJECT_FILE)) {
        text += "\nno `kfood.toml` here or above";
    }
    for file in files {
        let there = if file.there { "read" } else { "not there" };
        text += &format!("\n`{}`: {there}", shown_path(&file.path));
    }
    text
}
