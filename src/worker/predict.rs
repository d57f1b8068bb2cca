//! The job `Predict`: image files to their most likely classes.

use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;
use tch::Device;

use crate::{
    data::decode_resized,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files, learn,
    model::{self, ModelState, Network},
    record::{ModelFile, Predict, Transform},
    settings::{Count, MeanStd, Pixels, Resize},
    stats,
    stop::Stop,
    text::{self, shown_path},
};

/// Images in a step.
const BATCH: usize = 32;

/// One entry of `predictions.json`.
#[derive(Serialize)]
struct Prediction {
    #[serde(with = "crate::record::path")]
    path: PathBuf,
    /// Why there are no guesses: the file is no usable image.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Most likely first.
    guesses: Vec<Guess>,
}

#[derive(Serialize)]
struct Guess {
    class: String,
    probability: f64,
}

/// Classifies every image under the transform of the checkpoint; members of an ensemble each under their own, and probabilities are
/// averaged over them and over views. A file that is no usable image is an entry with an error.
///
/// # Errors
/// When the model cannot be used, a stop was requested, or libtorch refuses.
pub(super) fn predict(job: &Predict, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    let mut members = Vec::new();
    for source in model::load_members(&job.model)? {
        for note in &source.notes {
            tell(StageEvent::Note(note.clone()));
        }
        let info = said(&source, &job.model, tell)?;
        let model = Network::from_state(&source.state, source.arch, device)?;
        members.push((model, info));
    }
    let _guard = tch::no_grad_guard();
    let mut predictions = Vec::with_capacity(job.images.len());
    for paths in job.images.chunks(BATCH) {
        stop.check()?;
        predictions.extend(batch(paths, &members, job, device)?);
        tell(StageEvent::Progress {
            what: "classifying".to_owned(),
            done: predictions.len() as u64,
            total: job.images.len() as u64,
            unit: "images".to_owned(),
        });
    }
    files::create_folder(&job.out)?;
    files::write_json(&job.out.join("predictions.json"), &predictions)
}

fn batch(
    paths: &[PathBuf],
    members: &[(Network, Said)],
    job: &Predict,
    device: Device,
) -> Result<Vec<Prediction>> {
    let mut why: Vec<Option<String>> = vec![None; paths.len()];
    // For each member and view the logits of the usable images.
    let mut logits = Vec::new();
    for (model, info) in members {
        let decoded: Vec<_> = paths
            .par_iter()
            .map(|path| decode_resized(path, info.transform.pixels))
            .collect();
        let pixels: Vec<u8> = decoded.iter().flatten().flatten().copied().collect();
        for (why, decoded) in why.iter_mut().zip(decoded) {
            *why = decoded.err().map(|error| error.to_string());
        }
        let usable = why.iter().filter(|why| why.is_none()).count();
        if usable > 0 {
            let transform = &info.transform;
            let resize = transform.pixels.resize;
            let source = (resize.width() as usize, resize.height() as usize);
            let tta = &job.tta;
            logits.extend(learn::logits_of_views(
                model, &pixels, usable, source, transform, tta, device,
            )?);
        }
    }
    let classes = members.first().map_or(&[][..], |(_, info)| &info.classes);
    let logs = learn::log_mean_probabilities(&logits, classes.len());
    if logs.iter().any(|log| log.is_nan()) {
        return Err(
            Error::failed("the model's outputs are not finite: there is nothing to rank")
                .help("its training diverged: lower `lr`, or add warm-up"),
        );
    }
    let logs = match job.temperature {
        Some(temperature) => stats::tempered(&logs, classes.len(), temperature),
        None => logs,
    };
    let mut rows = logs.chunks(classes.len().max(1));
    let prediction = |(path, error): (&PathBuf, Option<String>)| {
        let guesses = match error {
            Some(_) => Vec::new(),
            None => best(rows.next().unwrap_or_default(), classes, job.top as usize),
        };
        Prediction {
            path: path.clone(),
            error,
            guesses,
        }
    };
    Ok(paths.iter().zip(why).map(prediction).collect())
}

/// The `top` most likely classes by the logarithms of their probabilities, the first of equals first.
fn best(logs: &[f64], classes: &[String], top: usize) -> Vec<Guess> {
    let mut order: Vec<usize> = (0..logs.len()).collect();
    order.sort_by(|a, b| logs[*b].total_cmp(&logs[*a]));
    order
        .into_iter()
        .zip(0..top)
        .map(|(i, _)| Guess {
            class: classes.get(i).cloned().unwrap_or_else(|| i.to_string()),
            probability: logs[i].exp(),
        })
        .collect()
}

/// What a model tells apart, and what happens to a photograph before it.
struct Said {
    classes: Vec<String>,
    transform: Transform,
}

/// What a model says about itself. One of someone else says nothing: it gets the given names, else numbers, and what
/// torchvision does before its models; both are told.
fn said(source: &ModelState, file: &ModelFile, tell: Tell<'_>) -> Result<Said> {
    let shown = shown_path(&file.path);
    let given = file.classes.as_ref();
    if let Some(given) = given
        && given.len() != source.classes
    {
        return Err(Error::usage(format!(
            "{} are given, and the head of `{shown}` has {}",
            text::count(given.len(), "class name"),
            text::count(source.classes, "output")
        ))
        .help("name a class for each output, in the order of the outputs"));
    }
    if let Some(info) = &source.info {
        return Ok(Said {
            classes: given.unwrap_or(&info.classes).clone(),
            transform: info.transform,
        });
    }
    let numbers = || (0..source.classes).map(|i| i.to_string()).collect();
    let classes = given.cloned().unwrap_or_else(numbers);
    let names = if given.is_some() {
        ""
    } else {
        "; its classes are numbers from 0: name them with `--classes LIST`"
    };
    tell(StageEvent::Warning(format!(
        "`{shown}` does not say what it does to a photograph: taken as torchvision's models do, short side 256, crop 224, normalised as for ImageNet{names}"
    )));
    let resize = Resize::ShortSide {
        short_side: Count::known(256),
        crop: Count::known(224),
    };
    Ok(Said {
        classes,
        transform: Transform {
            pixels: Pixels::new(resize),
            center_crop: None,
            test_resolution: None,
            normalize: MeanStd::IMAGENET,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_likely_comes_first_and_no_more_than_asked() {
        let classes = ["a", "b", "c"].map(str::to_owned);
        let guesses = best(&[0.2, 0.5, 0.3].map(f64::ln), &classes, 2);
        let names: Vec<_> = guesses.iter().map(|g| g.class.as_str()).collect();
        assert_eq!(names, ["b", "c"]);
    }
}
