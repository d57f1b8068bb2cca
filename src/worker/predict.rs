//! The job `Predict`: image files to their most likely classes.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    sync::{Arc, mpsc::sync_channel},
    thread,
};

use rayon::prelude::*;
use serde::Serialize;
use tch::Device;

use crate::{
    data::{Archive, Place, Resampler, Thumbnails, decode_resized},
    error::{Error, Result},
    event::{StageEvent, Tell},
    files, learn,
    model::{self, ModelState, Network},
    record::{ImageFile, ModelFile, Predict, Transform},
    settings::{Count, MeanStd, Pixels, Resize},
    stats,
    stop::Stop,
    text::{self, shown_path},
};

/// Images in a step.
const BATCH: usize = 32;

/// One line of `predictions.jsonl`.
#[derive(Serialize)]
struct Prediction {
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

/// What a batch is classified with.
struct Classifier<'a> {
    members: Vec<(Network, Said)>,
    job: &'a Predict,
    device: Device,
}

/// Classifies every image under the transform of the checkpoint; members of an ensemble each under their own, and probabilities are
/// averaged over them and over views. A file that is no usable image is an entry with an error. While a batch is classified the next is
/// decoded, and none is kept.
///
/// # Errors
/// When the model cannot be used, a stop was requested, or libtorch or the disk refuses.
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
    if job.cam.is_some() && members.len() > 1 {
        return Err(
            Error::usage("an ensemble has no one place where it finds its evidence")
                .help("leave out `--cam`, or name one of its models"),
        );
    }
    let places = places(&job.images)?;
    let mut forms: Vec<Pixels> = Vec::new();
    for (_, info) in &members {
        if !forms.contains(&info.transform.pixels) {
            forms.push(info.transform.pixels);
        }
    }
    let classifier = Classifier {
        members,
        job,
        device,
    };
    files::create_folder(&job.out)?;
    let path = job.out.join(Predict::FILE);
    let fail = |e| Error::io("write", &path, e);
    let mut to = BufWriter::new(File::create(&path).map_err(fail)?);
    let _guard = tch::no_grad_guard();
    thread::scope(|scope| -> Result<()> {
        let (send, decoded) = sync_channel(1);
        scope.spawn(move || {
            let mut batches = places.chunks(BATCH).map(|batch| Decoded::of(batch, &forms));
            // Nobody takes them any more where something failed.
            batches.try_for_each(|batch| send.send(batch)).ok();
        });
        let mut done = 0;
        for batch in decoded {
            stop.check()?;
            for prediction in classifier.batch(done, batch)? {
                serde_json::to_writer(&mut to, &prediction).map_err(|e| fail(e.into()))?;
                to.write_all(b"\n").map_err(fail)?;
                done += 1;
            }
            tell(StageEvent::Progress {
                what: "classifying".to_owned(),
                done: done as u64,
                total: job.images.len() as u64,
                unit: "images".to_owned(),
            });
        }
        to.flush().map_err(fail)
    })
}

/// Where the images are; each zip is opened once.
fn places(images: &[ImageFile]) -> Result<Vec<Place>> {
    let mut archives: HashMap<&Path, Arc<Archive>> = HashMap::new();
    let mut places = Vec::with_capacity(images.len());
    for image in images {
        let (zip, entry) = match image {
            ImageFile::File(path) => {
                places.push(Place::File(path.clone()));
                continue;
            }
            ImageFile::Zip { zip, entry } => (zip.as_path(), *entry),
        };
        if !archives.contains_key(zip) {
            archives.insert(zip, Arc::new(Archive::open(zip)?));
        }
        let archive = Arc::clone(&archives[zip]);
        if entry >= archive.entries().len() {
            let zip = shown_path(zip);
            return Err(Error::failed(format!(
                "`{zip}` changed since it was listed"
            )));
        }
        places.push(Place::Zip { archive, entry });
    }
    Ok(places)
}

/// Images that were decoded together.
struct Decoded {
    /// Of each, why it cannot be used.
    why: Vec<Option<String>>,
    /// The pixels of the usable ones, in each form that a member asks for.
    forms: Vec<(Pixels, Vec<u8>)>,
}

