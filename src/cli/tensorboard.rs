//! The folder of `kfood report --tensorboard`.

use std::path::Path;

use super::{behind::settings_behind, open::Opened, print, thumbnails::Source};
use crate::{
    data::Thumbnails,
    error::{Error, Result},
    exec::Summary,
    files,
    record::{Images, Part, Prediction},
    report::{self, Evaluated, Results, Shown, percent},
    text::shown_path,
};

/// The most confident mistakes of an evaluation that are shown.
const SHOWN: usize = 16;
/// The longer side of a photograph, in pixels.
const SIDE: u32 = 224;

/// `FOLDER/TRAINING` with its settings, `…/train` and `…/validation` with its course, `FOLDER/EVALUATION/PART` with pictures: an event file
/// in each; one from an earlier report is replaced.
///
/// # Errors
/// When the pipeline has no training, a result cannot be read, or a file not be written.
pub(super) fn write(
    opened: &Opened,
    summary: &Summary,
    results: &Results,
    folder: &Path,
) -> Result<()> {
    if results.trainings.is_empty() {
        let message = "no training of the pipeline has a result: TensorBoard shows their course";
        return Err(Error::usage(message).help("`kfood run` makes what is missing"));
    }
    for trained in &results.trainings {
        let timing = trained.timing.as_ref().map_or(&[][..], |t| &t.epochs);
        let place = folder.join(&trained.id);
        let record = summary.record(&trained.id);
        let settings = record.map(|record| settings_behind(&opened.cache, record).settings);
        let settings = settings
            .iter()
            .flatten()
            .map(|(name, v)| (name.as_str(), v.as_str()));
        let settings = report::hparams_file(settings, timing, trained.started);
        put(&place, &settings)?;
        for (part, bytes) in report::event_files(&trained.history, timing, trained.started) {
            put(&place.join(part), &bytes)?;
        }
    }
    for evaluated in &results.evaluations {
        let started = summary.record(&evaluated.id).map_or(0, |r| r.started);
        let parts = evaluated.evaluation.parts.iter().map(|p| p.part);
        for part in parts.filter(|part| *part != Part::Train) {
            let pictures = pictures(opened, summary, evaluated, part)?;
            if !pictures.is_empty() {
                let step = evaluated.epoch.unwrap_or(0);
                let bytes = report::picture_file(&pictures, started, step);
                put(&folder.join(&evaluated.id).join(part.name()), &bytes)?;
            }
        }
    }
    let shown = shown_path(folder);
    print::say(&format!(
        "{shown}: written; look at it with `tensorboard --logdir {shown}`"
    ));
    Ok(())
}

fn put(place: &Path, bytes: &[u8]) -> Result<()> {
    files::create_folder(place)?;
    let path = place.join(report::EVENT_FILE);
    files::replace_with(&path, |to| {
        to.write_all(bytes)
            .map_err(|e| Error::io("write", &path, e))
    })
}

/// The mistakes of which the model is most sure; of what is nowhere any more there is no picture.
fn pictures(
    opened: &Opened,
    summary: &Summary,
    evaluated: &Evaluated,
    part: Part,
) -> Result<Vec<Shown>> {
    let wrong = Prediction::mistakes(&evaluated.predictions, part);
    let source = &evaluated.source;
    if wrong.is_empty() {
        return Ok(Vec::new());
    }
    let listed = summary.output(&source.dataset, Images::FILE)?;
    let names = (source.dataset.as_str(), source.data.as_str());
    let photographs = Source::open(opened, summary, &listed, names)?;
    let mut thumbnails = Thumbnails::of_side(SIDE);
    let mut shown = Vec::new();
    for (place, mistake) in wrong.iter().take(SHOWN).enumerate() {
        let Some(picture) = photographs.picture(&mut thumbnails, &mistake.path)? else {
            continue;
        };
        let (width, height) = picture.dimensions();
        let number = place + 1;
        let (label, guess) = (&mistake.label, &mistake.predicted);
        let sure = percent(mistake.probability);
        shown.push(Shown {
            tag: format!("mistakes/{number:02} {label} → {guess}, {sure} sure"),
            jpeg: Thumbnails::of_whole_row(&picture, width as usize, height as usize)?,
            width,
            height,
        });
    }
    Ok(shown)
}
