//! The job `Predict`: image files to their most likely classes.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use tch::{Device, Kind};

use crate::{
    data::decode_resized,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files, learn,
    model::{self, ResNet},
    record::{CheckpointInfo, Predict},
    stop::Stop,
};

/// Images in a step.
const BATCH: usize = 32;

/// One entry of `predictions.json`.
#[derive(Serialize)]
struct Prediction {
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

/// Classifies every image under the transform of the checkpoint. A file that is no usable image is an entry with an error.
///
/// # Errors
/// When the model cannot be used, a stop was requested, or libtorch refuses.
pub(super) fn predict(job: &Predict, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    let source = model::load(&job.model.path)?;
    let info = source.info.ok_or_else(|| no_info(&job.model.path))?;
    let model = ResNet::from_state(&source.state, source.arch, device)?;
    let _guard = tch::no_grad_guard();
    let mut predictions = Vec::with_capacity(job.images.len());
    for paths in job.images.chunks(BATCH) {
        stop.check()?;
        predictions.extend(batch(paths, &model, &info, job.top as usize, device)?);
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
    model: &ResNet,
    info: &CheckpointInfo,
    top: usize,
    device: Device,
) -> Result<Vec<Prediction>> {
    let transform = &info.transform;
    let decoded: Vec<_> = paths
        .par_iter()
        .map(|path| decode_resized(path, transform.pixels))
        .collect();
    let pixels: Vec<u8> = decoded.iter().flatten().flatten().copied().collect();
    let usable = decoded.iter().filter(|d| d.is_ok()).count();
    let mut guesses = if usable == 0 {
        Vec::new()
    } else {
        let resize = transform.pixels.resize;
        let (width, height) = (resize.width(), resize.height());
        let (width, height) = (width as usize, height as usize);
        let images = learn::evaluation_batch(&pixels, usable, height, width, transform, device)?;
        let logits = model.forward(&images, false);
        let rows = logits
            .f_softmax(1, Kind::Double)?
            .f_to_device(Device::Cpu)?;
        let rows = Vec::<Vec<f64>>::try_from(&rows)?;
        if rows.iter().flatten().any(|p| !p.is_finite()) {
            return Err(Error::failed(
                "the model's outputs are not finite: there is nothing to rank",
            )
            .help("its training diverged: lower `lr`, or add warm-up"));
        }
        rows
    }
    .into_iter();
    let prediction = |(path, decoded): (&PathBuf, Result<Vec<u8>>)| {
        let (error, guesses) = match decoded {
            Ok(_) => (
                None,
                best(&guesses.next().unwrap_or_default(), &info.classes, top),
            ),
            Err(error) => (Some(error.to_string()), Vec::new()),
        };
        Prediction {
            path: path.clone(),
            error,
            guesses,
        }
    };
    Ok(paths.iter().zip(decoded).map(prediction).collect())
}

/// The `top` most likely classes, the first of equals first.
fn best(probabilities: &[f64], classes: &[String], top: usize) -> Vec<Guess> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    order
        .into_iter()
        .zip(0..top)
        .map(|(i, _)| Guess {
            class: classes.get(i).cloned().unwrap_or_else(|| i.to_string()),
            probability: probabilities[i],
        })
        .collect()
}

fn no_info(path: &Path) -> Error {
    Error::usage(format!(
        "`{}` does not say its classes, resize and normalisation",
        path.display()
    ))
    .help("predict with a checkpoint of kfood, such as `best.safetensors` of a train or transfer stage")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_likely_comes_first_and_no_more_than_asked() {
        let classes = ["a", "b", "c"].map(str::to_owned);
        let guesses = best(&[0.2, 0.5, 0.3], &classes, 2);
        let names: Vec<_> = guesses.iter().map(|g| g.class.as_str()).collect();
        assert_eq!(names, ["b", "c"]);
    }
}
