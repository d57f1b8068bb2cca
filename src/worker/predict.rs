//! The job `Predict`: image files to their most likely classes.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use crate::{
    data::decode_resized,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files, learn,
    model::{self, ResNet},
    record::{CheckpointInfo, Predict},
    stop::Stop,
    text::shown_path,
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
    for source in model::load_all(&job.model.path)? {
        let info = source.info.ok_or_else(|| no_info(&job.model.path))?;
        let model = ResNet::from_state(&source.state, source.arch, device)?;
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
    members: &[(ResNet, CheckpointInfo)],
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
            logits.extend(member_logits(&pixels, usable, model, info, job, device)?);
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

/// The logits of each view, row-major [images, classes].
fn member_logits(
    pixels: &[u8],
    images: usize,
    model: &ResNet,
    info: &CheckpointInfo,
    job: &Predict,
    device: Device,
) -> Result<Vec<Vec<f32>>> {
    let resize = info.transform.pixels.resize;
    let source = (resize.width() as usize, resize.height() as usize);
    let views = learn::views(pixels, images, source, &info.transform, &job.tta, device)?;
    let flat = |view: &Tensor| -> Result<Vec<f32>> {
        let logits = model.forward(view, false).f_to_kind(Kind::Float)?;
        let flat = logits.f_to_device(Device::Cpu)?.f_contiguous()?;
        Ok(Vec::<f32>::try_from(&flat.f_view([-1])?)?)
    };
    views.iter().map(flat).collect()
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

fn no_info(path: &Path) -> Error {
    Error::usage(format!(
        "`{}` does not say its classes, resize and normalisation",
        shown_path(path)
    ))
    .help("predict with a checkpoint of kfood, such as `best.safetensors` of a train or transfer stage")
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
