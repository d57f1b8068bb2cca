//! `kfood predict`: the first guesses for images.

use std::path::{Path, PathBuf};

use serde_json::Value;
use walkdir::WalkDir;

use crate::{
    cli::{args::Predict, open, print, progress::Progress, results},
    data::may_be_image,
    error::{Error, Result},
    event::{Event, Observer},
    exec::worker::Process,
    files,
    name::nfc,
    record::{self, Job, ModelFile},
    report::{Align, Grid},
    stage::Worker,
    text::shown_path,
};

pub(in crate::cli) fn predict(args: &Predict) -> Result<u8> {
    let model = open::model(&args.model)?;
    let images = images(&args.images)?;
    let folder = tempfile::tempdir()
        .map_err(|e| Error::failed("cannot make a temporary folder").because(e))?;
    let job = Job::Predict(record::Predict {
        model: ModelFile {
            path: model,
            normalize: None,
            classes: args.classes.as_deref().map(class_names).transpose()?,
            weights: args.weights.clone(),
        },
        images,
        top: args.top,
        tta: args.tta.clone(),
        device: args.device.clone(),
        threads: open::threads(),
        out: folder.path().to_owned(),
    });
    let progress = Progress::new();
    let tell = |event| {
        progress.observe(&Event::Stage {
            id: "predict".to_owned(),
            event,
        });
    };
    Process::beside_this_program()?.run(&job, folder.path(), &tell, &open::stop_on_signals()?)?;
    progress.end("predict");
    let predictions: Vec<Value> = files::read_json(&folder.path().join("predictions.json"))?;
    let failed = predictions
        .iter()
        .any(|p| p.get("error").is_some_and(|e| !e.is_null()));
    if args.json {
        print::json(&predictions)?;
    } else {
        print::out(&table(&predictions))?;
    }
    Ok(u8::from(failed))
}

/// The names of classes in a text file, a line each.
fn class_names(path: &Path) -> Result<Vec<String>> {
    let bytes = files::read_bounded(path, 64 << 20)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        Error::usage(format!("`{}` is no text in UTF-8", shown_path(path))).because(e)
    })?;
    let text = text.trim_start_matches('\u{feff}').trim_end();
    Ok(text.lines().map(|line| nfc(line.trim())).collect())
}

/// Files as given, and from given folders every file that is neither hidden nor of a well-known other kind, in the order of
/// names.
fn images(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in given {
        if !path.exists() {
            return Err(Error::usage(format!(
                "there is no image or folder `{}`",
                shown_path(path)
            )));
        }
        if path.is_file() {
            all.push(absolute(path)?);
            continue;
        }
        let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
        let entries = WalkDir::new(path)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|e| e.depth() == 0 || !hidden(e.file_name()));
        for entry in entries {
            let entry = entry.map_err(|e| {
                Error::failed(format!("cannot list `{}`", shown_path(path))).because(e)
            })?;
            if entry.file_type().is_file() && may_be_image(entry.path()) {
                all.push(absolute(entry.path())?);
            }
        }
    }
    if all.is_empty() {
        return Err(Error::usage("there are no images in what was given"));
    }
    Ok(all)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| Error::io("find", path, e))
}

fn table(predictions: &[Value]) -> String {
    let mut grid = Grid::new(&[("image", Align::Left), ("guesses", Align::Left)]);
    for prediction in predictions {
        let path = prediction["path"].as_str().unwrap_or_default();
        let guesses = match prediction["error"].as_str() {
            Some(error) => error.to_owned(),
            None => guesses(&prediction["guesses"]),
        };
        grid.rows
            .push(vec![results::shown(Path::new(path)), guesses]);
    }
    grid.text(None)
}

fn guesses(guesses: &Value) -> String {
    let guess = |guess: &Value| {
        let class = guess["class"].as_str().unwrap_or_default();
        let probability = guess["probability"].as_f64().unwrap_or_default();
        format!("{class} {:.1}%", 100.0 * probability)
    };
    let all: Vec<_> = guesses
        .as_array()
        .into_iter()
        .flatten()
        .map(guess)
        .collect();
    all.join(", ")
}