impl Decoded {
    fn of(places: &[Place], forms: &[Pixels]) -> Self {
        let decoded = forms.iter().map(|pixels| -> Vec<Result<Vec<u8>>> {
            let decoded = places.par_iter();
            decoded
                .map_init(|| Resampler::new(*pixels), decode_resized)
                .collect()
        });
        let decoded: Vec<_> = decoded.collect();
        let wrong = |image: usize| decoded.iter().find_map(|form| form[image].as_ref().err());
        let why = (0..places.len()).map(|image| wrong(image).map(ToString::to_string));
        let why: Vec<_> = why.collect();
        // An image that cannot be had in one form is left out of all: their rows stand for the same images.
        let usable = |(pixels, decoded): (&Pixels, Vec<Result<Vec<u8>>>)| {
            let rows = decoded.into_iter().zip(&why);
            let rows = rows.filter(|(_, why)| why.is_none());
            (*pixels, rows.flat_map(|(row, _)| row).flatten().collect())
        };
        let forms = forms.iter().zip(decoded).map(usable).collect();
        Self { why, forms }
    }

    fn pixels(&self, form: Pixels) -> &[u8] {
        let of = self.forms.iter().find(|(pixels, _)| *pixels == form);
        of.map_or(&[], |(_, pixels)| pixels)
    }
}

impl Classifier<'_> {
    /// The guesses for the images of a batch, whose first is the `first`th of all.
    fn batch(&self, first: usize, batch: Decoded) -> Result<Vec<Prediction>> {
        let job = self.job;
        let usable = batch.why.iter().filter(|why| why.is_none()).count();
        // For each member and view the logits of the usable images.
        let mut logits = Vec::new();
        if usable > 0 {
            for (model, info) in &self.members {
                let transform = &info.transform;
                let pixels = batch.pixels(transform.pixels);
                let source = source(transform);
                let (tta, device) = (&job.tta, self.device);
                logits.extend(learn::logits_of_views(
                    model, pixels, usable, source, transform, tta, device,
                )?);
            }
        }
        let members = &self.members;
        let classes = members.first().map_or(&[][..], |(_, info)| &info.classes);
        let logs = learn::log_mean_probabilities(&logits, classes.len());
        if logs.iter().any(|log| log.is_nan()) {
            return Err(Error::failed(
                "the model's outputs are not finite: there is nothing to rank",
            )
            .help("its training diverged: lower `lr`, or add warm-up"));
        }
        let logs = match job.temperature {
            Some(temperature) => stats::tempered(&logs, classes.len(), temperature),
            None => logs,
        };
        let rows: Vec<&[f64]> = logs.chunks(classes.len().max(1)).collect();
        if let Some(names) = &job.cam
            && usable > 0
        {
            let usable = (0..batch.why.len()).filter(|i| batch.why[*i].is_none());
            let names: Vec<&String> = usable.filter_map(|i| names.get(first + i)).collect();
            self.draw(&batch, &rows, &names)?;
        }
        let mut rows = rows.into_iter();
        let prediction = |error: Option<String>| Prediction {
            guesses: match error {
                Some(_) => Vec::new(),
                None => best(rows.next().unwrap_or_default(), classes, job.top as usize),
            },
            error,
        };
        Ok(batch.why.into_iter().map(prediction).collect())
    }

    /// Pictures of what speaks for the first guesses.
    fn draw(&self, batch: &Decoded, rows: &[&[f64]], names: &[&String]) -> Result<()> {
        let Some((model, info)) = self.members.first() else {
            return Ok(());
        };
        let transform = &info.transform;
        let first = |row: &&[f64]| order(row).first().map_or(0, |class| *class as i64);
        let classes: Vec<i64> = rows.iter().map(first).collect();
        let (pixels, source) = (batch.pixels(transform.pixels), source(transform));
        let seen = learn::attention(model, pixels, source, transform, &classes, self.device)?;
        let (width, height) = seen.sides;
        for (name, picture) in names.iter().zip(&seen.pictures) {
            let path = self.job.out.join(name);
            let jpeg = Thumbnails::of_whole_row(picture, width, height)?;
            fs::write(&path, jpeg).map_err(|e| Error::io("write", &path, e))?;
        }
        Ok(())
    }
}

/// The sides of a decoded image under a transform, as width and height.
fn source(transform: &Transform) -> (usize, usize) {
    let resize = transform.pixels.resize;
    (resize.width() as usize, resize.height() as usize)
}

/// Classes by their log-probabilities, the most likely and the first of equals first.
fn order(logs: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logs.len()).collect();
    order.sort_by(|a, b| logs[*b].total_cmp(&logs[*a]));
    order
}

/// The `top` most likely classes by the logarithms of their probabilities.
fn best(logs: &[f64], classes: &[String], top: usize) -> Vec<Guess> {
    order(logs)
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
            "{} {} given, and the head of `{shown}` has {}",
            text::count(given.len(), "class name"),
            text::either(given.len(), "is", "are"),
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
