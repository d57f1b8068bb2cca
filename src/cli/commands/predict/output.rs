//! Predictions in a file: a table for spreadsheets, or a JSON object a line.

use std::path::Path;

use serde_json::Value;

use crate::{
    cells,
    error::{Error, Result},
    files,
    text::shown_path,
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

    /// Writes predictions in one step.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(self, path: &Path, predictions: &[Value]) -> Result<()> {
        let text = match self {
            Self::Csv => {
                csv(predictions).map_err(|e| Error::failed("cannot write a table").because(e))?
            }
            Self::JsonLines => predictions
                .iter()
                .flat_map(|one| format!("{one}\n").into_bytes())
                .collect(),
        };
        files::replace_with(path, |to| {
            to.write_all(&text).map_err(|e| Error::io("write", path, e))
        })
    }
}

/// `path,error,unknown,class_1,probability_1,…`, as many guesses as the image with the most has.
fn csv(predictions: &[Value]) -> Result<Vec<u8>, csv::Error> {
    let guesses = |one: &Value| one["guesses"].as_array().map_or(0, Vec::len);
    let most = predictions.iter().map(guesses).max().unwrap_or(0);
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut names = ["path", "error", "unknown"].map(str::to_owned).to_vec();
    names.extend((1..=most).flat_map(|n| [format!("class_{n}"), format!("probability_{n}")]));
    table.write_record(&names)?;
    let told = |value: &Value| cells::guarded(value.as_str().unwrap_or_default()).into_owned();
    for one in predictions {
        let unknown = one["unknown"].as_bool().map(|said| said.to_string());
        let mut row = vec![
            told(&one["path"]),
            told(&one["error"]),
            unknown.unwrap_or_default(),
        ];
        for n in 0..most {
            let guess = &one["guesses"][n];
            let probability = guess["probability"].as_f64().map(|p| p.to_string());
            row.extend([told(&guess["class"]), probability.unwrap_or_default()]);
        }
        table.write_record(&row)?;
    }
    table.into_inner().map_err(|e| e.into_error().into())
}
