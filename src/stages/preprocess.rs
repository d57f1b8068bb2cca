//! `[preprocess.x]`: images to `pixels.pack`.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rayon::prelude::*;

use super::dataset::list;
use crate::{
    config,
    data::{
        PackWriter, Place, Resampler, Row,
        audit::{Fingerprint, find},
    },
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files::{read_json, write_json},
    record::{Image, Images, Photograph, Photographs},
    stage::{Context, Input, Stage},
};

/// Decodes and resizes every image of a data set into one pack. Who is in which part is no input.
pub struct PreprocessStage {
    id: String,
    settings: config::Preprocess,
    dataset: config::Dataset,
}

impl PreprocessStage {
    /// From its settings in a pipeline, and those of its dataset, which say where the files are.
    #[must_use]
    pub fn new(id: &str, settings: &config::Preprocess, dataset: &config::Dataset) -> Self {
        Self {
            id: id.to_owned(),
            settings: settings.clone(),
            dataset: dataset.clone(),
        }
    }

    /// Reads, checks, decodes and writes one image; the inner error is the reason why it cannot be used.
    fn one(
        &self,
        resampler: &mut Resampler,
        image: &Image,
        place: &Place,
    ) -> Result<Result<Row, String>> {
        let bytes = match place.read() {
            Ok(bytes) => bytes,
            Err(e) => return Ok(Err(e.to_string())),
        };
        if Digest::of(&bytes) != image.digest {
            return Err(changed(place));
        }
        Ok(resampler
            .decode(&bytes, image.crop)
            .map_err(|why| why.to_string()))
    }
}

impl Stage for PreprocessStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "preprocess"
    }

    fn version(&self) -> u32 {
        1
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({
            "pixels": self.settings.pixels,
            "unreadable": self.settings.unreadable,
            "storage": self.settings.storage,
        })
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input::stage(
            "images",
            &self.settings.dataset,
            "images.json",
        )]
    }

    fn outputs(&self) -> &'static [&'static str] {
        &["pixels.pack", "photographs.json", "look_alikes.json"]
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let images: Images = read_json(&context.inputs["images"])?;
        let images = images.images;
        let places = places(&self.dataset, &images)?;
        let resize = self.settings.pixels.resize;
        let pack = context.out.join("pixels.pack");
        let pack = PackWriter::create(&pack, resize.width(), resize.height(), images.len())?;
        let progress = Progress::new(context.tell, images.len());
        let (width, height) = (resize.width() as usize, resize.height() as usize);
        let seen = images
            .par_iter()
            .zip(&places)
            .enumerate()
            .map_init(
                || Resampler::new(self.settings.pixels),
                |resampler, (i, (image, place))| {
                    context.stop.check()?;
                    let seen = match self.one(resampler, image, place)? {
                        Ok(row) => {
                            pack.write(i, &row.pixels)?;
                            let fingerprint = Fingerprint::of(&row.pixels, width, height);
                            (photograph(row), Some(fingerprint))
                        }
                        Err(why) => {
                            let dropped = Some(format!("`{place}`: {why}"));
                            let photograph = Photograph {
                                dropped,
                                ..Photograph::default()
                            };
                            (photograph, None)
                        }
                    };
                    progress.another();
                    Ok(seen)
                },
            )
            .collect::<Result<Vec<_>>>()?;
        let (photographs, fingerprints): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
        let reasons = photographs.iter().filter_map(|p| p.dropped.clone());
        refuse_unusable(reasons.collect(), images.len())?;
        write_json(
            &context.out.join("photographs.json"),
            &Photographs { photographs },
        )?;
        let sources: Vec<Digest> = images.iter().map(|image| image.digest).collect();
        let look_alikes = find(&fingerprints, &sources, context.stop)?;
        write_json(&context.out.join("look_alikes.json"), &look_alikes)
    }
}

/// What is written down of a row.
fn photograph(row: Row) -> Photograph {
    let sum: u64 = row.pixels.iter().map(|v| u64::from(*v)).sum();
    Photograph {
        width: row.width,
        height: row.height,
        format: row.format.to_owned(),
        brightness: (sum as f64 / row.pixels.len().max(1) as f64) as f32,
        odd: row.odd,
        dropped: None,
    }
}

/// Where each image is: names are NFC, a disk may spell them decomposed, so the folders are looked through again.
fn places(dataset: &config::Dataset, images: &[Image]) -> Result<Vec<Place>> {
    let found = list(dataset)?.images.into_iter();
    let mut found: HashMap<String, Place> = found.map(|f| (f.name, f.place)).collect();
    let place = |image: &Image| {
        found.remove(&image.path).ok_or_else(|| {
            Error::failed(format!(
                "`{}` is gone since the data set was listed",
                image.path
            ))
            .help("run again once the files stay as they are")
        })
    };
    images.iter().map(place).collect()
}

fn changed(place: &Place) -> Error {
    Error::failed(format!(
        "`{place}` changed since the data set was listed; nothing is stored"
    ))
    .help("run again once the files stay as they are")
}

/// Every unusable file in one error.
fn refuse_unusable(reasons: Vec<String>, all: usize) -> Result<()> {
    const SHOWN: usize = 20;
    if reasons.is_empty() {
        return Ok(());
    }
    let mut text = format!("{} of {all} files cannot be used:", reasons.len());
    for reason in reasons.iter().take(SHOWN) {
        text.push_str(&format!("\n  {reason}"));
    }
    if reasons.len() > SHOWN {
        text.push_str(&format!("\n  … and {} more", reasons.len() - SHOWN));
    }
    Err(Error::failed(text).help("remove or repair them, and run again"))
}

/// Tells how far the work is, at most ten times a second and at the end.
struct Progress<'a> {
    tell: Tell<'a>,
    done: AtomicU64,
    total: u64,
    last: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    fn new(tell: Tell<'a>, total: usize) -> Self {
        let progress = Self {
            tell,
            done: AtomicU64::new(0),
            total: total as u64,
            last: Mutex::new(Instant::now()),
        };
        progress.say(0);
        progress
    }

    fn another(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done == self.total {
            return self.say(done);
        }
        // Whoever finds the clock busy leaves the telling to the other thread.
        if let Ok(mut last) = self.last.try_lock()
            && last.elapsed() >= Duration::from_millis(100)
        {
            *last = Instant::now();
            self.say(self.done.load(Ordering::Relaxed).min(self.total - 1));
        }
    }

    fn say(&self, done: u64) {
        (self.tell)(StageEvent::Progress {
            what: "decoding".to_owned(),
            done,
            total: self.total,
            unit: "images".to_owned(),
        });
    }
}
