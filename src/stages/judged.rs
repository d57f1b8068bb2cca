//! What evaluations say of images, read from their files.

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, Result},
    files,
    record::{Evaluation, LogProbabilities, Part, Prediction},
    stage::{Desk, Input},
    text::shown_path,
};

/// The files of an evaluation that are read.
const OUTPUTS: [(&str, &str); 3] = [
    ("metrics", Evaluation::FILE),
    ("predictions", Prediction::FILE),
    ("log_probabilities", LogProbabilities::FILE),
];

/// What a model says of images.
pub(super) struct Judged {
    /// Class names in the order of columns.
    pub classes: Vec<String>,
    /// The images in the order of the evaluation.
    pub images: Vec<JudgedImage>,
}

/// What a model says of one image.
pub(super) struct JudgedImage {
    /// The part that it belongs to.
    pub part: Part,
    /// As in `images.json`.
    pub path: String,
    /// The place of its class.
    pub label: usize,
    /// The logarithm of the probability of each class.
    pub logs: Vec<f64>,
}

/// The inputs that [`read`] reads, of the evaluation in this place.
pub(super) fn inputs(place: usize, id: &str) -> Vec<Input> {
    let input = |(what, output)| Input::stage(role(place, what), id, output);
    OUTPUTS.map(input).into()
}

fn role(place: usize, what: &str) -> String {
    format!("evaluation.{place:04}.{what}")
}

/// Reads the evaluation in this place.
///
/// # Errors
/// When a file cannot be read, or they are not of one evaluation.
pub(super) fn read(desk: &Desk<'_>, place: usize) -> Result<Judged> {
    let [metrics, predictions, logs] = OUTPUTS.map(|(what, _)| desk.input(&role(place, what)));
    read_files(&metrics?, &predictions?, &logs?)
}

/// Reads the evaluation whose outputs lie where `output` says by their names.
///
/// # Errors
/// As [`read`], and when an output cannot be had.
pub(super) fn read_outputs(output: impl Fn(&str) -> Result<PathBuf>) -> Result<Judged> {
    let [metrics, predictions, logs] = OUTPUTS.map(|(_, name)| output(name));
    read_files(&metrics?, &predictions?, &logs?)
}

fn read_files(metrics: &Path, predictions: &Path, log_probabilities: &Path) -> Result<Judged> {
    let evaluation: Evaluation = files::read_json(metrics)?;
    let predictions = Prediction::read_all(predictions)?;
    let classes = evaluation.classes;
    let logs = numbers(log_probabilities)?;
    let shape = evaluation.log_probabilities.map(|said| said.shape);
    let expected = [predictions.len(), classes.len()];
    if shape != Some(expected) || logs.len() != predictions.len() * classes.len() {
        return Err(Error::failed(format!(
            "`{}` does not hold the log-probabilities of {} images and {} classes",
            shown_path(log_probabilities),
            expected[0],
            expected[1]
        )));
    }
    let mut images = Vec::with_capacity(predictions.len());
    for (prediction, logs) in predictions
        .into_iter()
        .zip(logs.chunks(classes.len().max(1)))
    {
        let label = classes.iter().position(|class| *class == prediction.label);
        let label = label.ok_or_else(|| {
            let message = format!("`{}` is no class of the evaluation", prediction.label);
            Error::failed(message)
        })?;
        images.push(JudgedImage {
            part: prediction.part,
            path: prediction.path,
            label,
            logs: logs.to_vec(),
        });
    }
    Ok(Judged { classes, images })
}

/// The numbers of 32 bits in a file, little-endian.
fn numbers(path: &Path) -> Result<Vec<f64>> {
    let bytes = files::read(path)?;
    let number = |four: &[u8; 4]| f64::from(f32::from_le_bytes(*four));
    Ok(bytes.as_chunks().0.iter().map(number).collect())
}
