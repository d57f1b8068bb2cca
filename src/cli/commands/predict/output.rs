//! Predictions in a file: a table for spreadsheets, or a JSON object a line.

use std::path::Path;

use serde_json::Value;

use super::answers::Answers;
use crate::{
    cells,
    error::{Error, Result},
    files,
    text::{escaped, shown_path},
};

/// A form of predictions in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A row for each image.
    Csv,
    /// A JSON object for each image, a line each.
    JsonLines,
}

impl Form {
    /// By the ending of a name.
    ///
    /// # Errors
    /// When it names neither.
    pub(super) fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::JsonLines),
            _ => Err(Error::usage(format!(
                "`{}` names no form of predictions",
                shown_path(path)
            ))
            .help("end the name in `.csv` or `.jsonl`")),
        }
    }

    /// Writes answers in one step; whether there is none for an image.
    ///
    /// # Errors
    /// When they cannot be read, or the file cannot be written.
    pub(super) fn write(self, path: &Path, answers: &Answers<'_>) -> Result<bool> {
        files::replace_with(path, |to| {
            let fail = |e| Error::io("write", path, e);
            let mut failed = false;
            match self {
                Self::Csv => {
                    let fail = |e: csv::Error| fail(e.into());
                    let guesses = most(answers)?;
                    let cam = answers.cam.is_some();
                    let mut table = csv::Writer::from_writer(to);
                    table.write_record(header(guesses, cam)).map_err(fail)?;
                    answers.each(|one| {
                        failed |= one["error"].is_string();
                        table.write_record(row(one, guesses, cam)).map_err(fail)
                    })?;
                    table.flush().map_err(|e| fail(e.into()))?;
                }
                Self::JsonLines => answers.each(|one| {
                    failed |= one["error"].is_string();
                    writeln!(to, "{one}").map_err(fail)
                })?,
            }
            Ok(failed)
        })
    }
}

/// How many guesses the image with the most has.
fn most(answers: &Answers<'_>) -> Result<usize> {
    let mut most = 0;
    answers.each(|one| {
        most = most.max(one["guesses"].as_array().map_or(0, Vec::len));
        Ok(())
    })?;
    Ok(most)
}

/// `path,error,unknown,class_1,probability_1,…`, and last `cam` where pictures are written.
fn header(guesses: usize, cam: bool) -> Vec<String> {
    let mut names = ["path", "error", "unknown"].map(str::to_owned).to_vec();
    names.extend((1..=guesses).flat_map(|n| [format!("class_{n}"), format!("probability_{n}")]));
    names.extend(cam.then(|| "cam".to_owned()));
    names
}

fn row(one: &Value, guesses: usize, cam: bool) -> Vec<String> {
    // For a person: the form for programs is the other one.
    let told =
        |value: &Value| cells::guarded(&escaped(value.as_str().unwrap_or_default())).into_owned();
    let unknown = one["unknown"].as_bool().map(|said| said.to_string());
    let mut row = vec![
        told(&one["path"]),
        told(&one["error"]),
        unknown.unwrap_or_default(),
    ];
    for n in 0..guesses {
        let guess = &one["guesses"][n];
        let probability = guess["probability"].as_f64().map(|p| p.to_string());
        row.extend([told(&guess["class"]), probability.unwrap_or_default()]);
    }
    row.extend(cam.then(|| told(&one["cam"])));
    row
}
