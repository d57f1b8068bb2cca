//! `kfood predict`: the first guesses for images.

mod output;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;

use self::output::Form;

use crate::{
    cli::{
        args::{device, tta},
        calibration::calibrated,
        open, print,
        progress::Progress,
        results,
        scratch::Scratch,
    },
    config::of_elsewhere,
    data::pictures,
    error::{Error, Result},
    event::{Event, Observer},
    exec::worker::Process,
    files,
    name::nfc,
    record::{self, Calibration, Job, ModelFile},
    report::{Align, Grid},
    settings::Tta,
    stage::Worker,
    text::{count, shown_path},
};

/// Classify images, or all images in folders.
#[derive(Debug, Args)]
pub(in crate::cli) struct Predict {
    /// A model file, or a stage of a pipeline: pipelines/mission2.toml:best.
    #[arg(long, short, value_name = "MODEL")]
    pub model: String,
    /// Of a file that holds several sets of weights, one: state_dict_ema.
    #[arg(long, value_name = "NAME")]
    pub weights: Option<String>,
    /// For a model that does not name its classes: a text file of their names, a line each, in the order of its outputs.
    #[arg(long, value_name = "LIST")]
    pub classes: Option<PathBuf>,
    /// Images, or folders of images; `-` reads their paths from standard input, a line each.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    /// Guesses for each image.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,
    /// Average over further views of each image: horizontal_flip, five_crop, or both.
    #[arg(long, value_name = "VIEW", value_delimiter = ',', value_parser = tta)]
    pub tta: Vec<Tta>,
    /// A calibration of the model: a `calibrate` stage, pipelines/mission2.toml:sure. Probabilities are those under its temperature.
    #[arg(long, value_name = "FILE:STAGE")]
    pub calibration: Option<String>,
    /// Answer "unknown" where the first guess is less probable than the threshold of the calibration (its `precision`).
    #[arg(long, requires = "calibration")]
    pub unknown: bool,
    /// Where tensors live: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: String,
    /// Write them into a file instead: .csv, or .jsonl with a JSON object a line.
    #[arg(long, short, value_name = "FILE", conflicts_with = "json")]
    pub output: Option<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn predict(args: &Predict) -> Result<u8> {
    let form = args.output.as_deref().map(Form::of).transpose()?;
    let model = open::model(&args.model)?;
    let calibration = args.calibration.as_deref();
    let calibration = calibration
        .map(|stage| calibrated(stage, &model))
        .transpose()?;
    let threshold = threshold(args, calibration.as_ref())?;
    let images = images(&given(&args.images)?)?;
    let folder = Scratch::new()?;
    let job = Job::Predict(record::Predict {
        model: ModelFile {
            path: model,
            normalize: None,
            classes: args.classes.as_deref().map(class_names).transpose()?,
            weights: args.weights.clone(),
            pretrained: None,
        },
        images: images.clone(),
        top: args.top,
        tta: args.tta.clone(),
        temperature: calibration.map(|found| found.temperature),
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
    let predictions = files::read_json(&folder.path().join("predictions.json"))?;
    let predictions = with_paths(predictions, &images);
    let predictions = with_unknown(predictions, threshold);
    let failed = predictions
        .iter()
        .any(|p| p.get("error").is_some_and(|e| !e.is_null()));
    if let (Some(form), Some(path)) = (form, &args.output) {
        form.write(path, &predictions)?;
        let images = count(predictions.len(), "image");
        print::say(&format!("{}: written, {images}", shown_path(path)));
    } else if args.json {
        print::json(&predictions)?;
    } else {
        print::out(&table(&predictions))?;
    }
    Ok(u8::from(failed))
}

/// The least probability of an answer, where that is asked for.
fn threshold(args: &Predict, calibration: Option<&Calibration>) -> Result<Option<f64>> {
    let Some(found) = calibration.filter(|_| args.unknown) else {
        return Ok(None);
    };
    let stage = args.calibration.as_deref().unwrap_or_default();
    let (message, help) = match &found.threshold {
        Some(threshold) => match threshold.probability {
            Some(probability) => return Ok(Some(probability)),
            None => (
                format!(
                    "`{stage}` found no probability with {}% precision",
                    100.0 * threshold.precision
                ),
                "ask it for a lower `precision`",
            ),
        },
        None => (
            format!("`{stage}` has no threshold, for no `precision` is asked for there"),
            "give that stage `precision = 0.95`, and run it",
        ),
    };
    Err(Error::usage(message).help(help))
}

/// Says of each image whether the first guess is less probable than that.
fn with_unknown(mut predictions: Vec<Value>, threshold: Option<f64>) -> Vec<Value> {
    let Some(threshold) = threshold else {
        return predictions;
    };
    for prediction in &mut predictions {
        let first = prediction["guesses"][0]["probability"].as_f64();
        if let Some(probability) = first {
            prediction["unknown"] = (probability < threshold).into();
        }
    }
    predictions
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

/// What is named on the command line, and for `-` on standard input, where a path stands on each line.
fn given(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in named {
        if path.as_os_str() != "-" {
            all.push(path.clone());
            continue;
        }
        let mut lines = String::new();
        std::io::stdin().read_to_string(&mut lines).map_err(|e| {
            Error::usage("standard input holds no paths in UTF-8")
                .because(e)
                .help("give a path on each line, as `find photos -name '*.jpg'` does")
        })?;
        let lines = lines.lines().filter(|line| !line.is_empty());
        all.extend(lines.map(PathBuf::from));
    }
    Ok(all)
}

/// Files as given, and from given folders what a data set would take from them, in the order of names; what was passed over
/// is told.
fn images(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let mut told = Vec::new();
    for path in given {
        // A link that leads nowhere is a file that cannot be used, as it is in a folder.
        if !path.exists() && !path.is_symlink() {
            let (message, help) = elsewhere(path);
            return Err(Error::usage(message).help(help));
        }
        if path.is_dir() {
            let (found, passed_over) = pictures(path)?;
            for path in found {
                all.push(absolute(&path)?);
            }
            if passed_over.total() > 0 {
                told.push(format!("`{}`: {passed_over}", shown_path(path)));
            }
        } else {
            all.push(absolute(path)?);
        }
    }
    for line in &told {
        print::say(line);
    }
    if all.is_empty() {
        return Err(Error::usage("there are no images in what was given")
            .help("name image files, or folders that hold some"));
    }
    Ok(all)
}

/// What is wrong with a path to nothing, and the way out.
fn elsewhere(path: &Path) -> (String, String) {
    let written = path.to_str().and_then(|text| of_elsewhere(text, path));
    written.unwrap_or_else(|| {
        let message = format!("there is no image or folder `{}`", shown_path(path));
        let help = "name image files, or folders that hold some; a path is relative to the folder that you are in";
        (message, help.to_owned())
    })
}

/// A path that is no text is shown as one, with its bytes beside it.
fn with_paths(mut predictions: Vec<Value>, images: &[PathBuf]) -> Vec<Value> {
    for (prediction, path) in predictions.iter_mut().zip(images) {
        if path.to_str().is_none() {
            prediction["path_bytes"] = prediction["path"]["bytes"].take();
            prediction["path"] = shown_path(path).into();
        }
    }
    predictions
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
            None if prediction["unknown"] == true => {
                format!("unknown ({})", guesses(&prediction["guesses"]))
            }
            None => guesses(&prediction["guesses"]),
        };
        grid.rows
            .push(vec![results::shown(Path::new(path)), guesses]);
    }
    grid.text(print::width())
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
