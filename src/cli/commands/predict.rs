//! `kfood predict`: the first guesses for images.

mod answers;
mod cam;
mod images;
mod output;
mod pattern;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;

use self::{answers::Answers, images::Asked, output::Form};

use crate::{
    cli::{
        args::{device, tta},
        calibration::calibrated,
        open, print,
        progress::Progress,
        results,
        scratch::Scratch,
    },
    error::{Error, Result},
    event::{Event, Observer},
    exec::worker::Process,
    files,
    name::{is_blank_name, nfc},
    record::{self, Calibration, Job, ModelFile},
    report::{Align, Grid},
    settings::Tta,
    stage::Worker,
    text::{self, count, shown_path},
};

/// Classify images: files, all in folders, zips or lists, and what patterns match.
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
    /// Images, folders, zips, patterns ('photos/**/*.jpg'), lists (.csv with a column `path`); `-` reads paths from standard input, a line each.
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
    /// Write a picture of each image into this folder, lit up where the evidence for the first guess lies (Grad-CAM).
    #[arg(long, value_name = "FOLDER")]
    pub cam: Option<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn predict(args: &Predict) -> Result<u8> {
    let form = args.output.as_deref().map(Form::of).transpose()?;
    let model = open::model(&args.model)?.path;
    let calibration = args.calibration.as_deref();
    let calibration = calibration
        .map(|stage| calibrated(stage, &model, &args.tta))
        .transpose()?;
    let threshold = threshold(args, calibration.as_ref())?;
    let given = images::given(&args.images)?;
    if let Some(path) = &args.output {
        refuse_over_an_input(path, &given)?;
    }
    let asked = images::asked(&given)?;
    if let Some(folder) = &args.cam {
        cam::folder(folder, &given)?;
    }
    let folder = Scratch::new()?;
    let names = args.cam.as_ref().map(|_| cam::names(&asked));
    let temperature = calibration.map(|found| found.temperature);
    ask(
        job(args, model, &asked, temperature, names.clone())?,
        &folder,
    )?;
    let cam = args.cam.as_deref().zip(names.as_deref());
    let pictures = cam.map(|(to, names)| cam::taken(names, folder.path(), to));
    let pictures = pictures.transpose()?;
    let answers = Answers {
        lines: folder.path().join(record::Predict::FILE),
        asked: &asked,
        threshold,
        cam: cam.map(|(to, names)| names.iter().map(|name| to.join(name)).collect()),
    };
    let failed = match (form, &args.output) {
        (Some(form), Some(path)) => {
            let failed = form.write(path, &answers)?;
            let images = count(asked.len(), "image");
            print::say(&format!("{}: written, {images}", shown_path(path)));
            failed
        }
        _ => shown(&answers, args.json)?,
    };
    if let (Some((to, _)), Some(n)) = (cam, pictures) {
        let pictures = count(n, "picture");
        print::say(&format!("{}: written, {pictures}", shown_path(to)));
    }
    Ok(u8::from(failed))
}

fn job(
    args: &Predict,
    model: PathBuf,
    asked: &[Asked],
    temperature: Option<f64>,
    cam: Option<Vec<String>>,
) -> Result<record::Predict> {
    Ok(record::Predict {
        model: ModelFile {
            path: model,
            normalize: None,
            classes: args.classes.as_deref().map(class_names).transpose()?,
            weights: args.weights.clone(),
            pretrained: None,
        },
        images: asked.iter().map(|one| one.file.clone()).collect(),
        top: args.top,
        tta: args.tta.clone(),
        temperature,
        cam,
        device: args.device.clone(),
        threads: open::threads(),
        out: PathBuf::new(),
    })
}

/// Has the worker answer into a folder.
fn ask(mut job: record::Predict, folder: &Scratch) -> Result<()> {
    folder.path().clone_into(&mut job.out);
    let progress = Progress::new();
    let tell = |event| {
        progress.observe(&Event::Stage {
            id: "predict".to_owned(),
            event,
        });
    };
    let (job, stop) = (Job::Predict(job), open::stop_on_signals()?);
    Process::beside_this_program()?.run(&job, folder.path(), &tell, &stop)?;
    progress.end("predict");
    Ok(())
}

/// Prints the answers as JSON or as a table; whether there is none for an image.
fn shown(answers: &Answers<'_>, json: bool) -> Result<bool> {
    let mut failed = false;
    let mut all = Vec::new();
    let mut grid = Grid::new(&[("image", Align::Left), ("guesses", Align::Left)]);
    answers.each(|one| {
        failed |= one["error"].is_string();
        match json {
            true => all.push(one.clone()),
            false => grid.rows.push(row(one)),
        }
        Ok(())
    })?;
    match json {
        true => print::json(&all)?,
        false => print::out(&grid.text(print::width()))?,
    }
    Ok(failed)
}

/// A list of photographs is not written over with what was guessed for them.
fn refuse_over_an_input(output: &Path, named: &[PathBuf]) -> Result<()> {
    let real = |path: &Path| path.canonicalize().ok();
    let over = real(output).is_some_and(|output| {
        let mut named = named.iter().filter_map(|path| real(path));
        named.any(|path| path == output)
    });
    if over {
        let message = format!("`{}` is what was read", shown_path(output));
        return Err(Error::usage(message).help("name another file for `-o`"));
    }
    Ok(())
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

/// The names of classes in a text file, a line each.
fn class_names(path: &Path) -> Result<Vec<String>> {
    let bytes = files::read_bounded(path, 64 << 20)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        Error::usage(format!("`{}` is no text in UTF-8", shown_path(path)))
            .because(e)
            .help("save it in UTF-8")
    })?;
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let names: Vec<String> = text.lines().map(|line| nfc(line.trim())).collect();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, name) in names.iter().enumerate() {
        if is_blank_name(name) {
            return Err(Error::usage(format!(
                "line {} of `{}` names no class",
                i + 1,
                shown_path(path)
            ))
            .help("name a class on each line, in the order of the outputs"));
        }
        if let Some(first) = lines.insert(name, i) {
            // Lists of ImageNet's classes have such names.
            print::say(&format!(
                "warning: lines {} and {} of `{}` both name `{}`: its guesses cannot be told apart",
                first + 1,
                i + 1,
                shown_path(path),
                text::shown(name)
            ));
        }
    }
    Ok(names)
}

/// The image and its guesses, as in a table.
fn row(answer: &Value) -> Vec<String> {
    let path = answer["path"].as_str().unwrap_or_default();
    let guesses = match answer["error"].as_str() {
        Some(error) => error.to_owned(),
        None if answer["unknown"] == true => {
            format!("unknown ({})", guesses(&answer["guesses"]))
        }
        None => guesses(&answer["guesses"]),
    };
    vec![results::shown(Path::new(path)), guesses]
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
